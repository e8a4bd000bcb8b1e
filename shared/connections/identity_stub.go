package connections

import (
	"context"
	"time"
)

// Applicant is a user who asks whether Connect would admit a connection.
type Applicant struct {
	UserID          string
	OldUserID       string // the id that the version before gave the user, if it is another one
	SignIn          string // the sign-in that a trusted caller named, or ""
	ClientInstance  string // the client object that asks, or ""
	AuthenticatedAt time.Time
}

// KickedError is returned by Connect and MayConnect: a connection of the user was kicked, and the user may not open
// another one for now.
type KickedError struct {
	RetryAfter time.Duration // how long until the user may connect again
}

// Error implements error.
func (e *KickedError) Error() string {
	return "user kicked, may connect again in " + e.RetryAfter.String()
}

// CountURL counts a URL that is to be signed for a user at now.
func (s *Store) CountURL(context.Context, string, time.Time) error { return nil }
