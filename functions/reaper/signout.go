package main

import (
	"cmp"
	"context"
	"errors"
	"time"

	"signedsocket/shared/connections"
	"signedsocket/shared/grant"
	"signedsocket/shared/userid"
)

// signOut is the request of a trusted caller, which signurl passes on: a user has signed out.
type signOut struct {
	User   string `json:"user"`   // user id
	SignIn string `json:"signIn"` // that is over
	Until  int64  `json:"until"`  // Unix seconds: the sign-in would have lasted until then
	By     string `json:"by"`     // the trusted caller's ARN, for the record
}

// signedOut is the answer to it.
type signedOut struct {
	Connections int    `json:"connections"` // that the sign-in had open, and that have been closed
	Pending     int    `json:"pending"`     // of them are left to the next sweeps
	By          string `json:"by,omitempty"`
}

// signOut ends a sign-in: it opens no more connections, and its connections are closed. The user's other connections
// stay.
func (h *handler) signOut(ctx context.Context, r signOut) (signedOut, error) {
	switch {
	case !userid.Valid(r.User):
		return signedOut{}, errors.New(`signOut needs the id of a "user"`)
	case !grant.ValidSignIn(r.SignIn):
		return signedOut{}, errors.New(`signOut needs a "signIn" of 22 characters of base64url`)
	case r.Until <= 0:
		return signedOut{}, errors.New(`signOut needs "until", in Unix seconds`)
	}
	order := connections.SignOut{Subject: r.User, SignIn: r.SignIn, Until: time.Unix(r.Until, 0), By: r.By}
	ids, err := h.connections.SignOut(ctx, order, h.now())
	if err != nil {
		return signedOut{}, err
	}
	expelled, err := h.expel(ctx, ids, connections.SignedOut)
	pending, failure := h.closeAll(ctx, expelled, signOutPatience)
	h.audit(ctx, "sign_out", r.User, cmp.Or(r.By, "trusted_caller"), "", len(expelled))
	return signedOut{Connections: len(expelled), Pending: pending, By: r.By}, errors.Join(err, failure)
}
