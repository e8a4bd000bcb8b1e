package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/userid"
)

// How long to wait between two tries to close a connection that may be in its handshake.
const (
	firstPause   = 20 * time.Millisecond
	longestPause = 500 * time.Millisecond
	// A revocation waits until all handshakes are over. A user waits for a sign-out, so a sign-out leaves connections
	// in their handshake to the next sweep.
	revokePatience  = callback.HandshakeTime + time.Second
	signOutPatience = 2 * time.Second
)

// revocation is an operator's request to revoke a user.
type revocation struct {
	User        string `json:"user"`        // user id, as frames show it, or else a sub claim
	Subject     string `json:"sub"`         // instead of User: the sub claim of the user's tokens, in any form
	Issuer      string `json:"iss"`         // of the sub claim, unless it is the one of this stack
	BannedUntil *int64 `json:"bannedUntil"` // Unix seconds; 0 lifts a ban, and without it a ban stays as it is
	AtLeast     bool   `json:"atLeast"`     // an earlier ban that lasts longer stays as it is
	By          string `json:"by"`          // the operator's ARN, as the command claims it, for the record
	Why         string `json:"why"`         // for the record
}

// revoked is the answer to an operator.
type revoked struct {
	UserID      string `json:"userId"`
	OldUserID   string `json:"oldUserId,omitempty"` // of the same user in older versions, revoked as well
	Connections int    `json:"connections"`         // that were open and have been closed
	// Pending are those of Connections whose handshake was not over in all this time. The next sweeps close them.
	Pending int    `json:"pending"`
	By      string `json:"by,omitempty"`
}

// revoke revokes a user: it writes the ban, expels the user's connections, and closes them. When revoke returns without
// an error, all of that has happened. After an error the operator should repeat the command.
func (h *handler) revoke(ctx context.Context, r revocation) (revoked, error) {
	id, old, err := userid.FromRequest(h.stackID, cmp.Or(r.Issuer, h.issuer), r.User, r.Subject)
	if err != nil {
		return revoked{}, fmt.Errorf("revoke: %w", err)
	}
	var ids []string
	var failures []error
	for _, subject := range []string{id, old} {
		if subject == "" {
			continue
		}
		order := connections.Revocation{Subject: subject, AtLeast: r.AtLeast, By: r.By, Why: r.Why}
		if r.BannedUntil != nil {
			order.BannedUntil = time.Unix(*r.BannedUntil, 0)
		}
		found, err := h.connections.Revoke(ctx, order, h.now())
		failures = append(failures, err) // the ban may be written all the same, so the rest follows
		ids = append(ids, found...)
	}
	expelled, err := h.expel(ctx, ids, connections.Revoked)
	pending, failure := h.closeAll(ctx, expelled, revokePatience)
	h.audit(ctx, r.action(h.now()), id, r.By, r.Why, len(expelled))
	return revoked{UserID: id, OldUserID: old, Connections: len(expelled), Pending: pending,
		By: r.By}, errors.Join(append(failures, err, failure)...)
}

// action returns the name of the request in the audit log.
func (r revocation) action(now time.Time) string {
	switch {
	case r.BannedUntil == nil:
		return "revoke"
	case time.Unix(*r.BannedUntil, 0).After(now):
		return "ban"
	default:
		return "unban"
	}
}

// audit logs the revocation.
func (h *handler) audit(ctx context.Context, action, userID, by, why string, ended int) {
	logging.Audit(ctx, h.log, logging.Act{
		Action: action, By: cmp.Or(by, "unknown"), User: userid.LogAttr(h.salt, userID), Why: why, Connections: ended,
	})
}

// expel removes connections from the table, all of them before the first is closed. It removes one after the other,
// because each removal changes the same USER item.
func (h *handler) expel(
	ctx context.Context, ids []string, reason connections.Reason,
) (expelled []connections.Sweep, err error) {
	var failures []error
	for _, id := range ids {
		sweep, known, err := h.connections.Expel(ctx, id, reason, h.now())
		failures = append(failures, err)
		if known {
			expelled = append(expelled, sweep)
		}
	}
	return expelled, errors.Join(failures...)
}

// closeAll closes expelled connections, each as soon as its handshake is over, so that not even a running broadcast
// reaches it later. It returns the number of connections that it leaves to a sweep, because ctx or its time has ended.
func (h *handler) closeAll(
	ctx context.Context, expelled []connections.Sweep, patience time.Duration,
) (pending int, err error) {
	var failures []error
	over := h.now().Add(patience)
	for pause := firstPause; len(expelled) > 0; pause = min(2*pause, longestPause) {
		left, err := h.closeThose(ctx, expelled)
		failures = append(failures, err)
		if expelled = left; len(left) == 0 {
			break
		}
		if h.now().After(over) {
			return len(left), errors.Join(failures...)
		}
		select {
		case <-ctx.Done():
			return len(left), errors.Join(failures...)
		case <-time.After(pause):
		}
	}
	return 0, errors.Join(failures...)
}

// closeThose tries once to close each connection, and returns those that may be in their handshake.
func (h *handler) closeThose(ctx context.Context, expelled []connections.Sweep) (left []connections.Sweep, err error) {
	var mu sync.Mutex
	err = h.each(ctx, len(expelled), func(i int) error {
		err := h.closer.Close(ctx, expelled[i])
		if errors.Is(err, callback.ErrPending) {
			mu.Lock()
			defer mu.Unlock()
			left = append(left, expelled[i])
			return nil
		}
		if err != nil {
			return err
		}
		return h.connections.RemoveSweep(ctx, expelled[i])
	})
	return left, err
}

// each calls do for 0 to n-1, a limited number of them at the same time, and returns the first error after all have
// ended.
func (h *handler) each(ctx context.Context, n int, do func(i int) error) error {
	var jobs errgroup.Group
	jobs.SetLimit(h.concurrency)
	for i := range n {
		jobs.Go(func() (err error) {
			defer logging.Recover(ctx, h.log, &err)
			return do(i)
		})
	}
	return jobs.Wait()
}
