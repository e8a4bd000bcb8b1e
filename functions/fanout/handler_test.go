package main

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"signedsocket/shared/broadcast"
	"signedsocket/shared/connections"
	"signedsocket/shared/function"
	"signedsocket/shared/logging"
)

// fakeBroadcaster delivers with a given result.
type fakeBroadcaster struct {
	result  broadcast.Result
	broken  bool // panics
	frame   string
	members []connections.Member
	left    time.Duration // until the posts' deadline
	dropped bool
	cleaned bool
}

func (f *fakeBroadcaster) Deliver(
	ctx context.Context, _ broadcast.Origin, frame []byte, pages iter.Seq2[[]connections.Member, error],
) (broadcast.Result, error) {
	if f.broken {
		panic("pop.secret")
	}
	f.frame = string(frame)
	for page, err := range pages {
		f.members = append(f.members, page...)
		if err != nil {
			return f.result, err
		}
	}
	if deadline, ok := ctx.Deadline(); ok {
		f.left = time.Until(deadline)
	}
	return f.result, nil
}

func (f *fakeBroadcaster) ExpelSlow(context.Context, *slog.Logger, broadcast.Result) {
	f.dropped = true
}

func (f *fakeBroadcaster) CleanUp(context.Context, *slog.Logger, broadcast.Result) {
	f.cleaned = f.dropped
}

func newWorld(result broadcast.Result) (h *handler, b *fakeBroadcaster, log *bytes.Buffer) {
	b, log = &fakeBroadcaster{result: result}, new(bytes.Buffer)
	return &handler{
		log: logging.New(log), stack: "test", broadcaster: b,
		now: func() time.Time { return time.UnixMilli(1795327200623) },
	}, b, log
}

func exampleSegment() broadcast.Segment {
	return broadcast.Segment{
		Frame: []byte(`{"type":"message"}`), Room: "lobby", SentAt: time.UnixMilli(1795327200123).UTC(),
		BroadcastID: "request-1",
		Members: []connections.Member{
			{ConnectionID: "a=", ConnectedAt: time.UnixMilli(1).UTC()},
			{ConnectionID: "b=", ConnectedAt: time.UnixMilli(2).UTC()},
		},
	}
}

func event(t *testing.T) []byte { return eventOf(t, `{"type":"message"}`) }

// eventOf returns an event with a frame for the members of the example.
func eventOf(t *testing.T, frame string) []byte {
	t.Helper()
	segment := exampleSegment()
	segment.Frame = []byte(frame)
	data, err := segment.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestASegmentIsPostedToItsMembers(t *testing.T) {
	t.Parallel()
	h, b, log := newWorld(broadcast.Result{Recipients: 2, Delivered: 1, Gone: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := h.handle(ctx, event(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(exampleSegment().Members, b.members); diff != "" || b.frame != `{"type":"message"}` ||
		!b.cleaned {
		t.Errorf("frame %s, cleaned up: %t, members (-want +got):\n%s", b.frame, b.cleaned, diff)
	}
	if b.left > 10*time.Second-answerMargin {
		t.Errorf("the posts may take %s", b.left)
	}
	for _, want := range []string{
		`"broadcastId":"request-1"`, `"room":"lobby"`, `"Messages":0`, `"Recipients":2`,
		`"FanoutTime":500`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%s is not in %s", want, log)
		}
	}
}

func TestAMissedMemberOfAStoredMessageIsNoFailure(t *testing.T) {
	t.Parallel()
	h, b, log := newWorld(broadcast.Result{Recipients: 2, Delivered: 1, Failed: 1, Failure: errors.New("status 500")})
	if err := h.handle(t.Context(), eventOf(t, `{"type":"message","seq":7}`)); err != nil || !b.cleaned {
		t.Errorf("err = %v, cleaned up: %t", err, b.cleaned)
	}
	if !strings.Contains(log.String(), `"failed":1`) {
		t.Errorf("the log does not say that a member missed it:\n%s", log)
	}
}

func TestAStoredMessageThatNoMemberTookIsAFailure(t *testing.T) {
	t.Parallel()
	reason := errors.New("status 403")
	h, _, _ := newWorld(broadcast.Result{Recipients: 2, Failed: 2, Failure: reason})
	err := h.handle(t.Context(), eventOf(t, `{"type":"message","seq":7}`))
	if !errors.Is(err, errIncomplete) || !errors.Is(err, reason) {
		t.Errorf("err = %v", err)
	}
}

func TestAMissedMemberMakesTheSegmentFail(t *testing.T) {
	t.Parallel()
	reason := errors.New("status 500")
	h, b, log := newWorld(broadcast.Result{Recipients: 2, Delivered: 1, Failed: 1, Failure: reason})
	if err := h.handle(t.Context(), event(t)); !errors.Is(err, errIncomplete) || !errors.Is(err, reason) || !b.cleaned {
		t.Errorf("err = %v, cleaned up: %t", err, b.cleaned)
	}
	if !strings.Contains(log.String(), `"level":"ERROR"`) {
		t.Errorf("log:\n%s", log)
	}
}

func TestAnEventThatIsNoSegmentFails(t *testing.T) {
	t.Parallel()
	h, b, _ := newWorld(broadcast.Result{})
	if err := h.handle(t.Context(), []byte(`{"members":[{"id":"victim="}]}`)); err == nil || b.frame != "" {
		t.Errorf("err = %v, posted %q", err, b.frame)
	}
}

func TestPanicIsAFailure(t *testing.T) {
	t.Parallel()
	h, b, log := newWorld(broadcast.Result{})
	b.broken = true
	if err := h.handle(t.Context(), event(t)); !errors.Is(err, logging.ErrPanic) ||
		strings.Contains(log.String(), "secret") {
		t.Errorf("err = %v, log:\n%s", err, log)
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	_, err := function.Read[config](nil)
	for _, name := range []string{"TABLE_NAME", "CALLBACK_URL", "STACK_NAME"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("err = %v, want all problems, %s among them", err, name)
		}
	}
}
