package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-lambda-go/events"

	"signedsocket/shared/userid"
)

// namedUser is the user whom a trusted caller has signed in. Times are Unix seconds.
type namedUser struct {
	Subject       string   `json:"sub"`           // the provider's sub claim, see userid.ValidSub
	Issuer        string   `json:"iss"`           // the provider; OidcIssuer when left out
	Name          string   `json:"name"`          // display name; a short form of the user id when empty
	SessionStart  int64    `json:"sessionStart"`  // when the user signed in
	SessionEndsAt int64    `json:"sessionEndsAt"` // when the user has to sign in again
	Rooms         []string `json:"rooms"`         // rights to rooms, see readRight; the default rooms when left out
	Moderator     bool     `json:"moderator"`     // whether the user may delete anybody's messages
}

// maxSeconds bounds times to those that a grant can hold: eleven digits.
const maxSeconds = 1e11

// maxIssuerBytes is longer than any issuer's address.
const maxIssuerBytes = 1024

// namedCaller returns the user that a trusted caller names.
func (c config) namedCaller(auth *authorizer, request signRequest, now time.Time) (caller, error) {
	if err := c.mustBeTrusted(auth); err != nil {
		return caller{}, err
	}
	if request.User == nil {
		return caller{}, fmt.Errorf("mode iam needs a user: %w", errBadRequest)
	}
	found, err := c.fromNamed(*request.User)
	if err != nil {
		return caller{}, err
	}
	if !found.sessionEndsAt.After(now) {
		return caller{}, errRevoked
	}
	found.authenticatedAt = earlier(found.authenticatedAt, now)
	found.signIn = valueOf(request.SignIn)
	return found, nil
}

// authorizer is the gateway's description of the caller of a route.
type authorizer = events.APIGatewayV2HTTPRequestContextAuthorizerDescription

// mustBeTrusted checks that a request comes from a caller that may name users. The gateway has verified the caller's
// signature, and that IAM lets it call this route; IAM may admit other callers, too. An event without IAM identity
// means that the route has lost its authorization.
func (c config) mustBeTrusted(auth *authorizer) error {
	switch {
	case c.trustedCallers.Len() == 0:
		return fmt.Errorf("TrustedCallerArns is empty: %w", errNotConfigured)
	case auth == nil || auth.IAM == nil || auth.IAM.UserARN == "":
		return fmt.Errorf("the route has no IAM authorization: %w", errNotConfigured)
	case !c.trustedCallers.Contains(auth.IAM.UserARN): // mutate:signurl-any-caller
		return errNotTrusted
	}
	return nil
}

// fromNamed checks the user that a trusted caller names. It refuses wrong values instead of leaving them out, so that
// the caller's author notices.
func (c config) fromNamed(named namedUser) (caller, error) {
	id, old, ok := c.idsOf(named.Subject, named.Issuer)
	if !ok {
		return caller{}, fmt.Errorf("sub or iss of the user: %w", errBadRequest)
	}
	name := userid.Name(id)
	if named.Name != "" {
		name, ok = validName(named.Name)
	}
	switch {
	case !ok:
		return caller{}, fmt.Errorf("name of the user: %w", errBadRequest)
	case !validSeconds(named.SessionStart), !validSeconds(named.SessionEndsAt),
		named.SessionEndsAt <= named.SessionStart:
		return caller{}, fmt.Errorf("sessionStart or sessionEndsAt of the user: %w", errBadRequest)
	}
	rooms, ok := readRights(named.Rooms)
	if !ok {
		return caller{}, fmt.Errorf("rooms of the user: %w", errBadRequest)
	}
	if named.Rooms == nil {
		rooms = c.defaultRooms
	}
	return caller{
		userID: id, oldUserID: old, name: name, rooms: rooms, moderator: named.Moderator, comesBack: true,
		authenticatedAt: time.Unix(named.SessionStart, 0).UTC(), sessionEndsAt: time.Unix(named.SessionEndsAt, 0).UTC(),
	}, nil
}

// idsOf returns the ids of the user whom an issuer calls sub, and whether sub and issuer are valid. An empty issuer
// stands for OidcIssuer.
func (c config) idsOf(sub, issuer string) (id, old string, ok bool) {
	issuer = cmp.Or(issuer, c.OIDCIssuer)
	if !userid.ValidSub(sub) || len(issuer) > maxIssuerBytes || strings.ContainsFunc(issuer, unicode.IsControl) {
		return "", "", false
	}
	id, old = userid.Forms(c.StackID, issuer, sub)
	return id, old, true
}

func validSeconds(s int64) bool { return s >= 1 && s < maxSeconds }
