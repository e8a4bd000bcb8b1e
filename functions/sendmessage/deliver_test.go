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

func TestOneFailingRecipientStopsNobody(t *testing.T) {
	t.Parallel()
	for _, failure := range []error{errors.New("status 500"), callback.ErrThrottled, callback.ErrTooLarge} {
		t.Run(failure.Error(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.join("a=", "broken=", "b=", "c=", "d=")
			w.gateway.fail = func(id string, _ int) error {
				if id == "broken=" {
					return failure
				}
				return nil
			}
			w.handle("sendmessage", frame)
			for _, id := range []string{"a=", "b=", "c=", "d="} {
				if len(w.gateway.frames(id)) != 1 {
					t.Errorf("%s got %q", id, w.gateway.frames(id))
				}
			}
			w.endsWith(`"code":"partial_delivery"`)
			w.endsWith(`"clientId":"m1"`)
			if len(w.store.forgets) != 0 || !strings.Contains(w.log.String(), `"recipients":6,"delivered":5,"gone":0,"failed":1`) {
				t.Errorf("forgot %v\n%s", w.store.forgets, w.log)
			}
		})
	}
}

func TestPanicAboutOneRecipientStopsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("a=", "broken=", "c=")
	w.gateway.fail = func(id string, _ int) error {
		if id == "broken=" {
			panic("pop.secret")
		}
		return nil
	}
	w.handle("sendmessage", frame)
	w.endsWith(`"code":"partial_delivery"`)
	if len(w.gateway.frames("c=")) != 1 || strings.Contains(w.log.String(), "secret") {
		t.Errorf("c got %q\n%s", w.gateway.frames("c="), w.log)
	}
}

func TestGoneRecipientsAreForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("a=", "gone1=", "b=", "gone2=")
	w.gateway.fail = func(id string, _ int) error {
		if strings.HasPrefix(id, "gone") {
			return errGone
		}
		return nil
	}
	w.handle("sendmessage", frame)
	w.endsWith(`"recipients":5,"delivered":3,"gone":2}`)
	slices.Sort(w.store.forgets)
	if !slices.Equal(w.store.forgets, []string{"gone1=", "gone2="}) || len(w.store.members) != 2 {
		t.Errorf("forgot %v, left %v", w.store.forgets, w.store.members)
	}
	w.handle("sendmessage", frame)
	w.endsWith(`"recipients":3,"delivered":3,"gone":0}`)
}

func TestForgettingMayFail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("gone=")
	w.store.forgetErr = errors.New("no route to table")
	w.gateway.fail = func(id string, _ int) error {
		if id == "gone=" {
			return errGone
		}
		return nil
	}
	w.handle("sendmessage", frame)
	w.endsWith(`"gone":1}`)
	if !strings.Contains(w.log.String(), "forget failed") {
		t.Errorf("log:\n%s", w.log)
	}
}

func TestSenderWhoLeftIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("sender=", "a=")
	w.gateway.fail = func(id string, _ int) error {
		if id == "sender=" {
			return errGone
		}
		return nil
	}
	w.handle("sendmessage", frame)
	if got := w.gateway.frames("a="); len(got) != 1 || !slices.Equal(w.store.forgets, []string{"sender="}) {
		t.Errorf("the other got %q, forgot %v", got, w.store.forgets)
	}
}

func TestConnectionInItsHandshakeIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.join("a=")
		w.joinAt("young=", w.now.Add(-100*time.Millisecond))
		open := w.now.Add(500 * time.Millisecond)
		w.gateway.fail = func(id string, _ int) error {
			if id == "young=" && time.Now().Before(open) {
				return errGone
			}
			return nil
		}
		w.handle("sendmessage", frame)
		if got := w.gateway.frames("young="); len(got) != 1 || time.Since(open) > longestPause {
			t.Errorf("it got %q, %s after its handshake", got, time.Since(open))
		}
		w.endsWith(`"recipients":3,"delivered":3,"gone":0}`)
		if len(w.store.forgets) != 0 {
			t.Errorf("forgot %v", w.store.forgets)
		}
	})
}

func TestYoungConnectionIsNeverForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.joinAt("young=", w.now.Add(-handshakeTime+handshakeBudget+time.Millisecond))
		w.joinAt("old=", w.now.Add(-handshakeTime))
		w.gateway.fail = func(id string, _ int) error {
			if id != "sender=" {
				return errGone
			}
			return nil
		}
		w.handle("sendmessage", frame)
		if took := time.Since(w.now); took > handshakeBudget || w.gateway.calls["young="] < 5 || w.gateway.calls["old="] != 1 {
			t.Errorf("after %s: %v", took, w.gateway.calls)
		}
		w.endsWith(`"recipients":3,"delivered":1,"gone":2}`)
		if !slices.Equal(w.store.forgets, []string{"old="}) {
			t.Errorf("forgot %v", w.store.forgets)
		}
	})
}

func TestNobodyWaitsForHandshakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.h.concurrency = 2
		for i := range 5 {
			w.joinAt(fmt.Sprintf("young%d=", i), w.now)
		}
		w.join("a=")
		got := make(map[string]time.Duration)
		w.gateway.fail = func(id string, _ int) error {
			if strings.HasPrefix(id, "young") {
				return errGone
			}
			got[id] = time.Since(w.now)
			return nil
		}
		w.handle("sendmessage", frame)
		if got["a="] != 0 {
			t.Errorf("a recipient waited %s", got["a="])
		}
	})
}

func TestRecipientWhoDoesNotReadHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.join("hanging=", "a=", "b=", "c=")
		w.gateway.hold = func(ctx context.Context, id string) error {
			if id == "hanging=" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		w.handle("sendmessage", frame)
		if took := time.Since(w.now); took != postTimeout {
			t.Errorf("took %s, want %s", took, postTimeout)
		}
		w.endsWith(`"code":"partial_delivery"`)
	})
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
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if response, err := w.h.handle(ctx, event("sendmessage", frame)); err != nil || response.StatusCode != 200 || ctx.Err() != nil {
			t.Errorf("handle = %+v, %v; deadline passed: %v", response, err, ctx.Err())
		}
		w.endsWith(`"code":"partial_delivery"`)
	})
}

func TestPostsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.h.concurrency = 3
		for i := range 29 {
			w.join(fmt.Sprintf("c%d=", i))
		}
		w.gateway.hold = func(context.Context, string) error {
			<-time.After(time.Second) // of the bubble's time
			return nil
		}
		w.handle("sendmessage", frame)
		if took := time.Since(w.now); w.gateway.most != 3 || took != 11*time.Second {
			t.Errorf("%d posts at a time, %s for ten rounds and an ack", w.gateway.most, took)
		}
		w.endsWith(`"recipients":30,"delivered":30`)
	})
}

func TestPostsBeginBeforeTheRoomIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("a=", "b=", "c=", "on the second page=")
	first := make(chan struct{})
	w.gateway.hold = func(_ context.Context, id string) error {
		if id == "a=" {
			close(first)
		}
		return nil
	}
	w.store.beforePage = func(page int) {
		if page == 1 {
			<-first
		}
	}
	w.handle("sendmessage", frame)
	w.endsWith(`"recipients":5,"delivered":5`)
}
