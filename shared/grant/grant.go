// Package grant is the permission to open one connection, as it travels in the query of a presigned URL. signurl writes
// a Grant into the URL and signs all of it; connect reads it back.
//
// A grant is a set of query parameters, each present exactly once, and each with exactly one way of being written. All
// values are made of unreserved characters, so that no percent-encoding, plus sign or letter case can make two parsers
// disagree about what was signed:
//
//	v    1, the version of this format
//	sub  user id, see package userid
//	nm   display name, base64url of at most 128 bytes
//	rm   1 to 8 rooms, each [a-z0-9_-]{1,32}, joined by "."
//	iat  when the grant was issued, Unix seconds, as are the next three
//	exp  the last second in which it may be used
//	sx   end of the session that it opens
//	ait  when the user authenticated
//	jti  ticket, base64url of 16 random bytes: a grant opens one connection
//	cc   challenge, base64url of a SHA-256 digest; left out when there is none
//	ci   client instance, base64url of 16 bytes that the client made; left out without one
//	si   sign-in that a trusted caller named, 22 characters of base64url; left out without one
//	md   1, if the user may delete anybody's messages; left out for all others
//	ro   those of the rooms in rm, in its order, in which the user only reads, joined by "."; left out without any
//
// A parameter that may be left out is there only when it says something: while signurl is updated before connect, a
// connect of the version before refuses only the grants that need a new parameter.
//
// Besides these only the X-Amz-* parameters of the signature may appear.
package grant

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	version = "1"

	// MaxNameBytes is the longest display name, in bytes of UTF-8. The version before took 64.
	MaxNameBytes = 128
	// MaxRooms is the number of rooms that one connection may be in.
	MaxRooms = 8

	maxRoomBytes   = 32
	ticketBytes    = 16
	challengeBytes = 32
	instanceBytes  = 16
	signInLength   = 22 // characters

	moderator = "1" // the one value of paramModerator
)

// The WebSocket subprotocols that clients offer: the frames of docs/protocol.md, without and with messages of the past.
const (
	Protocol   = "chat.v1"
	ProtocolV2 = "chat.v2"
)

// Possession says which URLs need a challenge. The client proves that it knows the verifier of the challenge.
type Possession string

const (
	PossessionRequired Possession = "required" // every URL
	PossessionOptional Possession = "optional" // none, but a URL with a challenge needs the proof
)

// Validate returns an error when p is neither of the two.
func (p Possession) Validate() error {
	if p != PossessionRequired && p != PossessionOptional {
		return fmt.Errorf("PROOF_OF_POSSESSION must be %s or %s", PossessionRequired, PossessionOptional)
	}
	return nil
}

// NeedsChallenge reports whether a URL without a challenge opens nothing. An unknown value is strict.
func (p Possession) NeedsChallenge() bool { return p != PossessionOptional }

// Names of the parameters.
const (
	paramVersion         = "v"
	paramSubject         = "sub"
	paramName            = "nm"
	paramRooms           = "rm"
	paramIssuedAt        = "iat"
	paramExpiresAt       = "exp"
	paramSessionEndsAt   = "sx"
	paramAuthenticatedAt = "ait"
	paramTicket          = "jti"
	paramChallenge       = "cc"
	paramClientInstance  = "ci"
	paramSignIn          = "si"
	paramModerator       = "md"
	paramReadOnly        = "ro"
)

// Grant is the permission of one user to connect, with the rooms and times. Times are whole seconds in UTC.
type Grant struct {
	Subject         string    // user id, see userid.Valid
	Name            string    // display name, one line of clean text
	Rooms           []string  // see ValidRooms
	IssuedAt        time.Time // when signurl made the grant
	ExpiresAt       time.Time // last moment at which it opens a connection
	SessionEndsAt   time.Time // when the connection must end
	AuthenticatedAt time.Time // when the user authenticated; a revocation refuses earlier times and its own
	Ticket          string    // makes the grant usable once, see NewTicket
	Challenge       string    // hash of the verifier that the client must show, or ""
	ClientInstance  string    // client object that asked, which replaces its own earlier connection, or ""
	SignIn          string    // sign-in with which the connection ends, see ValidSignIn, or ""
	Moderator       bool      // the user may delete anybody's messages
	ReadOnly        []string  // those of Rooms, in their order, in which the user only reads
}

// NewTicket returns a fresh ticket for one grant.
func NewTicket() string {
	var random [ticketBytes]byte
	_, _ = rand.Read(random[:]) // crypto/rand.Read never fails: the program ends instead.
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// Values returns the parameters of g, without those of the signature.
func (g Grant) Values() url.Values {
	values := url.Values{
		paramVersion:         {version},
		paramSubject:         {g.Subject},
		paramName:            {base64.RawURLEncoding.EncodeToString([]byte(g.Name))},
		paramRooms:           {strings.Join(g.Rooms, ".")},
		paramIssuedAt:        {seconds(g.IssuedAt)},
		paramExpiresAt:       {seconds(g.ExpiresAt)},
		paramSessionEndsAt:   {seconds(g.SessionEndsAt)},
		paramAuthenticatedAt: {seconds(g.AuthenticatedAt)},
		paramTicket:          {g.Ticket},
	}
	for name, value := range map[string]string{
		paramChallenge: g.Challenge, paramClientInstance: g.ClientInstance, paramSignIn: g.SignIn,
		paramReadOnly: strings.Join(g.ReadOnly, "."),
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if g.Moderator {
		values.Set(paramModerator, moderator)
	}
	return values
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// String returns a text without the ticket and the challenge, so that a grant can be printed.
func (g Grant) String() string { return "grant of " + strconv.Itoa(len(g.Rooms)) + " rooms" }

// LogValue implements slog.LogValuer with the same text as String.
func (g Grant) LogValue() slog.Value { return slog.StringValue(g.String()) }
