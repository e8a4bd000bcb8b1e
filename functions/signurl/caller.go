package main

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"signedsocket/shared/grant"
	"signedsocket/shared/text"
)

// shortIDLength is how much of the user id stands in for a name that the token does not have.
const shortIDLength = 8

// caller is the user whom the gateway has authenticated.
type caller struct {
	subject         string
	name            string
	rooms           []string // all that the user may enter
	authenticatedAt time.Time
}

// callerOf reads the caller from the claims of the token that the JWT authorizer has verified. The
// gateway passes every claim as a string. An event without them means that the route has lost its
// authorizer, and a token that cannot say who was authenticated when cannot be revoked either.
func (c config) callerOf(request events.APIGatewayV2HTTPRequestContext, now time.Time) (caller, error) {
	if request.Authorizer == nil || request.Authorizer.JWT == nil || len(request.Authorizer.JWT.Claims) == 0 {
		return caller{}, errNotConfigured
	}
	claims := request.Authorizer.JWT.Claims
	issuedAt, ok := numericDate(claims["iat"])
	if claims["iss"] == "" || claims["sub"] == "" || !ok {
		return caller{}, errNotTrusted
	}
	if expires, ok := numericDate(claims["exp"]); !ok || !expires.After(now) {
		return caller{}, errRevoked
	}
	if issuedAt.After(now) {
		issuedAt = now // the provider's clock is ahead of ours; later would be harder to revoke
	}
	subject := userID(claims["iss"], claims["sub"])
	return caller{
		subject: subject, name: displayName(claims[c.NameClaim], subject),
		rooms: c.allowedRooms(claims), authenticatedAt: issuedAt,
	}, nil
}

// numericDate reads a claim of seconds since 1970, which may have a fraction or an exponent.
func numericDate(claim string) (time.Time, bool) {
	seconds, err := strconv.ParseFloat(claim, 64)
	if err != nil || !(seconds >= 1 && seconds < 1e11) {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0).UTC(), true
}

// userID returns sub, or a hash of it and its issuer when sub has characters or a length that our
// user ids cannot have.
func userID(issuer, sub string) string {
	if grant.ValidSubject(sub) {
		return sub
	}
	digest := sha256.Sum256([]byte(issuer + sub))
	return base64.RawURLEncoding.EncodeToString(digest[:])[:32]
}

// displayName returns the claim when it is fit to be shown to others, and else a part of the user id.
func displayName(claim, subject string) string {
	if name, ok := text.CleanLine(claim); ok && grant.ValidName(name) {
		return name
	}
	return subject[:min(len(subject), shortIDLength)]
}

// allowedRooms returns the rooms of the rooms claim, or the default rooms when none is configured.
// The claim is a list separated by spaces or commas; the gateway writes an array as "[a b]".
func (c config) allowedRooms(claims map[string]string) []string {
	if c.RoomsClaim == "" {
		return c.DefaultRooms
	}
	list := strings.Trim(claims[c.RoomsClaim], "[]")
	rooms := strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == ',' })
	return slices.DeleteFunc(rooms, func(room string) bool { return !grant.ValidRoom(room) })
}

// mayEnter reports whether the caller may enter all of these rooms.
func (c caller) mayEnter(rooms []string) bool {
	return !slices.ContainsFunc(rooms, func(room string) bool { return !slices.Contains(c.rooms, room) })
}
