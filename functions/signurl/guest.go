package main

import (
	"encoding/base64"
	"fmt"
	"time"

	"signedsocket/shared/grant"
	"signedsocket/shared/userid"
)

// guestSecretBytes is the length of the secret that a guest keeps.
const guestSecretBytes = 32

// guestCaller returns the guest whose secret a request holds, or else a new guest. Guests do not authenticate; for
// revocation their time of authentication is now. No guest is a moderator.
func (c config) guestCaller(request signRequest, now time.Time) (caller, error) {
	if len(c.guestRooms) == 0 {
		return caller{}, fmt.Errorf("GuestRooms is empty: %w", errNotConfigured)
	}
	found := caller{
		userID: userid.NewGuest(), authenticatedAt: now,
		rooms: c.guestRooms, // mutate:guest-rooms => rooms: append(c.guestRooms, c.defaultRooms...),
	}
	if request.Guest != nil {
		secret, ok := guestSecret(*request.Guest)
		if !ok {
			return caller{}, fmt.Errorf("guest: %w", errBadRequest)
		}
		// mutate:guest-secret => found.userID, found.comesBack = userid.NewGuest(), len(secret) > 0
		found.userID, found.comesBack = userid.Guest(secret), true
	}
	found.name = userid.Name(found.userID)
	if request.Name != nil {
		name, ok := validName(*request.Name)
		if !ok {
			return caller{}, fmt.Errorf("name of the guest: %w", errBadRequest)
		}
		found.name = name
	}
	return found, nil
}

// guestSecret reads the secret of a guest: 43 characters, the one text of its bytes in base64url.
func guestSecret(text string) (secret [guestSecretBytes]byte, ok bool) {
	if !grant.ValidChallenge(text) { // of the same form
		return secret, false
	}
	n, err := base64.RawURLEncoding.Decode(secret[:], []byte(text))
	return secret, err == nil && n == len(secret)
}
