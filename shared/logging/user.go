package logging

import (
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
)

// userHashLength is how much of a digest tells users apart, in characters of base64url.
const userHashLength = 16

// User returns an attribute by which the lines about one user are found, and by which nobody learns who it is:
// "subHash", the beginning of base64url(SHA-256(salt, 0, user id)). The salt makes the same user another one in
// another deployment; functions of one deployment take their table's name.
func User(salt, userID string) slog.Attr {
	digest := sha256.Sum256([]byte(salt + "\x00" + userID))
	return slog.String("subHash", base64.RawURLEncoding.EncodeToString(digest[:])[:userHashLength])
}
