package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/userid"
)

// How long to wait between two tries to close a connection that may be in its handshake.
const (
	firstPause   = 20 * time.Millisecond
	longestPause = 500 * time.Millisecond
)

// revocation is an operator's request: who has to leave.
type revocation struct {
	User        string `json:"user"`        // user id, as frames show it, or else a sub claim
	Subject     string `json:"sub"`         // instead of it: the sub claim of the user's tokens, whatever it looks like
	BannedUntil *int64 `json:"bannedUntil"` // Unix seconds; 0 lifts a ban, and without it a ban stays as it is
}

// revoked is the answer to an operator.
type revoked struct {
	UserID      string `json:"userId"`
	Connections int    `json:"connections"` // that were open and have been closed
	// Pending are those of Connections whose handshake was not over in all this time. The next sweeps close them.
	Pending int `json:"pending"`
}

// userID returns the id of the user whom a request names.
func (h *handler) userID(r revocation) (string, error) {
	switch {
	case (r.User == "") == (r.Subject == ""):
		return "", errors.New(`revoke needs either "user" or "sub"`)
	case !userid.ValidSub(r.User + r.Subject):
		return "", errors.New("a sub has 1 to 255 bytes and no control characters")
	case r.Subject != "":
		return userid.From(h.stackID, h.issuer, r.Subject), nil
	}
	id, _ := userid.FromOperator(h.stackID, h.issuer, r.User)
	return id, nil
}

// revoke shuts a user out. First nothing lets the user in any more, then no message of the user's connections
// passes and none is sent to them, and then they are closed. When revoke returns, all of that has happened. An
// error says that some of it has not, and that the command should be repeated.
func (h *handler) revoke(ctx context.Context, r revocation) (revoked, error) {
	userID, err := h.userID(r)
	if err != nil {
		return revoked{}, err
	}
	order := connections.Revocation{Subject: userID}
	if r.BannedUntil != nil {
		order.BannedUntil = time.Unix(*r.BannedUntil, 0)
	}
	ids, err := h.connections.Revoke(ctx, order, h.now())
	if err != nil {
		return revoked{}, err
	}
	expelled, err := h.expel(ctx, ids)
	done := revoked{UserID: userID, Connections: len(expelled)}
	pending, failure := h.closeAll(ctx, expelled)
	done.Pending = pending
	h.log.WarnContext(ctx, "user revoked", userid.LogAttr(h.salt, userID), slog.Int("connections", done.Connections), slog.Int("pending", pending))
	return done, errors.Join(err, failure)
}

// expel takes connections out of the table, all of them before the first is closed. One after the other: each changes
// the same USER item, so that at the same time they would only be in each other's way.
func (h *handler) expel(ctx context.Context, ids []string) (expelled []connections.Sweep, err error) {
	var failures []error
	for _, id := range ids {
		sweep, known, err := h.connections.Expel(ctx, id, connections.Revoked, h.now())
		failures = append(failures, err)
		if known {
			expelled = append(expelled, sweep)
		}
	}
	return expelled, errors.Join(failures...)
}

// closeAll closes connections that have been expelled, each as soon as its handshake is over, so that not even a
// broadcast that was under way reaches it later. It returns how many it has to leave to a sweep.
func (h *handler) closeAll(ctx context.Context, expelled []connections.Sweep) (pending int, err error) {
	var failures []error
	for pause := firstPause; len(expelled) > 0; pause = min(2*pause, longestPause) {
		left, err := h.closeThose(ctx, expelled)
		failures = append(failures, err)
		if expelled = left; len(left) == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return len(left), errors.Join(failures...)
		case <-time.After(pause):
		}
	}
	return 0, errors.Join(failures...)
}

// closeThose tries once to close each of some connections, and returns those whose handshake may be under way.
func (h *handler) closeThose(ctx context.Context, expelled []connections.Sweep) (left []connections.Sweep, err error) {
	var mu sync.Mutex
	err = h.each(ctx, len(expelled), func(i int) error {
		err := h.hangUp(ctx, expelled[i])
		if errors.Is(err, errPending) {
			mu.Lock()
			defer mu.Unlock()
			left = append(left, expelled[i])
			return nil
		}
		if err != nil {
			return err
		}
		return h.connections.Swept(ctx, expelled[i])
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
