package grant

import (
	"crypto/sha256"
	"encoding/base64"

	"signedsocket/shared/guest"
)

// hashedSubject is how much of a hash makes a user id: 32 characters, 192 bits.
const hashedSubject = 32

// SubjectOf returns the user id of the user whom an issuer calls sub: sub itself when it can be a
// user id, and else a hash of both. A sub that looks like a guest's id cannot be one.
func SubjectOf(issuer, sub string) string {
	if ValidSubject(sub) && !guest.Reserved(sub) {
		return sub
	}
	digest := sha256.Sum256([]byte(issuer + sub))
	return base64.RawURLEncoding.EncodeToString(digest[:])[:hashedSubject]
}
