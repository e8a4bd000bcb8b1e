// Package userid makes the ids of users. signurl makes them, and the reaper for an operator's command; all other code
// takes ids as they are.
//
// An id has one of three forms:
//
//	<sub>                the sub claim itself, if it is [A-Za-z0-9_-]{1,64} and begins with neither prefix below
//	h--<32 characters>   every other sub claim: base64url of HMAC-SHA-256(stack id, issuer || 0x00 || sub)
//	guest-<26 letters>   a guest, who has not signed in: a-z and 2-7
//
// Two users never share an id: a sub claim that looks like the second or third form is hashed. The key of the hash is
// the id of the stack, which users do not see. Guests have no account, so they share one limit, that of the Pool.
package userid

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// Pool is the id under which all guests are counted, and by which an operator revokes all of them. No guest has
	// this id, and no grant may name it.
	Pool = guestPrefix + "pool"
	// MaxSubBytes is the longest sub claim, as in OpenID Connect.
	MaxSubBytes = 255

	guestPrefix = "guest-"
	hashPrefix  = "h--"

	maxBytes      = 64 // of an id
	hashLength    = 32 // characters of base64url, 192 bits
	guestLength   = 26 // letters of base32, 130 bits
	nameLength    = 6  // letters of a guest's name behind the prefix
	shortLength   = 8  // characters of a user's id that stand in for a missing name
	logHashLength = 16 // characters of base64url, 96 bits

	guestContext = "signedsocket guest"
	guestLetters = "abcdefghijklmnopqrstuvwxyz234567"
)

// From returns the id of the user whom an issuer calls sub. It needs a sub that ValidSub accepts.
func From(stackID, issuer, sub string) string {
	if IsWord(sub, maxBytes) && !reserved(sub) {
		return sub
	}
	hash := hmac.New(sha256.New, []byte(stackID))
	hash.Write([]byte(issuer + "\x00" + sub))
	return hashPrefix + base64.RawURLEncoding.EncodeToString(hash.Sum(nil))[:hashLength]
}

// Old returns the user's id in versions before this package. Connections and marks of those versions have it.
func Old(issuer, sub string) string {
	if IsWord(sub, maxBytes) && !strings.HasPrefix(sub, guestPrefix) {
		return sub
	}
	digest := sha256.Sum256([]byte(issuer + sub))
	return base64.RawURLEncoding.EncodeToString(digest[:])[:hashLength]
}

// Guest returns the id of the guest who holds a secret. The secret cannot be found from the id.
func Guest(secret [32]byte) string {
	digest := sha256.Sum256(append([]byte(guestContext+"\x00"), secret[:]...))
	return guestPrefix + strings.ToLower(base32.StdEncoding.EncodeToString(digest[:])[:guestLength])
}

// NewGuest returns a random id, for a guest without a secret.
func NewGuest() string { return guestPrefix + strings.ToLower(rand.Text()) }

// Valid reports whether s is the id of one user or guest: in one of the three forms. The Pool is not.
func Valid(s string) bool {
	if digits, ok := strings.CutPrefix(s, hashPrefix); ok {
		return len(digits) == hashLength && IsWord(digits, hashLength)
	}
	if letters, ok := strings.CutPrefix(s, guestPrefix); ok {
		return len(letters) == guestLength && strings.Trim(letters, guestLetters) == ""
	}
	return IsWord(s, maxBytes)
}

// Hashed reports whether an id is of the second form.
func Hashed(id string) bool { return strings.HasPrefix(id, hashPrefix) && Valid(id) }

// ValidSub reports whether s can be the sub claim of a user: 1 to MaxSubBytes bytes of UTF-8 without control
// characters.
func ValidSub(s string) bool {
	return len(s) >= 1 && len(s) <= MaxSubBytes && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// IsGuest reports whether an id is that of a guest, or of the Pool.
func IsGuest(id string) bool { return strings.HasPrefix(id, guestPrefix) }

// CountedAs returns the id under which the connections of a user are counted: the Pool for a guest, else the user's
// own.
func CountedAs(id string) string {
	if IsGuest(id) {
		return Pool
	}
	return id
}

// Name returns the display name of a user without one: a short form of the id.
func Name(id string) string {
	if IsGuest(id) {
		return id[:min(len(id), len(guestPrefix)+nameLength)]
	}
	id = strings.TrimPrefix(id, hashPrefix)
	return id[:min(len(id), shortLength)]
}

// FromOperator returns the ids for the value that an operator gives for a user: an id of a guest, of the Pool or of the
// hashed form stands for itself, everything else is a sub claim. old is the id of older versions, or "" if it is the
// same.
func FromOperator(stackID, issuer, value string) (id, old string) {
	if value == Pool || reserved(value) && Valid(value) {
		return value, ""
	}
	return Forms(stackID, issuer, value)
}

// FromRequest returns the ids of the user whom an operator's request names, either by user, as in FromOperator, or by
// sub, a sub claim in any form. old is the id of older versions, or "" if there is none of this user.
func FromRequest(stackID, issuer, user, sub string) (id, old string, err error) {
	switch {
	case (user == "") == (sub == ""):
		return "", "", errors.New(`name the user by either "user" or "sub"`)
	case !ValidSub(user + sub):
		return "", "", errors.New("a sub has 1 to 255 bytes and no control characters")
	case sub != "":
		id, old = Forms(stackID, issuer, sub)
	default:
		id, old = FromOperator(stackID, issuer, user)
	}
	if Hashed(old) {
		old = "" // today this is the id of another user
	}
	return id, old, nil
}

// Forms returns From and, if it is another id, Old.
func Forms(stackID, issuer, sub string) (id, old string) {
	id, old = From(stackID, issuer, sub), Old(issuer, sub)
	if old == id {
		return id, ""
	}
	return id, old
}

// LogAttr returns an attribute that finds the lines about one user and does not tell the id: "subHash", the beginning
// of base64url(SHA-256(salt, 0x00, id)). The salt gives a user another hash in another deployment; functions take the
// name of their table.
func LogAttr(salt, id string) slog.Attr {
	digest := sha256.Sum256([]byte(salt + "\x00" + id))
	return slog.String("subHash", base64.RawURLEncoding.EncodeToString(digest[:])[:logHashLength])
}

// reserved reports whether a sub claim could be taken for an id that is not a sub claim.
func reserved(sub string) bool {
	if strings.HasPrefix(sub, guestPrefix) { // mutate:ids-like-guests
		return true
	}
	return strings.HasPrefix(sub, hashPrefix) // mutate:ids-like-hashes => return false
}

// IsWord reports whether s is one to longest letters, digits, _ and -, the characters of base64url.
func IsWord(s string, longest int) bool {
	return len(s) >= 1 && len(s) <= longest && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}
