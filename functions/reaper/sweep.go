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
)

// swept is the result of a sweep.
type swept struct {
	Due     int `json:"due"`
	Closed  int `json:"closed"`  // completely
	Pending int `json:"pending"` // left to the next sweep, because they may be in their handshake
	Failed  int `json:"failed"`  // left to the next sweep, because of a fault
}

// count adds one outcome.
func (s *swept) count(err error) {
	switch {
	case err == nil:
		s.Closed++
	case errors.Is(err, callback.ErrPending):
		s.Pending++
	default:
		s.Failed++
	}
}

// sweep closes all connections that are due. Connections that it cannot close are due again in the next sweep. The
// error is a fault in listing due connections, or in recording the progress.
func (h *handler) sweep(ctx context.Context) (swept, error) {
	var (
		mu   sync.Mutex
		done swept
		left []connections.Sweep
		jobs errgroup.Group
		err  error
	)
	jobs.SetLimit(h.concurrency)
	now := h.now()
	for page, failure := range h.connections.Due(ctx, now) {
		err = failure
		done.Due += len(page)
		for _, due := range page {
			jobs.Go(func() error {
				failure := h.reap(ctx, due)
				mu.Lock()
				defer mu.Unlock()
				done.count(failure)
				if failure != nil {
					left = append(left, due)
				}
				return nil
			})
		}
	}
	_ = jobs.Wait() // no job returns an error
	if err == nil {
		err = h.connections.Finish(ctx, left, now)
	}
	h.log.InfoContext(ctx, "swept",
		slog.Int("due", done.Due), slog.Int("closed", done.Closed), slog.Int("pending", done.Pending),
		slog.Int("failed", done.Failed))
	return done, err
}

// reap closes one connection and removes its records. It removes the SWEEP item last, so that the next sweep continues
// the work of a killed one.
func (h *handler) reap(ctx context.Context, due connections.Sweep) (err error) {
	defer logging.Recover(ctx, h.log, &err)
	if err = h.closer.Close(ctx, due); err == nil {
		_, err = h.connections.Remove(ctx, due.ConnectionID, time.Time{})
	}
	if err == nil {
		err = h.connections.RemoveSweep(ctx, due)
	}
	if err != nil && !errors.Is(err, callback.ErrPending) {
		h.log.ErrorContext(ctx, "connection not closed", slog.String("connectionId", due.ConnectionID),
			slog.Any("error", err))
	}
	return err
}
