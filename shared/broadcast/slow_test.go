package broadcast

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Sockets that never read are dropped after the second broadcast that other members receive, however many they are. No
// broadcast is repeated because of them.
func TestMembersThatNeverReadAreExpelled(t *testing.T) {
	t.Parallel()
	for _, stuck := range []int{1, 2, 5, 8} {
		t.Run(strconv.Itoa(stuck), func(t *testing.T) {
			t.Parallel()
			inRoom(t, func(t *testing.T, r *room) {
				r.sender = "sender"
				r.join("sender")
				r.crowd(9)
				r.gateway.answer = func(_ context.Context, id string, _ int) error {
					if id != "sender" && id < "m"+strconv.Itoa(stuck) {
						return errThrottled
					}
					return nil
				}
				first := r.deliver(t.Context())
				if first.Throttled != stuck || !first.Complete() || len(r.table.drops) != 0 || r.table.writes != stuck {
					t.Errorf("first: %+v, dropped %v after %d writes", first, r.table.drops, r.table.writes)
				}
				pass(time.Second)
				second := r.deliver(t.Context())
				if second.Throttled != stuck || !second.Complete() || len(r.table.drops) != stuck ||
					r.table.writes != stuck {
					t.Errorf("second: %+v, dropped %v after %d writes", second, r.table.drops, r.table.writes)
				}
			})
		})
	}
}

// A phone whose connection stalls for a broadcast and takes the next one begins anew.
func TestASlowMemberThatCatchesUpIsNotExpelled(t *testing.T) {
	t.Parallel()
	inRoom(t, func(t *testing.T, r *room) {
		r.join("a", "phone", "b")
		for _, reads := range []bool{false, true, false, true, false} {
			r.gateway.answer = nil
			if !reads {
				r.gateway.fails(errThrottled, "phone")
			}
			if got := r.deliver(t.Context()); !got.Complete() || (got.Throttled == 0) != reads {
				t.Errorf("%+v", got)
			}
			if _, marked := r.table.marks["phone"]; marked == reads {
				t.Errorf("reads: %t, marked: %t", reads, marked)
			}
			pass(time.Second)
		}
		if len(r.table.drops) != 0 {
			t.Errorf("dropped %v", r.table.drops)
		}
	})
}

// One that takes the frame in the time of the broadcast is not slow.
func TestAMemberThatReadsInTimeIsNotMarked(t *testing.T) {
	t.Parallel()
	inRoom(t, func(t *testing.T, r *room) {
		r.join("a", "phone", "b")
		r.gateway.answer = func(_ context.Context, id string, _ int) error {
			if id == "phone" && time.Since(r.began) < time.Second {
				return errThrottled
			}
			return nil
		}
		if got := r.deliver(t.Context()); got.Delivered != 3 || r.table.writes != 0 {
			t.Errorf("%+v, %d writes", got, r.table.writes)
		}
	})
}

// Two broadcasts at the same time see one and the same stall.
func TestBroadcastsAtTheSameTimeCountAsOne(t *testing.T) {
	t.Parallel()
	inRoom(t, func(t *testing.T, r *room) {
		r.join("a", "stuck", "b")
		r.gateway.fails(errThrottled, "stuck")
		done := make(chan struct{})
		for i := range 5 {
			go func() {
				pass(time.Duration(i) * 200 * time.Millisecond)
				r.deliver(t.Context())
				done <- struct{}{}
			}()
		}
		for range 5 {
			<-done
		}
		if len(r.table.drops) != 0 || r.table.writes != 1 {
			t.Errorf("dropped %v after %d writes", r.table.drops, r.table.writes)
		}
		if r.deliver(t.Context()); !slices.Equal(r.table.drops, []string{"stuck"}) {
			t.Errorf("dropped %v by the next broadcast", r.table.drops)
		}
		if log := r.log.String(); strings.Count(log, `"action":"drop_slow"`) != 1 || strings.Contains(log, "alice") {
			t.Errorf("want one audit line, with the hash of the user:\n%s", log)
		}
	})
}

