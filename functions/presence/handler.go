package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"signedsocket/shared/broadcast"
	"signedsocket/shared/function"
	"signedsocket/shared/logging"
	"signedsocket/shared/presence"
)

const (
	// answerMargin is the time kept for the work after the posts: Lambda kills an invocation that reaches its deadline.
	answerMargin = 3 * time.Second
	// roomsAtOnce is how many rooms are looked at at the same time.
	roomsAtOnce = 8
)

// rooms knows who is in the rooms; presence.Rooms does.
type rooms interface {
	Watched(ctx context.Context) ([]presence.Watched, error)
	Tick(ctx context.Context, room presence.Watched) (*presence.Push, error)
	Post(ctx context.Context, push *presence.Push) (broadcast.Result, error)
}

// cleaner removes members that are gone or do not read; broadcast.Broadcaster does.
type cleaner interface {
	ExpelSlow(ctx context.Context, log *slog.Logger, r broadcast.Result)
	CleanUp(ctx context.Context, log *slog.Logger, r broadcast.Result)
}

type handler struct {
	log     *slog.Logger
	rooms   rooms
	cleaner cleaner
	now     func() time.Time
}

// tick is one run of the function.
type tick struct {
	*handler
	posting context.Context // ends earlier than the invocation; a tick lives as long as that

	pushed, posts, missed, failed, left atomic.Int64
}

// handle looks at all watched rooms, whatever the event is. A room that fails disturbs no other one: it is logged, and
// the next tick looks at it again. Rooms for which there is no time are left to the next tick, too.
func (h *handler) handle(ctx context.Context) (err error) {
	defer logging.Recover(ctx, h.log, &err)
	started := h.now()
	posting, cancel := function.Before(ctx, answerMargin)
	defer cancel()
	watched, err := h.rooms.Watched(posting)
	if err != nil {
		h.log.ErrorContext(ctx, "presence failed", slog.Any("error", err))
		return err
	}
	// When the time is too short for all rooms, no room is always the last one.
	rand.Shuffle(len(watched), func(i, j int) { //nolint:gosec // an order is no secret
		watched[i], watched[j] = watched[j], watched[i]
	})
	t := &tick{handler: h, posting: posting}
	var jobs errgroup.Group
	jobs.SetLimit(roomsAtOnce)
	for _, room := range watched {
		jobs.Go(func() error {
			t.look(ctx, room)
			return nil
		})
	}
	_ = jobs.Wait() // no job returns an error
	t.report(ctx, len(watched), h.now().Sub(started))
	return nil
}

// look looks at one room, and pushes what has changed.
func (t *tick) look(ctx context.Context, room presence.Watched) {
	if t.posting.Err() != nil {
		t.left.Add(1)
		return
	}
	if err := t.push(ctx, room); err != nil {
		t.failed.Add(1)
		t.log.ErrorContext(ctx, "presence failed", slog.String("room", room.Room), slog.Any("error", err))
	}
}

func (t *tick) push(ctx context.Context, room presence.Watched) (err error) {
	defer logging.Recover(ctx, t.log, &err)
	push, err := t.rooms.Tick(t.posting, room)
	if err != nil || push == nil {
		return err
	}
	done, err := t.rooms.Post(t.posting, push)
	t.pushed.Add(1)
	t.posts.Add(int64(done.Recipients))
	t.missed.Add(int64(done.Throttled + done.Failed))
	t.cleaner.ExpelSlow(ctx, t.log, done)
	t.cleaner.CleanUp(ctx, t.log, done)
	return err
}

func (t *tick) report(ctx context.Context, watched int, took time.Duration) {
	level := slog.LevelInfo
	if t.left.Load() > 0 {
		level = slog.LevelWarn
	}
	t.log.Log(ctx, level, "presence", slog.Int("watched", watched), slog.Int64("pushed", t.pushed.Load()),
		slog.Int64("posts", t.posts.Load()), slog.Int64("missed", t.missed.Load()),
		slog.Int64("failed", t.failed.Load()), slog.Int64("left", t.left.Load()),
		slog.Int64("ms", took.Milliseconds()))
}
