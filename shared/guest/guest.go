// Package guest names those who connect without having signed in. A guest has a user id like
// everybody, a random one, but nothing stands behind it: whoever asks again is somebody else. Limits
// of one user therefore mean nothing for a guest, and all guests together are held to one limit, as
// if they were a single user: the pool.
//
// The ids are told apart by a prefix that no other user's id begins with; signurl sees to that.
package guest

import (
	"crypto/rand"
	"strings"
)

const (
	// Prefix begins the user ids of guests and of their pool, and those of nobody else.
	Prefix = "guest-"
	// Pool is the user id under which all guests are counted, revoked and banned together. No guest
	// has it.
	Pool = Prefix + "pool"

	// nameLength is how much of an id is the name: the prefix and 30 random bits.
	nameLength = len(Prefix) + 6
)

// NewID returns the user id of a new guest: the prefix and 26 random characters of a-z and 2-7.
func NewID() string { return Prefix + strings.ToLower(rand.Text()) }

// Name returns the display name of a guest, a short form of the id.
func Name(id string) string { return id[:min(len(id), nameLength)] }

// Reserved reports whether a user id can only be that of a guest, or of the pool.
func Reserved(userID string) bool { return strings.HasPrefix(userID, Prefix) }

// CountedAs returns the user id under whose limits a user is: the pool's for a guest, and else the
// user's own.
func CountedAs(userID string) string {
	if Reserved(userID) {
		return Pool
	}
	return userID
}
