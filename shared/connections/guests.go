package connections

import (
	"errors"
	"time"

	"signedsocket/shared/userid"
)

// ErrGuestsFull is returned by Connect and MayConnect: guests have all the connections that they may
// have together. A guest never takes the place of another one: whoever asks often would throw out
// everybody else.
var ErrGuestsFull = errors.New("no connection left for guests")

// maxConnections returns how many connections there may be under the USER item of a user: the
// user's own, or those of all guests.
func (s *Store) maxConnections(subject string) int {
	if userid.IsGuest(subject) {
		return s.limits.GuestConnections
	}
	return s.limits.ConnectionsPerUser
}

// guestsFull reports whether guests have no connection left, given their USER item. Connections past
// their session's end do not count, whoever is late in removing them.
func (s *Store) guestsFull(pool item, now time.Time) bool {
	count, _ := numberOf(pool, "n")
	return int(count)-len(entriesOver(pool, now)) >= s.limits.GuestConnections
}

// replaceable returns the ids of the connections that give way to another one of this user, the
// first to go in front: all of a user's own, and of the guests' those whose session is over.
func (s *Store) replaceable(subject string, user item, now time.Time) ([]string, error) {
	if !userid.IsGuest(subject) {
		return entriesByAge(user), nil
	}
	if s.guestsFull(user, now) {
		return nil, ErrGuestsFull
	}
	return entriesOver(user, now), nil
}

// entriesOver returns the ids of those connections in a USER item whose session has ended at now.
func entriesOver(user item, now time.Time) []string {
	byAge := entriesByAge(user)
	for i, id := range byAge {
		if entryOf(user, entryName(id)).sx > now.Unix() {
			return byAge[:i]
		}
	}
	return byAge
}
