package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/message"
)

// postTimeout is what a goodbye may cost: who does not read is closed without.
const postTimeout = 2 * time.Second

// errPending means that a connection may still be in its handshake: it cannot be closed yet.
var errPending = errors.New("handshake not answered yet")

// swept is what a sweep did.
type swept struct {
	Due     int `json:"due"`
	Closed  int `json:"closed"`  // and nothing left to do about them
	Pending int `json:"pending"` // left to the next sweep, because their handshake may still be under way
	Failed  int `json:"failed"`  // left to the next sweep, because of a fault
}

// count adds one outcome.
func (s *swept) count(err error) {
	switch {
	case err == nil:
		s.Closed++
	case errors.Is(err, errPending):
		s.Pending++
	default:
		s.Failed++
	}
}

// sweep closes all connections that are due. Whatever is not finished, is due again in the next sweep. The error is
// a fault in finding out who is due.
func (h *handler) sweep(ctx context.Context) (swept, error) {
	var (
		mu   sync.Mutex
		done swept
		jobs errgroup.Group
		err  error
	)
	jobs.SetLimit(h.concurrency)
	for page, failure := range h.connections.Due(ctx, h.now()) {
		err = failure
		done.Due += len(page)
		for _, due := range page {
			jobs.Go(func() error {
				failure := h.reap(ctx, due)
				mu.Lock()
				defer mu.Unlock()
				done.count(failure)
				return nil
			})
		}
	}
	_ = jobs.Wait() // no job returns an error
	h.log.InfoContext(ctx, "swept",
		slog.Int("due", done.Due), slog.Int("closed", done.Closed), slog.Int("pending", done.Pending), slog.Int("failed", done.Failed))
	return done, err
}

// reap closes one connection and forgets it. What says that it is due is removed last, so that a reaper that is
// killed leaves it to the next.
func (h *handler) reap(ctx context.Context, due connections.Sweep) (err error) {
	defer logging.Recover(ctx, h.log, &err)
	if err = h.hangUp(ctx, due); err == nil {
		_, err = h.connections.Forget(ctx, due.ConnectionID, time.Time{})
	}
	if err == nil {
		err = h.connections.Swept(ctx, due)
	}
	if err != nil && !errors.Is(err, errPending) {
		h.log.ErrorContext(ctx, "connection not closed", slog.String("connectionId", due.ConnectionID), slog.Any("error", err))
	}
	return err
}

// hangUp says goodbye to a connection and closes it. One that is gone already is no error. But until its
// handshake is answered, API Gateway says that of a connection which then opens; the error is errPending for as long
// as that can be. Who could be told goodbye has its handshake behind it, and may well have left upon it.
func (h *handler) hangUp(ctx context.Context, due connections.Sweep) error {
	heard := h.sayGoodbye(ctx, due)
	err := h.callback.Close(ctx, due.ConnectionID) // mutate:reaper-closes
	switch {
	case !errors.Is(err, callback.ErrGone):
		return err
	case !heard && h.now().Sub(due.ConnectedAt) < callback.HandshakeTime:
		return errPending
	default:
		return nil
	}
}

// sayGoodbye tells a client why it is closed, and reports whether it could be told. That it does not get to know is no
// fault. One that does not read is not told: its client is to come back, and a close without a goodbye has it do so.
func (h *handler) sayGoodbye(ctx context.Context, due connections.Sweep) bool {
	if due.Reason == connections.TooSlow {
		return false
	}
	frame, err := message.EncodeBye(message.Code(due.Reason))
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, postTimeout)
		defer cancel()
		err = h.callback.Post(ctx, due.ConnectionID, frame)
	}
	if err != nil && !errors.Is(err, callback.ErrGone) {
		h.log.WarnContext(ctx, "goodbye not delivered", slog.String("connectionId", due.ConnectionID), slog.Any("error", err))
	}
	return err == nil
}
