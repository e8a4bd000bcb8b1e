package broadcast

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
)

func TestEachRecipientGetsTheFrameOnce(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.crowd(100)
	if got := r.deliver(t.Context()); got.Delivered != 100 || got.Pages != 34 || got.Retried != 0 || !got.Complete() {
		t.Errorf("%+v", got)
	}
	for id, frames := range r.gateway.frames {
		if frames != 1 {
			t.Errorf("%s got %d frames", id, frames)
		}
	}
	if len(r.gateway.frames) != 100 || r.gateway.most > r.Concurrency {
		t.Errorf("%d connections got it, with %d posts at a time", len(r.gateway.frames), r.gateway.most)
	}
}

func TestAFailingRecipientStopsNoOther(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		failure           error
		throttled, failed int
	}{
		"a fault":     {errors.New("status 403"), 0, 1},
		"too large":   {callback.ErrTooLarge, 0, 1},
		"throttled":   {errThrottled, 1, 0},
		"unavailable": {errUnavailable, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inRoom(t, func(t *testing.T, r *room) {
				r.join("a", "broken", "b", "c", "d")
				r.gateway.fails(test.failure, "broken")
				got := r.deliver(t.Context())
				if got.Delivered != 4 || got.Throttled != test.throttled || got.Failed != test.failed ||
					got.Complete() != (test.failed == 0) || !errors.Is(got.Failure, test.failure) {
					t.Errorf("%+v", got)
				}
				if len(r.table.removed) != 0 {
					t.Errorf("removed %v", r.table.removed)
				}
			})
		})
	}
}

func TestAPanicAboutARecipientStopsNoOther(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.join("a", "broken", "c")
	r.gateway.answer = func(_ context.Context, id string, _ int) error {
		if id == "broken" {
			panic("pop.secret")
		}
		return nil
	}
	if got := r.deliver(t.Context()); got.Delivered != 2 || got.Failed != 1 ||
		strings.Contains(r.log.String(), "secret") {
		t.Errorf("%+v\n%s", got, r.log)
	}
}

func TestAPostThatFailsOnceIsRepeated(t *testing.T) {
	t.Parallel()
	for _, failure := range []error{errThrottled, errUnavailable} {
		inRoom(t, func(t *testing.T, r *room) {
			r.crowd(30)
			r.gateway.answer = func(_ context.Context, id string, earlier int) error {
				if strings.HasSuffix(id, "7") && earlier < 3 {
					return failure
				}
				return nil
			}
			got := r.deliver(t.Context())
			if got.Delivered != 30 || got.Retried != 9 || r.gateway.again != 9 || time.Since(r.began) > patience {
				t.Errorf("%v: %+v after %s, %d by the SDK's quota", failure, got, time.Since(r.began), r.gateway.again)
			}
		})
	}
}

func TestNoPostIsRepeatedBeyondTheSDKsQuota(t *testing.T) {
	t.Parallel()
	inRoom(t, func(t *testing.T, r *room) {
		r.gateway.noMore = true
		r.join("a", "throttled")
		r.gateway.fails(errThrottled, "throttled")
		if got := r.deliver(t.Context()); got.Throttled != 1 || r.gateway.calls["throttled"] != 1 ||
			len(r.table.drops) != 0 {
			t.Errorf("%+v, %d posts, dropped %v", got, r.gateway.calls["throttled"], r.table.drops)
		}
	})
}

func TestRepeatedPostsDoNotComeTogether(t *testing.T) {
	t.Parallel()
	inRoom(t, func(t *testing.T, r *room) {
		r.Concurrency = 200
		r.crowd(200)
		at := make(chan time.Duration, 200)
		r.gateway.answer = func(_ context.Context, _ string, earlier int) error {
			if earlier == 0 {
				return errThrottled
			}
			at <- time.Since(r.began)
			return nil
		}
		r.deliver(t.Context())
		close(at)
		moments := make(map[time.Duration]bool)
		early := 0
		for moment := range at {
			moments[moment] = true
			if moment < 25*time.Millisecond {
				early++
			}
		}
		if len(moments) < 190 || early < 60 || early > 140 {
			t.Errorf("200 posts were repeated at %d moments, %d in the first half of the time", len(moments), early)
		}
	})
}

// A recipient that does not read delays the report once, by a limited time, and no other recipient.
func TestARecipientThatDoesNotReadDelaysNoOther(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(*gateway){
		"throttled": func(g *gateway) { g.fails(errThrottled, "stuck") },
		"hanging":   func(g *gateway) { g.hangs("stuck") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inRoom(t, func(t *testing.T, r *room) {
				r.Concurrency = 2
				r.join("stuck")
				r.crowd(50)
				trouble(r.gateway)
				inner := r.gateway.answer
				var mu sync.Mutex
				last := time.Duration(0)
				r.gateway.answer = func(ctx context.Context, id string, earlier int) error {
					if id != "stuck" {
						mu.Lock()
						last = max(last, time.Since(r.began))
						mu.Unlock()
					}
					return inner(ctx, id, earlier)
				}
				got := r.deliver(t.Context())
				if took := time.Since(r.began); took > patience+lastAttempt || last != 0 || got.Delivered != 50 {
					t.Errorf("took %s, the last of the others waited %s: %+v", took, last, got)
				}
			})
		})
	}
}

