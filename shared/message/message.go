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
	"strconv"
	"strings"
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
	return hash(subject, room, clientID) // mutate:message-room => return hash(subject, clientID)
}

// NoteIDFor returns the id of the note that a user has deleted a message of a room, so that a repeated deletion finds
// the note. It is the hash of four parts, and IDFor's of three: no id of a client leads to it.
func NoteIDFor(subject, room string, seq int64) string {
	// mutate:note-id-parts => return IDFor(subject, room, strconv.FormatInt(seq, 10))
	return hash(subject, room, "delete", strconv.FormatInt(seq, 10))
}

// ErasureIDFor returns the id of the note that all messages of a user in a room were erased, in one run of the erasure.
// A later run has another note: the user may have written again in between.
func ErasureIDFor(subject, room, run string) string { return hash(subject, room, "erase", run) }

// ErasedHash returns the hash by which a note about an erasure names the user. Clients compare it with the hash of each
// author of the room.
func ErasedHash(room, subject string) string { return strings.ToLower(hash(room, subject)) }

// hash returns the start of the SHA-256 of parts, in base32. The parts hold no zero byte, so lists of different parts
// or lengths are hashed as different bytes.
func hash(parts ...string) string {
	digest := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
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
