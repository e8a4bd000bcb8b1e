package presence

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// run is one run of random operations.
type run struct {
	*world
	dice     *rand.Rand
	lastTick time.Time
	most     int // connections at the same time
}

// TestMembersSeeWhoIsThereAndAreNotFlooded lets users join, leave, reload and ask at random, while posts are lost and
// pushes cut off. It holds P2 for the whole run, and P1 when it becomes quiet.
func TestMembersSeeWhoIsThereAndAreNotFlooded(t *testing.T) {
	t.Parallel()
	for seed := range uint64(16) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			r := &run{world: newWorld(t, 6), dice: rand.New(rand.NewPCG(seed, 16)), lastTick: epoch}
			r.misses = func(string) bool { return r.dice.IntN(20) == 0 }
			for range 60 {
				r.step()
			}
			r.becomeQuiet()
			r.checkPushes()
		})
	}
}

func (r *run) step() {
	switch n := r.dice.IntN(100); {
	case n < 22:
		r.open(fmt.Sprint("u", r.dice.IntN(9)))
	case n < 25:
		r.join(fmt.Sprint("u", r.dice.IntN(9)), 1)
	case n < 42:
		if c := r.any(); c != nil {
			r.leave(c)
		}
	case n < 48: // a reload
		if c := r.any(); c != nil {
			r.leave(c)
			r.open(c.Subject)
		}
	case n < 70:
		if c := r.any(); c != nil && c.Protocol == 2 {
			r.askOrBeCutOff(c)
		}
	default:
		r.wait(time.Duration(r.dice.IntN(30_000)) * time.Millisecond)
	}
	r.most = max(r.most, len(r.clients))
}

// any returns one of the clients, or nil.
func (r *run) any() *client {
	if len(r.clients) == 0 {
		return nil
	}
	ids := slices.Sorted(maps.Keys(r.clients))
	return r.clients[ids[r.dice.IntN(len(ids))]]
}

// askOrBeCutOff has a client ask; now and then the function is killed before it posts the push, and now and then
// something happens while it reads.
func (r *run) askOrBeCutOff(c *client) {
	if r.dice.IntN(5) == 0 {
		r.during = func() { r.tick() }
	}
	answer := r.answer(c)
	if answer.Frame != nil {
		r.take(c, answer.Frame)
	}
	if r.dice.IntN(6) > 0 {
		r.post(answer.Push)
	}
}

// wait lets time pass, with a tick each minute.
func (r *run) wait(d time.Duration) {
	for end := r.time.Add(d); ; {
		next := r.lastTick.Add(time.Minute)
		if next.After(end) {
			r.time = end
			return
		}
		r.time, r.lastTick = next, next
		if r.dice.IntN(5) == 0 {
			r.during = func() {
				if c := r.any(); c != nil && c.Protocol == 2 {
					r.ask(c)
				}
			}
		}
		if push := r.look(); r.dice.IntN(6) > 0 {
			r.post(push)
		}
	}
}

// becomeQuiet checks P1: when nothing has changed for two ticks, or for one pace and a tick, all clients of chat.v2
// show the users with live connections. One tick more is for what the run has cut off.
func (r *run) becomeQuiet() {
	r.open("u0")
	r.most = max(r.most, len(r.clients))
	r.during, r.misses = nil, func(string) bool { return false }
	for end := r.time.Add(max(time.Minute, Pace(len(r.clients))) + 2*time.Minute); r.time.Before(end); {
		r.time = r.lastTick.Add(time.Minute)
		r.lastTick = r.time
		r.tick()
	}
	want := r.users()
	for _, c := range r.clients {
		switch {
		case c.Protocol < 2:
		case len(want) > 6:
			if c.shown == nil || c.shown.Users != nil {
				r.t.Errorf("%s shows %+v of a crowd", c.ID, c.shown)
			}
		case c.shown == nil:
			r.t.Errorf("%s shows nothing", c.ID)
		default:
			if diff := cmp.Diff(want, c.shown.Users); diff != "" || c.shown.Count != len(want) {
				r.t.Errorf("%s shows %d (-want +got):\n%s", c.ID, c.shown.Count, diff)
			}
		}
	}
}

// checkPushes checks P2: in any t minutes the room gets at most N + 50·t posts.
func (r *run) checkPushes() {
	for i := range r.pushes {
		posts := 0
		for _, p := range r.pushes[i:] {
			posts += p.posts
			minutes := p.at.Sub(r.pushes[i].at).Minutes()
			if allowed := float64(r.most) + 50*minutes; float64(posts) > allowed {
				r.t.Errorf("%d posts in %.2f minutes, allowed are %.0f", posts, minutes, allowed)
			}
		}
	}
}
