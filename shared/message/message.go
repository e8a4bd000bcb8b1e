// Package message is the format of the frames between client and server. It decodes the clients' frames strictly, and
// encodes the server's. Frames are JSON objects.
//
// docs/protocol.md describes the frames, and protocol/asyncapi.yaml has their schemas.
package message

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"
)

// idLength is the length of a message id, both of a ULID and of one that IDFor derives.
const idLength = 26

// IDFor returns the id of the message that a user sent to a room under an id of the client's own choice. The same
// message sent again has the same id, so receivers drop the second one. Another user or another room makes another id
// of the same client id. None of the three holds a zero byte, so no two triples are hashed as the same bytes.
// testdata/ids.json has examples; the browser client's tests read them too.
func IDFor(subject, room, clientID string) string {
	// mutate:message-room => digest := sha256.Sum256([]byte(subject + "\x00" + clientID))
	digest := sha256.Sum256([]byte(subject + "\x00" + room + "\x00" + clientID))
	return base32.StdEncoding.EncodeToString(digest[:])[:idLength]
}

// NewID returns a fresh id, a ULID of now, for a message whose sender gave it none.
func NewID(now time.Time) (string, error) {
	id, err := ulid.New(ulid.Timestamp(now), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make message id: %w", err)
	}
	return id.String(), nil
}