func TestADeadlineExpelsNoRecipient(t *testing.T) {
	t.Parallel()
	inRoom(t, func(t *testing.T, r *room) {
		r.join("a", "stuck")
		r.gateway.fails(errThrottled, "stuck")
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
		defer cancel()
		if got := r.deliver(ctx); got.Throttled != 1 || len(r.table.drops) != 0 ||
			time.Since(r.began) > 60*time.Millisecond {
			t.Errorf("dropped %v after %s: %+v", r.table.drops, time.Since(r.began), got)
		}
	})
}

func TestGoneRecipientsAreRemoved(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.join("a", "gone1", "b", "gone2")
	r.gateway.fails(errGone, "gone1", "gone2")
	got := r.deliver(t.Context())
	slices.Sort(r.table.removed)
	if got.Delivered != 2 || got.Gone != 2 || !got.Complete() ||
		!slices.Equal(r.table.removed, []string{"gone1", "gone2"}) {
		t.Errorf("%+v, removed %v", got, r.table.removed)
	}
}

func TestARemovalMayFail(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.join("gone")
	r.table.err = errors.New("no route to table")
	r.gateway.fails(errGone, "gone")
	if got := r.deliver(t.Context()); got.Gone != 1 || !strings.Contains(r.log.String(), "clean-up failed") {
		t.Errorf("%+v, log:\n%s", got, r.log)
	}
}

func TestConnectionInItsHandshakeIsTriedAgain(t *testing.T) {
	t.Parallel()
	inRoom(t, func(t *testing.T, r *room) {
		r.join("a")
		r.joinAt("young", r.began.Add(-100*time.Millisecond))
		open := r.began.Add(2500 * time.Millisecond)
		r.gateway.answer = func(_ context.Context, id string, _ int) error {
			if id == "young" && time.Now().Before(open) {
				return errGone
			}
			return nil
		}
		got := r.deliver(t.Context())
		if got.Delivered != 2 || r.gateway.frames["young"] != 1 || time.Since(open) > 400*time.Millisecond ||
			r.gateway.again != 0 {
			t.Errorf("%+v, %s after its handshake, %d by the quota of retries", got, time.Since(open), r.gateway.again)
		}
	})
}

func TestAYoungConnectionIsNeverRemoved(t *testing.T) {
	t.Parallel()
	inRoom(t, func(t *testing.T, r *room) {
		r.joinAt("young", r.began.Add(-callback.HandshakeTime+handshakePatience+lastAttempt))
		r.joinAt("old", r.began.Add(-callback.HandshakeTime))
		r.gateway.fails(errGone, "young", "old")
		got := r.deliver(t.Context())
		if took := time.Since(r.began); took > handshakePatience || r.gateway.calls["young"] < 5 ||
			r.gateway.calls["old"] != 1 {
			t.Errorf("after %s: %v", took, r.gateway.calls)
		}
		if got.Young != 1 || got.Gone != 1 || !got.Complete() || !slices.Equal(r.table.removed, []string{"old"}) {
			t.Errorf("%+v, removed %v", got, r.table.removed)
		}
	})
}

func TestNoRecipientWaitsForAnothersHandshake(t *testing.T) {
	t.Parallel()
	inRoom(t, func(t *testing.T, r *room) {
		r.Concurrency = 2
		for i := range 5 {
			r.joinAt(fmt.Sprintf("young%d", i), r.began)
		}
		r.join("a")
		waited := time.Duration(-1)
		r.gateway.answer = func(_ context.Context, id string, _ int) error {
			if id == "a" {
				waited = time.Since(r.began)
				return nil
			}
			return errGone
		}
		if r.deliver(t.Context()); waited != 0 {
			t.Errorf("a recipient waited %s", waited)
		}
	})
}

func TestPostsEndWithTheContext(t *testing.T) {
	t.Parallel()
	inRoom(t, func(t *testing.T, r *room) {
		r.Concurrency = 2
		r.join("stuck1", "stuck2", "a", "b")
		r.gateway.hangs("stuck1", "stuck2")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		if got := r.deliver(ctx); got.Failed != 4 || time.Since(r.began) != time.Second/2 || len(r.gateway.calls) != 2 {
			t.Errorf("after %s, with %v: %+v", time.Since(r.began), r.gateway.calls, got)
		}
	})
}

func TestPostsAreBounded(t *testing.T) {
	t.Parallel()
	inRoom(t, func(t *testing.T, r *room) {
		r.Concurrency = 3
		r.crowd(30)
		r.gateway.answer = func(context.Context, string, int) error {
			pass(100 * time.Millisecond)
			return nil
		}
		got := r.deliver(t.Context())
		if took := time.Since(r.began); r.gateway.most != 3 || took != time.Second || got.Delivered != 30 {
			t.Errorf("%d posts at a time, %s for ten rounds: %+v", r.gateway.most, took, got)
		}
	})
}

func TestPostsBeginWithTheFirstPage(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.join("a", "b")
	first := make(chan struct{})
	r.gateway.answer = func(_ context.Context, id string, _ int) error {
		if id == "a" {
			close(first)
		}
		return nil
	}
	broken := errors.New("no route to table")
	got, err := r.Deliver(t.Context(), Origin{}, []byte("frame"), func(yield func([]connections.Member, error) bool) {
		yield(r.members[:1], nil)
		<-first
		yield(r.members[1:], nil)
		yield(nil, broken)
	})
	if !errors.Is(err, broken) || got.Recipients != 2 || got.Delivered != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestConcurrencyFollowsMemory(t *testing.T) {
	t.Parallel()
	for memoryMB, want := range map[int]int{32: 16, 128: 32, 256: 64, 1769: 256} {
		if got := Concurrency(memoryMB); got != want {
			t.Errorf("with %d MB: %d at a time, want %d", memoryMB, got, want)
		}
	}
}
