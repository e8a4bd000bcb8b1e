package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"signedsocket/shared/grant"
	"signedsocket/shared/userid"
)

// tokenCaller reads the caller from the claims of the token that the JWT authorizer has verified. The
// gateway passes every claim as a string. An event without them, or with those of another issuer,
// means that the route has lost its authorizer; and a token that cannot say who was authenticated
// when cannot be revoked either.
func (c config) tokenCaller(authorizer *events.APIGatewayV2HTTPRequestContextAuthorizerDescription, now time.Time) (caller, error) {
	switch {
	case c.OIDCIssuer == "":
		return caller{}, fmt.Errorf("OidcIssuer is empty: %w", errNotConfigured)
	case authorizer == nil || authorizer.JWT == nil || len(authorizer.JWT.Claims) == 0:
		return caller{}, fmt.Errorf("the route has no JWT authorizer: %w", errNotConfigured)
	case authorizer.JWT.Claims["iss"] != c.OIDCIssuer:
		return caller{}, fmt.Errorf("the route's JWT authorizer is not OidcIssuer's: %w", errNotConfigured)
	}
	claims := authorizer.JWT.Claims
	issuedAt, ok := numericDate(claims["iat"])
	if !userid.ValidSub(claims["sub"]) || !ok {
		return caller{}, errUnknownUser
	}
	if expires, ok := numericDate(claims["exp"]); !ok || !expires.After(now) {
		return caller{}, errRevoked
	}
	subject := userid.From(c.StackID, claims["iss"], claims["sub"])
	name, ok := validName(claims[c.NameClaim])
	if !ok {
		name = userid.Name(subject)
	}
	return caller{subject: subject, name: name, rooms: c.claimedRooms(claims), authenticatedAt: earlier(issuedAt, now)}, nil
}

// numericDate reads a claim of seconds since 1970, which may have a fraction or an exponent.
func numericDate(claim string) (time.Time, bool) {
	seconds, err := strconv.ParseFloat(claim, 64)
	if err != nil || !(seconds >= 1 && seconds < 1e11) {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0).UTC(), true
}

// claimedRooms returns the rooms of the rooms claim, or the default rooms when none is configured.
// The claim is a list separated by spaces or commas; the gateway writes an array as "[a b]".
func (c config) claimedRooms(claims map[string]string) []string {
	if c.RoomsClaim == "" {
		return c.DefaultRooms
	}
	list := strings.Trim(claims[c.RoomsClaim], "[]")
	rooms := strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == ',' })
	return slices.DeleteFunc(rooms, func(room string) bool { return !grant.ValidRoom(room) })
}
