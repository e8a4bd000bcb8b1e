package main

import (
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"signedsocket/shared/grant"
	"signedsocket/shared/text"
)

// caller is the user who asks for a URL.
type caller struct {
	userID          string
	oldUserID       string // the user's id in older versions, or "" if it is the same
	name            string
	rooms           rights // all that the user may enter
	moderator       bool   // the user may delete anybody's messages
	signIn          string // the sign-in that a trusted caller named, or ""
	comesBack       bool   // the next request of this user has the same userID
	authenticatedAt time.Time
	sessionEndsAt   time.Time // the latest end of the connection's session; zero when the user does not limit it
}

// callerOf returns the user of the URL. It takes the user from the gateway's claims, which it checks again, and in mode
// iam from the request of a trusted caller. The error is a refusal; one that wraps errNotConfigured names the missing
// setting.
func (c config) callerOf(event events.APIGatewayV2HTTPRequest, request signRequest, now time.Time) (caller, error) {
	// mutate:signurl-user-in-any-mode
	if c.AuthMode != authModeIAM && (request.User != nil || request.SignIn != nil) {
		return caller{}, fmt.Errorf("mode %s takes no user: %w", c.AuthMode, errBadRequest)
	}
	if c.AuthMode != authModeGuest && (request.Guest != nil || request.Name != nil) {
		return caller{}, fmt.Errorf("mode %s takes no guest: %w", c.AuthMode, errBadRequest)
	}
	switch c.AuthMode {
	case authModeJWT:
		return c.tokenCaller(event, now)
	case authModeIAM:
		return c.namedCaller(event.RequestContext.Authorizer, request, now)
	case authModeGuest:
		return c.guestCaller(request, now)
	}
	return caller{}, fmt.Errorf("unknown mode: %w", errNotConfigured)
}

// roomsFor returns the rooms of the URL: the requested rooms, or else the default rooms. A guest who may not enter all
// of these gets the guest rooms.
func (c config) roomsFor(applicant caller, asked []string) []string {
	switch {
	case len(asked) > 0:
		return asked
	case c.AuthMode == authModeGuest && !applicant.rooms.open(c.defaultRooms.rooms()):
		return c.guestRooms.rooms()
	}
	return c.defaultRooms.rooms()
}

// earlier returns the earlier of two times. A revocation would miss a time of authentication ahead of our clock.
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
