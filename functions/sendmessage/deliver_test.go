package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"signedsocket/shared/broadcast"
	"signedsocket/shared/callback"
)

const frame = `{"message":"hi","id":"m1"}`

// last returns the last frame that the sender got.
func (w *world) last() string {
	frames := w.gateway.frames("sender=")
	if len(frames) == 0 {
		return ""
	}
	return frames[len(frames)-1]
}

// endsWith wants the sender to be told so.
func (w *world) endsWith(part string) {
	w.t.Helper()
	if last := w.last(); !strings.Contains(last, part) {
		w.t.Errorf("the sender was told %s, want %s in it", last, part)
	}
}

// failFor fails all posts to connections whose id begins so.
func (w *world) failFor(prefix string, err error) {
	w.gateway.fail = func(id string, _ int) error {
		if strings.HasPrefix(id, prefix) {
			return err
		}
		return nil
	}
}

func TestAConnectedMemberWithoutTheMessageMakesItPartial(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("a=", "broken=", "b=")
	w.failFor("broken", errors.New("status 500"))
	w.handle("sendmessage", frame)
	w.endsWith(`"code":"partial_delivery"`)
	w.endsWith(`"clientId":"m1"`)
	if len(w.gateway.frames("b=")) != 1 || len(w.store.removed) != 0 {
		t.Errorf("b got %q, removed %v", w.gateway.frames("b="), w.store.removed)
	}
}

func TestGoneMembersAreAcknowledgedAndRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("a=", "gone1=", "b=", "gone2=")
	w.failFor("gone", errGone)
	w.handle("sendmessage", frame)
	w.endsWith(`"recipients":5,"delivered":3,"gone":2}`)
	slices.Sort(w.store.removed)
	if !slices.Equal(w.store.removed, []string{"gone1=", "gone2="}) {
		t.Errorf("removed %v", w.store.removed)
	}
	w.handle("sendmessage", frame)
	w.endsWith(`"recipients":3,"delivered":3,"gone":0}`)
}

func TestAYoungConnectionCountsAsGoneAndStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.joinAt("young=", w.now)
		w.failFor("young", errGone)
		w.handle("sendmessage", frame)
		w.endsWith(`"recipients":2,"delivered":1,"gone":1}`)
		if len(w.store.removed) != 0 {
			t.Errorf("removed %v", w.store.removed)
		}
	})
}

func TestAGoneSenderIsRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("sender=", "a=")
	w.failFor("sender", errGone)
	w.handle("sendmessage", frame)
	if got := w.gateway.frames("a="); len(got) != 1 || !slices.Equal(w.store.removed, []string{"sender="}) {
		t.Errorf("the other got %q, removed %v", got, w.store.removed)
	}
}

func TestSenderIsToldBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.join("hanging=")
		w.gateway.hold = func(ctx context.Context, id string) error {
			if id == "hanging=" {
				<-ctx.Done()
			}
			return ctx.Err()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if response, err := w.h.handle(ctx, event("sendmessage", frame)); err != nil || response.StatusCode != 200 ||
			ctx.Err() != nil {
			t.Errorf("handle = %+v, %v; deadline passed: %v", response, err, ctx.Err())
		}
		w.endsWith(`"code":"partial_delivery"`)
	})
}

// A line has the numbers of one message, and CloudWatch makes metrics of it.
func TestABroadcastIsOneLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.join("a=", "gone=", "b=", "slow=")
		w.gateway.fail = func(id string, earlier int) error {
			switch {
			case id == "gone=":
				return errGone
			case id == "slow=" && earlier == 0:
				return fmt.Errorf("post: %w", callback.ErrThrottled)
			}
			return nil
		}
		ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "request-1"})
		if _, err := w.h.handle(ctx, event("sendmessage", frame)); err != nil {
			t.Fatal(err)
		}
		line := ""
		for text := range strings.Lines(w.log.String()) {
			if strings.Contains(text, `"message":"broadcast"`) {
				line += text
			}
		}
		for _, want := range []string{
			`"broadcastId":"request-1"`, `"requestId":"request-1"`, `"room":"lobby"`, `"failed":0`, `"queued":0`,
			`"Stack":"test"`,
			`"Messages":1`, `"Recipients":5`, `"Delivered":4`, `"Gone":1`, `"Throttled":0`, `"Retried":1`,
			`"_aws":{"Timestamp":`,
		} {
			if !strings.Contains(line, want) {
				t.Errorf("%s is not in %s", want, line)
			}
		}
		if strings.Count(line, "\n") != 1 {
			t.Errorf("more or less than one line: %s", line)
		}
	})
}

// crowd adds members by number.
func (w *world) crowd(n int) {
	for i := range n {
		w.join(fmt.Sprintf("c%04d=", i))
	}
}

func TestLargeRoomsAreLeftToFanout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.h.threshold = 100
	w.crowd(100 + 2*broadcast.SegmentSize + 500)
	w.join("sender=")
	w.handle("sendmessage", frame)
	w.endsWith(`"recipients":2601,"delivered":101,"gone":0,"queued":2500}`)

	reached := make(map[string]int)
	for id, frames := range w.gateway.posted {
		reached[id] = len(frames)
	}
	sizes := []int{}
	for _, s := range w.fanout.segments {
		sizes = append(sizes, len(s.Members))
		if s.Room != "lobby" || string(s.Frame) != w.gateway.frames("sender=")[0] {
			t.Errorf("segment of room %s with %s", s.Room, s.Frame)
		}
		for _, m := range s.Members {
			reached[m.ConnectionID]++
		}
	}
	slices.Sort(sizes)
	if !slices.Equal(sizes, []int{500, broadcast.SegmentSize, broadcast.SegmentSize}) || len(w.gateway.posted) != 101 {
		t.Errorf("segments of %v, %d connections posted to", sizes, len(w.gateway.posted))
	}
	delete(reached, "sender=") // who also got the ack
	for id, times := range reached {
		if times != 1 {
			t.Errorf("%s is reached %d times", id, times)
		}
	}
	if len(reached) != 2600 {
		t.Errorf("%d members are reached", len(reached))
	}
}

func TestRoomsUpToTheThresholdAreNotLeftToFanout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.h.threshold = 10
	w.crowd(10)
	w.handle("sendmessage", frame)
	if w.endsWith(`"recipients":11,"delivered":11,"gone":0}`); len(w.fanout.segments) != 0 {
		t.Errorf("%d segments", len(w.fanout.segments))
	}
}

func TestASegmentThatLambdaRefusesIsPostedHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.h.threshold = 10
	w.fanout.err = errors.New("TooManyRequestsException")
	w.crowd(1500)
	w.handle("sendmessage", frame)
	w.endsWith(`"recipients":1501,"delivered":1501,"gone":0}`)
	if len(w.gateway.posted) != 1501 || strings.Count(w.log.String(), "segment not handed over") != 2 {
		t.Errorf("%d connections got it", len(w.gateway.posted))
	}
}

func TestNothingIsAcknowledgedWhenTheRoomCannotBeReadToItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.h.threshold = 1
	w.crowd(3)
	w.store.membersErr = errors.New("no route to table")
	w.fails("sendmessage", frame, w.store.membersErr)
	if got := w.gateway.frames("sender="); len(got) != 1 {
		t.Errorf("the sender got %q, want the message alone", got)
	}
}
