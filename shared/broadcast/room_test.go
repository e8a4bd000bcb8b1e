package broadcast

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// room is a Broadcaster between a table and a gateway that work as the real ones do.
type room struct {
	*Broadcaster
	t       *testing.T
	began   time.Time
	sender  string
	members []connections.Member
	gateway *gateway
	table   *table
	log     *bytes.Buffer
}

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{t: t, began: time.Now(), log: new(bytes.Buffer), table: &table{marks: make(map[string]time.Time)}}
	r.gateway = &gateway{frames: make(map[string]int), calls: make(map[string]int)}
	r.Broadcaster = &Broadcaster{Log: logging.New(r.log), Callback: r.gateway, Connections: r.table, Now: time.Now,
		Concurrency: 8}
	return r
}

// inRoom runs a test of a new room, in a bubble.
func inRoom(t *testing.T, test func(t *testing.T, r *room)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newRoom(t)) })
}

// pass lets the time of a test's bubble go by.
func pass(d time.Duration) { <-time.After(d) }

// join adds members that are an hour old.
func (r *room) join(ids ...string) {
	for _, id := range ids {
		r.joinAt(id, r.began.Add(-time.Hour))
	}
}

func (r *room) joinAt(id string, connectedAt time.Time) {
	r.members = append(r.members, connections.Member{ConnectionID: id, ConnectedAt: connectedAt})
}

// crowd adds members by number.
func (r *room) crowd(n int) {
	for i := range n {
		r.join(fmt.Sprintf("m%d", i))
	}
}

// pages are the members, three to a page.
func (r *room) pages() iter.Seq2[[]connections.Member, error] {
	return func(yield func([]connections.Member, error) bool) {
		for page := range slices.Chunk(r.table.listed(r.members), 3) {
			if !yield(page, nil) {
				return
			}
		}
	}
}

// unmarkedPages are the members as a broadcast posts to them before it has read the room.
func (r *room) unmarkedPages() iter.Seq2[[]connections.Member, error] {
	return func(yield func([]connections.Member, error) bool) { yield(r.members, nil) }
}

// deliver has a frame delivered to all, and holds the result to its sum.
func (r *room) deliver(ctx context.Context) Result {
	r.t.Helper()
	result, err := r.Deliver(ctx, Origin{Room: "lobby", Sender: r.sender}, []byte("frame"), r.pages())
	if err != nil {
		r.t.Error(err)
	}
	if sum := result.Delivered + result.Gone + result.Young + result.Throttled +
		result.Failed; sum != result.Recipients || sum != len(r.members) {
		r.t.Errorf("%d recipients of %d have %d results: %+v", result.Recipients, len(r.members), sum, result)
	}
	r.ExpelSlow(ctx, r.Log, result)
	r.CleanUp(ctx, r.Log, result)
	return result
}

// table records the removed connections, and when each slow one was marked.
type table struct {
	err error

	mu             sync.Mutex
	removed, drops []string
	marks          map[string]time.Time
	writes         int // of marks
}

// listed returns members as the room lists them now.
func (f *table) listed(members []connections.Member) []connections.Member {
	f.mu.Lock()
	defer f.mu.Unlock()
	members = slices.Clone(members)
	for i, m := range members {
		members[i].Slow = f.marks[m.ConnectionID]
	}
	return members
}

func (f *table) MarkSlow(_ context.Context, room string, m connections.Member, began, now time.Time) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if room != "lobby" {
		return false, fmt.Errorf("marked in room %q", room)
	}
	if marked, found := f.marks[m.ConnectionID]; found {
		return marked.Before(began), f.err
	}
	f.writes++
	f.marks[m.ConnectionID] = now
	return false, f.err
}

func (f *table) ClearSlow(_ context.Context, _ string, m connections.Member) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.marks[m.ConnectionID].Equal(m.Slow) {
		f.writes++
		delete(f.marks, m.ConnectionID)
	}
	return f.err
}

func (f *table) Remove(_ context.Context, connectionID string, _ time.Time) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.removed = append(f.removed, connectionID)
	return f.err == nil, f.err
}

func (f *table) ExpelSlow(_ context.Context, connectionID string, _, _ time.Time) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drops = append(f.drops, connectionID)
	return "alice", f.err
}

// gateway is an @connections endpoint, and a quota of retries.
type gateway struct {
	// answer, if set, says how a post ends, given how many there were to that connection before. It may take its time.
	answer func(ctx context.Context, connectionID string, earlier int) error
	noMore bool // retries

	mu           sync.Mutex
	frames       map[string]int // delivered, by connection
	calls        map[string]int
	active, most int
	again        int // calls of TryAgain
}

var (
	errGone        = fmt.Errorf("post: %w", callback.ErrGone)
	errThrottled   = fmt.Errorf("post: %w", callback.ErrThrottled)
	errUnavailable = fmt.Errorf("post: %w", callback.ErrUnavailable)
)

func (g *gateway) Try(ctx context.Context, connectionID string, _ callback.Frame) error {
	g.mu.Lock()
	earlier := g.calls[connectionID]
	g.calls[connectionID]++
	g.active++
	g.most = max(g.most, g.active)
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		g.active--
		g.mu.Unlock()
	}()
	if g.answer != nil {
		if err := g.answer(ctx, connectionID, earlier); err != nil {
			return err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.frames[connectionID]++
	return nil
}

func (g *gateway) TryAgain(ctx context.Context, connectionID string, frame callback.Frame, previous error) error {
	if g.noMore {
		return fmt.Errorf("%w: %w", callback.ErrNoRetry, previous)
	}
	g.mu.Lock()
	g.again++
	g.mu.Unlock()
	return g.Try(ctx, connectionID, frame)
}

// fails answers an error to the posts to some connections.
func (g *gateway) fails(err error, ids ...string) {
	g.answer = func(_ context.Context, connectionID string, _ int) error {
		if slices.Contains(ids, connectionID) {
			return err
		}
		return nil
	}
}

// hangs holds the posts to some connections until they are given up.
func (g *gateway) hangs(ids ...string) {
	g.answer = func(ctx context.Context, connectionID string, _ int) error {
		if slices.Contains(ids, connectionID) {
			<-ctx.Done()
			return errors.Join(errUnavailable, ctx.Err())
		}
		return nil
	}
}
