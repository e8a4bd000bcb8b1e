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

	"signedsocket/shared/broadcast"
	"signedsocket/shared/connections"
	"signedsocket/shared/function"
	"signedsocket/shared/logging"
)

// answerMargin is the time kept for the work after the posts: Lambda kills an invocation that reaches its deadline.
const answerMargin = 2 * time.Second

// errIncomplete makes Lambda invoke the function again with the same segment. Clients that have the frame drop the
// second copy.
var errIncomplete = errors.New("some members did not get the message")

// broadcaster posts a frame to connections; broadcast.Broadcaster does.
type broadcaster interface {
	Deliver(
		ctx context.Context, origin broadcast.Origin, frame []byte, pages iter.Seq2[[]connections.Member, error],
	) (broadcast.Result, error)
	ExpelSlow(ctx context.Context, log *slog.Logger, r broadcast.Result)
	CleanUp(ctx context.Context, log *slog.Logger, r broadcast.Result)
}

type handler struct {
	log         *slog.Logger
	stack       string
	broadcaster broadcaster
	now         func() time.Time
}

// handle posts the frame of a segment to its members. It returns an error if the event is no segment, or if no
// member took the frame. If the message is not stored, one connected member without the frame is enough.
func (h *handler) handle(ctx context.Context, event jsontext.Value) (err error) {
	defer logging.Recover(ctx, h.log, &err)
	part, err := broadcast.DecodeSegment(event)
	if err != nil {
		h.log.ErrorContext(ctx, "segment refused", slog.Any("error", err))
		return err
	}
	log := h.log.With(slog.String("broadcastId", part.BroadcastID))
	if err := h.deliver(ctx, log, part); err != nil {
		log.ErrorContext(ctx, "segment failed", slog.Any("error", err))
		return err
	}
	return nil
}

func (h *handler) deliver(ctx context.Context, log *slog.Logger, part broadcast.Segment) error {
	posting, cancel := function.Before(ctx, answerMargin)
	defer cancel()
	origin := broadcast.Origin{ID: part.BroadcastID, Room: part.Room, Arrived: part.SentAt}
	done, err := h.broadcaster.Deliver(posting, origin, part.Frame, onePage(part.Members))
	if err != nil {
		return err
	}
	h.log.InfoContext(ctx, "broadcast", done.Attr(h.stack, origin, 0, h.now()))
	h.broadcaster.ExpelSlow(ctx, log, done)
	h.broadcaster.CleanUp(ctx, log, done)
	if isStored(part.Frame) && done.Delivered > 0 { // mutate:fanout-stored
		return nil // those that missed it read the message in the history
	}
	if missed := done.Missed(); missed > 0 {
		return fmt.Errorf("%w: %d of %d did not: %w", errIncomplete, missed, done.Recipients, done.Failure)
	}
	return nil
}

// isStored reports whether the log of the room has the message of a frame: then the frame has a number. During an
// update sendmessage may not store messages yet, or not any more.
func isStored(frame []byte) bool {
	var m struct {
		Seq int64 `json:"seq"`
	}
	return json.Unmarshal(frame, &m) == nil && m.Seq > 0
}

func onePage(members []connections.Member) iter.Seq2[[]connections.Member, error] {
	return func(yield func([]connections.Member, error) bool) { yield(members, nil) }
}
