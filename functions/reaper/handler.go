package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"signedsocket/shared/connections"
	"signedsocket/shared/function"
	"signedsocket/shared/logging"
)

// answerMargin is the time kept for the answer: Lambda kills an invocation that reaches its deadline.
const answerMargin = time.Second

// errUnknownEvent is the answer to an event that is neither the schedule's nor a request of an operator or of signurl.
var errUnknownEvent = errors.New(`unknown event: want that of a schedule, {"revoke":{"user":"…"}}, ` +
	`or {"signOut":{"user":"…","signIn":"…","until":…}}`)

// store lists the connections to close, and revokes users; connections.Store is one.
type store interface {
	Due(ctx context.Context, now time.Time) iter.Seq2[[]connections.Sweep, error]
	Finish(ctx context.Context, left []connections.Sweep, now time.Time) error
	RemoveSweep(ctx context.Context, sweep connections.Sweep) error
	Remove(ctx context.Context, connectionID string, connectedAt time.Time) (bool, error)
	Revoke(ctx context.Context, r connections.Revocation, now time.Time) (connectionIDs []string, err error)
	SignOut(ctx context.Context, o connections.SignOut, now time.Time) (connectionIDs []string, err error)
	Expel(
		ctx context.Context, connectionID string, reason connections.Reason, now time.Time,
	) (connections.Sweep, bool, error)
}

// closer closes connections; callback.Closer is one.
type closer interface {
	Close(ctx context.Context, ended connections.Sweep) error
}

type handler struct {
	log         *slog.Logger
	salt        string // of user ids in the log
	connections store
	closer      closer
	now         func() time.Time
	issuer      string // of the tokens by which users sign in, or ""
	stackID     string // key of the ids of some users
	concurrency int    // connections looked after at the same time, at least 1
}

// handle sweeps on the schedule's event, revokes on an operator's, and signs out on signurl's.
func (h *handler) handle(ctx context.Context, event jsontext.Value) (answer any, err error) {
	ctx, cancel := function.Before(ctx, answerMargin)
	defer cancel()
	answer, err = h.serve(ctx, event)
	if err != nil {
		h.log.ErrorContext(ctx, "reaper failed", slog.Any("error", err))
		return nil, err
	}
	return answer, nil
}

func (h *handler) serve(ctx context.Context, event jsontext.Value) (answer any, err error) {
	defer logging.Recover(ctx, h.log, &err)
	var kind struct {
		Source     string         `json:"source"`
		DetailType string         `json:"detail-type"`
		Revoke     jsontext.Value `json:"revoke"`
		SignOut    jsontext.Value `json:"signOut"`
	}
	if err := json.Unmarshal(event, &kind); err != nil {
		return nil, errUnknownEvent
	}
	switch {
	case kind.Revoke != nil:
		var request struct {
			Revoke revocation `json:"revoke"`
		}
		if err := json.Unmarshal(event, &request, json.RejectUnknownMembers(true)); err != nil {
			return nil, fmt.Errorf("read the request to revoke: %w", err)
		}
		return h.revoke(ctx, request.Revoke)
	case kind.SignOut != nil:
		var request struct {
			SignOut signOut `json:"signOut"`
		}
		if err := json.Unmarshal(event, &request, json.RejectUnknownMembers(true)); err != nil {
			return nil, fmt.Errorf("read the request to sign out: %w", err)
		}
		return h.signOut(ctx, request.SignOut)
	case kind.Source == "aws.events" && kind.DetailType == "Scheduled Event":
		return h.sweep(ctx)
	}
	return nil, errUnknownEvent
}
