package grant

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"signedsocket/shared/text"
	"signedsocket/shared/userid"
)

// Refusal is why a grant is not accepted: a short code for logs and metrics, such as "missing_exp" or "expired". It
// holds nothing that the client sent. Clients do not get it.
type Refusal string

// Error implements error.
func (r Refusal) Error() string { return "grant refused: " + string(r) }

// The refusals that concern no single parameter. Those that do are "missing_", "repeated_" or "malformed_" and the
// parameter's name.
const (
	UnknownParameter Refusal = "unknown_parameter" // a name that is neither ours nor X-Amz-*
	NotYetValid      Refusal = "not_yet_valid"     // issued in the future
	Expired          Refusal = "expired"           // too late
	WrongLifetime    Refusal = "wrong_lifetime"    // valid for no time, or for longer than a minute
	SessionOver      Refusal = "session_over"      // the session has ended already
)

const (
	maxLifetime = 60 * time.Second
	// maxSkew is how far signurl's clock may be ahead of connect's.
	maxSkew = 2 * time.Second
)

// Parse reads a grant from the query parameters of a handshake, in the multi-value form of API Gateway's event: every
// value of every name. It checks the shape only, not the times and not the signer. The error is a Refusal.
func Parse(parameters map[string][]string) (Grant, error) {
	for name := range parameters {
		if !known(name) { // mutate:grant-unknown-parameter
			return Grant{}, UnknownParameter
		}
	}
	read := reader{parameters: parameters}
	if read.one(paramVersion, func(s string) bool { return s == version }); read.refusal != "" {
		return Grant{}, read.refusal
	}
	grant := Grant{
		// mutate:grant-subject => Subject: read.one(paramSubject, userid.ValidSub),
		Subject:         read.one(paramSubject, userid.Valid),
		Name:            read.name(),
		Rooms:           strings.Split(read.one(paramRooms, validRoomList), "."),
		IssuedAt:        read.time(paramIssuedAt),
		ExpiresAt:       read.time(paramExpiresAt),
		SessionEndsAt:   read.time(paramSessionEndsAt),
		AuthenticatedAt: read.time(paramAuthenticatedAt),
		Ticket:          read.one(paramTicket, validTicket),
	}
	grant.Challenge = read.optional(paramChallenge, ValidChallenge)
	grant.ClientInstance = read.optional(paramClientInstance, ValidClientInstance)
	grant.SignIn = read.optional(paramSignIn, ValidSignIn)
	grant.Moderator = read.optional(paramModerator, func(s string) bool { return s == moderator }) != ""
	grant.ReadOnly = read.readOnly(grant.Rooms)
	if read.refusal != "" {
		return Grant{}, read.refusal
	}
	return grant, nil
}

// known reports whether a parameter may appear at all. The prefix is compared in AWS's own letter case: SigV4 knows no
// other.
func known(name string) bool {
	switch name {
	case paramVersion, paramSubject, paramName, paramRooms, paramIssuedAt, paramExpiresAt,
		paramSessionEndsAt, paramAuthenticatedAt, paramTicket, paramChallenge, paramClientInstance, paramSignIn,
		paramModerator, paramReadOnly:
		return true
	}
	return strings.HasPrefix(name, "X-Amz-")
}

// CheckTimes reports whether g may be used at now. The error is a Refusal.
func (g Grant) CheckTimes(now time.Time) error {
	lifetime := g.ExpiresAt.Sub(g.IssuedAt)
	switch {
	// mutate:grant-lifetime
	case lifetime <= 0, lifetime > maxLifetime: // wrong at any time, so this comes first
		return WrongLifetime
	case g.IssuedAt.After(now.Add(maxSkew)): // mutate:grant-issued-later
		return NotYetValid
	case now.After(g.ExpiresAt): // mutate:grant-expired
		return Expired
	case !g.SessionEndsAt.After(now): // mutate:grant-session-over
		return SessionOver
	}
	return nil
}

// reader takes values out of the parameters and remembers the first thing wrong with them.
type reader struct {
	parameters map[string][]string
	refusal    Refusal
}

