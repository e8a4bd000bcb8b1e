package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"signedsocket/shared/grant"
	"signedsocket/shared/userid"
)

// namedUser is the user whom a trusted caller has signed in. Times are Unix seconds.
type namedUser struct {
	Subject       string   `json:"sub"`           // the provider's sub claim, see userid.ValidSub
	Name          string   `json:"name"`          // display name; a short form of the user id when empty
	SessionStart  int64    `json:"sessionStart"`  // when the user signed in
	SessionEndsAt int64    `json:"sessionEndsAt"` // when the user has to sign in again
	Rooms         []string `json:"rooms"`         // all that the user may enter; the default rooms when left out
}

// maxSeconds bounds times to those that a grant can hold: eleven digits.
const maxSeconds = 1e11

// namedCaller returns the user that a trusted caller names. The gateway has verified the caller's
// signature, and that IAM lets it call this route; IAM may let others too, so that the caller has to
// be one of those who may speak for users. An event without IAM identity means that the route has
// lost its authorization.
func (c config) namedCaller(authorizer *events.APIGatewayV2HTTPRequestContextAuthorizerDescription, named *namedUser, now time.Time) (caller, error) {
	switch {
	case c.trustedCallers.Len() == 0:
		return caller{}, fmt.Errorf("TrustedCallerArns is empty: %w", errNotConfigured)
	case authorizer == nil || authorizer.IAM == nil || authorizer.IAM.UserARN == "":
		return caller{}, fmt.Errorf("the route has no IAM authorization: %w", errNotConfigured)
	case !c.trustedCallers.Contains(authorizer.IAM.UserARN):
		return caller{}, errNotTrusted
	case named == nil:
		return caller{}, fmt.Errorf("mode iam needs a user: %w", errBadRequest)
	}
	found, err := c.fromNamed(*named)
	if err != nil {
		return caller{}, err
	}
	if !found.sessionEndsAt.After(now) {
		return caller{}, errRevoked
	}
	found.authenticatedAt = earlier(found.authenticatedAt, now)
	return found, nil
}

// fromNamed checks what a trusted caller says of a user. What is wrong is refused and not left out: the
// caller is a program, whose author will notice.
func (c config) fromNamed(named namedUser) (caller, error) {
	id := userid.From(c.StackID, c.OIDCIssuer, named.Subject)
	name, ok := userid.Name(id), true
	if named.Name != "" {
		name, ok = validName(named.Name)
	}
	switch {
	case !userid.ValidSub(named.Subject):
		return caller{}, fmt.Errorf("sub of the user: %w", errBadRequest)
	case !ok:
		return caller{}, fmt.Errorf("name of the user: %w", errBadRequest)
	case !validSeconds(named.SessionStart), !validSeconds(named.SessionEndsAt), named.SessionEndsAt <= named.SessionStart:
		return caller{}, fmt.Errorf("sessionStart or sessionEndsAt of the user: %w", errBadRequest)
	case slices.ContainsFunc(named.Rooms, func(room string) bool { return !grant.ValidRoom(room) }):
		return caller{}, fmt.Errorf("rooms of the user: %w", errBadRequest)
	}
	rooms := named.Rooms
	if rooms == nil {
		rooms = c.DefaultRooms
	}
	return caller{
		subject: id, name: name, rooms: rooms,
		authenticatedAt: time.Unix(named.SessionStart, 0).UTC(), sessionEndsAt: time.Unix(named.SessionEndsAt, 0).UTC(),
	}, nil
}

func validSeconds(s int64) bool { return s >= 1 && s < maxSeconds }