// When API Gateway throttles the account, no recipient is to blame, and the broadcast is repeated.
func TestAThrottledAccountExpelsNoRecipient(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(id string, earlier int) error{
		"the others after a while": func(id string, earlier int) error {
			if strings.HasPrefix(id, "m1") || earlier < 2 { // m1, m10 to m19
				return errThrottled
			}
			return nil
		},
		"all members": func(string, int) error { return errThrottled },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inRoom(t, func(t *testing.T, r *room) {
				r.crowd(100)
				r.gateway.answer = func(_ context.Context, id string, earlier int) error { return answer(id, earlier) }
				for range 3 {
					clear(r.gateway.calls)
					if got := r.deliver(t.Context()); got.Complete() || got.Missed() != got.Throttled ||
						r.table.writes != 0 {
						t.Errorf("%d marks: %+v", r.table.writes, got)
					}
					pass(time.Second)
				}
				if len(r.table.drops) != 0 {
					t.Errorf("dropped %v", r.table.drops)
				}
			})
		})
	}
}

// A sender alone with a member that does not read looks like the account's limit: its own echo is no witness.
func TestNoRecipientIsExpelledWhenOnlyTheSenderTookTheFrame(t *testing.T) {
	t.Parallel()
	inRoom(t, func(t *testing.T, r *room) {
		r.sender = "sender"
		r.join("sender", "stuck")
		r.gateway.fails(errThrottled, "stuck")
		for range 3 {
			if got := r.deliver(t.Context()); got.Throttled != 1 || !got.Complete() ||
				len(r.table.drops)+r.table.writes != 0 {
				t.Errorf("dropped %v, %d marks: %+v", r.table.drops, r.table.writes, got)
			}
			pass(time.Second)
		}
	})
}

// A broadcast that not even its sender got is repeated: that is the account's limit.
func TestABroadcastWithoutADeliveryIsRepeated(t *testing.T) {
	t.Parallel()
	inRoom(t, func(t *testing.T, r *room) {
		r.sender = "sender"
		r.join("sender", "a")
		r.gateway.fails(errThrottled, "sender", "a")
		if got := r.deliver(t.Context()); got.Missed() != 2 || r.table.writes != 0 {
			t.Errorf("%d marks: %+v", r.table.writes, got)
		}
	})
}

// The last part of a large room may hold slow members only. Lambda need not repeat it.
func TestASmallPartOfSlowMembersIsNotRepeated(t *testing.T) {
	t.Parallel()
	for members, missed := range map[int]int{fewRecipients - 1: 0, fewRecipients: fewRecipients} {
		inRoom(t, func(t *testing.T, r *room) {
			r.crowd(members)
			r.gateway.answer = func(context.Context, string, int) error { return errThrottled }
			if got := r.deliver(t.Context()); got.Missed() != missed || r.table.writes != 0 {
				t.Errorf("%d members, %d marks: %+v", members, r.table.writes, got)
			}
		})
	}
}

func TestTheSendersOwnMarkIsCleared(t *testing.T) {
	t.Parallel()
	inRoom(t, func(t *testing.T, r *room) {
		r.sender = "sender"
		r.join("sender", "a")
		r.gateway.fails(errThrottled, "sender")
		r.deliver(t.Context())
		listed := r.table.listed(r.members)[0]
		if listed.Slow.IsZero() {
			t.Fatal("the sender, which does not read, is not marked")
		}
		r.gateway.answer = nil
		result, err := r.Deliver(t.Context(), Origin{Room: "lobby", Sender: "sender"}, []byte("frame"),
			r.unmarkedPages())
		if err != nil {
			t.Fatal(err)
		}
		result.NoteSender(listed)
		r.CleanUp(t.Context(), r.Log, result)
		if len(r.table.marks) != 0 {
			t.Errorf("marks %v", r.table.marks)
		}
	})
}