// one returns the only value of a parameter, if valid says so, and else "".
func (r *reader) one(name string, valid func(string) bool) string {
	values := r.parameters[name]
	switch {
	case len(values) == 0:
		r.refuse("missing_", name)
	case len(values) > 1: // mutate:grant-repeated-parameter
		r.refuse("repeated_", name)
	case !valid(values[0]): // mutate:grant-malformed-parameter
		r.refuse("malformed_", name)
	default:
		return values[0]
	}
	return ""
}

// optional returns the only value of a parameter if there is one, like one, and else "".
func (r *reader) optional(name string, valid func(string) bool) string {
	if _, ok := r.parameters[name]; !ok {
		return ""
	}
	return r.one(name, valid)
}

func (r *reader) refuse(problem, name string) {
	if r.refusal == "" {
		r.refusal = Refusal(problem + name)
	}
}

func (r *reader) name() string {
	encoded := r.one(paramName, func(s string) bool {
		decoded, ok := decodeBase64(s)
		return ok && ValidName(string(decoded))
	})
	decoded, _ := decodeBase64(encoded)
	return string(decoded)
}

// readOnly returns those of these rooms in which the user only reads.
func (r *reader) readOnly(rooms []string) []string {
	list := r.optional(paramReadOnly, func(s string) bool {
		return areSome(strings.Split(s, "."), rooms) // mutate:grant-read-only => return true
	})
	if list == "" {
		return nil
	}
	return strings.Split(list, ".")
}

// areSome reports whether some is what is left of all after the removal of any elements.
func areSome(some, all []string) bool {
	for _, element := range some {
		i := slices.Index(all, element)
		if i < 0 {
			return false
		}
		all = all[i+1:]
	}
	return true
}

func (r *reader) time(name string) time.Time {
	value := r.one(name, validSeconds)
	s, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}

// validSeconds accepts a positive number of at most eleven digits in the one form that strconv.FormatInt writes.
func validSeconds(s string) bool {
	return len(s) >= 1 && len(s) <= 11 && s[0] != '0' &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// ValidName reports whether s can be a display name: one clean line of at most MaxNameBytes bytes.
func ValidName(s string) bool {
	clean, ok := text.CleanLine(s)
	return ok && clean == s && len(s) <= MaxNameBytes
}

// ValidRoom reports whether s can be the name of a room: [a-z0-9_-]{1,32}.
func ValidRoom(s string) bool {
	return userid.IsWord(s, maxRoomBytes) && s == strings.ToLower(s)
}

// ValidRooms reports whether a connection can be in these rooms: 1 to MaxRooms of them, all valid and all different.
func ValidRooms(rooms []string) bool {
	if len(rooms) == 0 || len(rooms) > MaxRooms {
		return false
	}
	for i, room := range rooms {
		if !ValidRoom(room) {
			return false
		}
		for _, earlier := range rooms[:i] {
			if earlier == room {
				return false
			}
		}
	}
	return true
}

func validRoomList(s string) bool { return ValidRooms(strings.Split(s, ".")) }

// ValidChallenge reports whether s is base64url of a SHA-256 digest: 43 characters.
func ValidChallenge(s string) bool {
	digest, ok := decodeBase64(s)
	return ok && len(digest) == challengeBytes
}

func validTicket(s string) bool {
	random, ok := decodeBase64(s)
	return ok && len(random) == ticketBytes
}

// ValidClientInstance reports whether s is base64url of 16 bytes: 22 characters.
func ValidClientInstance(s string) bool {
	random, ok := decodeBase64(s)
	return ok && len(random) == instanceBytes
}

// ValidSignIn reports whether s is 22 characters of base64url. A hash cut to that length is not the text of 16 bytes,
// so the last character may be any.
func ValidSignIn(s string) bool {
	_, ok := decodeBase64(s + "AA") // now each character stands for six whole bits
	return ok && len(s) == signInLength
}

// decodeBase64 reads unpadded base64url in its one form. The library alone skips line breaks, and takes several texts
// for the same bytes.
func decodeBase64(s string) ([]byte, bool) {
	decoded, err := base64.RawURLEncoding.DecodeString(s)
	return decoded, err == nil && base64.RawURLEncoding.EncodeToString(decoded) == s
}
