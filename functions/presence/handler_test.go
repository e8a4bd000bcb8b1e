package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"signedsocket/shared/broadcast"
	"signedsocket/shared/logging"
	"signedsocket/shared/presence"
)

var errBroken = errors.New("no route to table")

// fakeRooms has rooms of two members each. It is the cleaner, too.
type fakeRooms struct {
	watched []string
	listErr error
	tick    func(ctx context.Context, room string) (push bool, err error) // nil pushes in each room
	postErr error

	mu                      sync.Mutex
	ticked, posted, cleaned int
	expelled                int
}

func (f *fakeRooms) Watched(context.Context) (watched []presence.Watched, err error) {
	for _, room := range f.watched {
		watched = append(watched, presence.Watched{Room: room})
	}
	return watched, f.listErr
}

func (f *fakeRooms) Tick(ctx context.Context, room presence.Watched) (*presence.Push, error) {
	f.mu.Lock()
	f.ticked++
	f.mu.Unlock()
	if f.tick == nil {
		return new(presence.Push), nil
	}
	push, err := f.tick(ctx, room.Room)
	if !push {
		return nil, err
	}
	return new(presence.Push), err
}

func (f *fakeRooms) Post(context.Context, *presence.Push) (broadcast.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.posted++
	return broadcast.Result{Recipients: 2, Delivered: 1, Throttled: 1}, f.postErr
}

func (f *fakeRooms) ExpelSlow(_ context.Context, _ *slog.Logger, r broadcast.Result) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.expelled += r.Throttled
}

func (f *fakeRooms) CleanUp(_ context.Context, _ *slog.Logger, r broadcast.Result) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cleaned += r.Recipients
}

func newWorld(n int) (h *handler, f *fakeRooms, log *bytes.Buffer) {
	f, log = new(fakeRooms), new(bytes.Buffer)
	for i := range n {
		f.watched = append(f.watched, fmt.Sprint("r", i))
	}
	return &handler{log: logging.New(log), rooms: f, cleaner: f, now: time.Now}, f, log
}

func TestAllWatchedRoomsArePushed(t *testing.T) {
	t.Parallel()
	h, f, log := newWorld(30)
	f.tick = func(_ context.Context, room string) (bool, error) { return room != "r3", nil }
	if err := h.handle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f.ticked != 30 || f.posted != 29 || f.expelled != 29 || f.cleaned != 58 {
		t.Errorf("%+v", f)
	}
	for _, want := range []string{
		`"level":"INFO"`, `"watched":30`, `"pushed":29`, `"posts":58`, `"missed":29`, `"failed":0`, `"left":0`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%s is not in %s", want, log)
		}
	}
}

func TestARoomThatFailsDisturbsNoOther(t *testing.T) {
	t.Parallel()
	h, f, log := newWorld(20)
	f.tick = func(_ context.Context, room string) (bool, error) {
		switch room {
		case "r3":
			return false, errBroken
		case "r4":
			panic("pop.secret")
		}
		return true, nil
	}
	if err := h.handle(t.Context()); err != nil || f.posted != 18 {
		t.Errorf("err = %v, %d pushes", err, f.posted)
	}
	if got := log.String(); strings.Count(got, `"level":"ERROR"`) < 2 || !strings.Contains(got, `"room":"r3"`) ||
		!strings.Contains(got, `"failed":2`) || strings.Contains(got, "secret") {
		t.Errorf("log:\n%s", got)
	}
}

func TestMembersAreRemovedEvenIfThePushIsNotNoted(t *testing.T) {
	t.Parallel()
	h, f, log := newWorld(1)
	f.postErr = errBroken
	if err := h.handle(t.Context()); err != nil || f.cleaned != 2 || !strings.Contains(log.String(), `"failed":1`) {
		t.Errorf("err = %v, %+v, log:\n%s", err, f, log)
	}
}

func TestRoomsWithoutTimeAreLeftToTheNextTick(t *testing.T) {
	t.Parallel()
	h, f, log := newWorld(30)
	ctx, cancel := context.WithTimeout(t.Context(), answerMargin-time.Second)
	defer cancel()
	if err := h.handle(ctx); err != nil || f.ticked != 0 {
		t.Errorf("err = %v, %d rooms looked at", err, f.ticked)
	}
	if got := log.String(); !strings.Contains(got, `"left":30`) || !strings.Contains(got, `"level":"WARN"`) {
		t.Errorf("log:\n%s", got)
	}
}

func TestRoomsThatCannotBeListedAreAFault(t *testing.T) {
	t.Parallel()
	h, f, log := newWorld(1)
	f.listErr = errBroken
	if err := h.handle(t.Context()); !errors.Is(err, errBroken) || !strings.Contains(log.String(), `"level":"ERROR"`) {
		t.Errorf("err = %v, log:\n%s", err, log)
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	good := map[string]string{"TABLE_NAME": "table", "CALLBACK_URL": "https://host/prod", "PRESENCE_LIMIT": "100"}
	if c, err := readConfig(good); err != nil || c.PresenceLimit != 100 || c.RoomShards != 1 || c.MemoryMB != 256 {
		t.Errorf("readConfig = %+v, %v", c, err)
	}
	_, err := readConfig(nil)
	for _, name := range []string{"TABLE_NAME", "CALLBACK_URL", "PRESENCE_LIMIT"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("err = %v, want all problems, %s among them", err, name)
		}
	}
	good["PRESENCE_LIMIT"], good["ROOM_SHARDS"] = "0", "0"
	_, err = readConfig(good)
	for _, name := range []string{"PRESENCE_LIMIT", "ROOM_SHARDS"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("err = %v, want all problems, %s among them", err, name)
		}
	}
}
