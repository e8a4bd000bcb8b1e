package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"signedsocket/shared/grant"
	"signedsocket/shared/text"
	"signedsocket/shared/userid"
)

// caller is the user who is to have a URL.
type caller struct {
	subject         string
	name            string
	rooms           []string // all that the user may enter
	authenticatedAt time.Time
	sessionEndsAt   time.Time // the end of the user's own session; zero when it does not limit the connection's
}

// callerOf returns the user for whom the URL is, as the deployment's mode finds out: from what the
// gateway vouches for, which is checked again, and in mode iam from the user that the request names.
// The error is a refusal; one that wraps errNotConfigured says what is missing.
func (c config) callerOf(request events.APIGatewayV2HTTPRequestContext, named *namedUser, now time.Time) (caller, error) {
	if named != nil && c.AuthMode != authModeIAM {
		return caller{}, fmt.Errorf("mode %s takes no user: %w", c.AuthMode, errBadRequest)
	}
	switch c.AuthMode {
	case authModeJWT:
		return c.tokenCaller(request.Authorizer, now)
	case authModeIAM:
		return c.namedCaller(request.Authorizer, named, now)
	case authModeGuest:
		return c.newGuest(now)
	}
	return caller{}, fmt.Errorf("unknown mode: %w", errNotConfigured)
}

// newGuest returns somebody who was never here before. Nobody has authenticated; for revocation it
// counts as if it had been now.
func (c config) newGuest(now time.Time) (caller, error) {
	if len(c.GuestRooms) == 0 {
		return caller{}, fmt.Errorf("GuestRooms is empty: %w", errNotConfigured)
	}
	id := userid.NewGuest()
	return caller{subject: id, name: userid.Name(id), rooms: c.GuestRooms, authenticatedAt: now}, nil
}

// roomsFor returns the rooms for which the URL is: those asked for, or else the default rooms, or,
// for a guest who may not enter all of these, the guest rooms.
func (c config) roomsFor(caller caller, asked []string) []string {
	switch {
	case len(asked) > 0:
		return asked
	case c.AuthMode == authModeGuest && !caller.mayEnter(c.DefaultRooms):
		return c.GuestRooms
	}
	return c.DefaultRooms
}

// mayEnter reports whether the caller may enter all of these rooms.
func (c caller) mayEnter(rooms []string) bool {
	return !slices.ContainsFunc(rooms, func(room string) bool { return !slices.Contains(c.rooms, room) })
}

// earlier returns t, or now if t is later: a time of authentication ahead of our clock would be
// harder to revoke.
func earlier(t, now time.Time) time.Time {
	if t.After(now) {
		return now
	}
	return t
}

// validName returns a display name in its normal form, and whether it is fit to be shown to others.
func validName(s string) (string, bool) {
	name, ok := text.CleanLine(s)
	return name, ok && grant.ValidName(name)
}
