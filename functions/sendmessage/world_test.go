package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"signedsocket/protocol"
	"signedsocket/shared/broadcast"
	"signedsocket/shared/callback"
	"signedsocket/shared/caller"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/roomlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// freshID is the id of messages that have none of their client.
const freshID = "01KAMPN2XB8Q5WY3V7T9RJ6H4C"

// world is a handler between a table and a gateway that work as the real ones do.
type world struct {
	t       *testing.T
	now     time.Time // when the world began
	h       *handler
	store   *fakeStore
	gateway *fakeGateway
	fanout  *fakeFanout
	log     *bytes.Buffer
}

// newWorld returns a world in which alice is connected by "sender=", an hour old, and alone in the room lobby.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Now(), log: new(bytes.Buffer), gateway: &fakeGateway{
		t: t, posted: make(map[string][]string), calls: make(map[string]int),
	}}
	w.store = &fakeStore{t: t, sender: connections.Connection{
		ID: "sender=", Subject: "alice", Name: "Alice", Rooms: []connections.Membership{{Room: "lobby"}},
		ConnectedAt: w.now.Add(-time.Hour),
	}}
	log := logging.New(w.log)
	w.fanout = new(fakeFanout)
	w.h = &handler{
		log: log, stack: "test", connections: w.store, fanout: w.fanout, threshold: 1000,
		broadcaster: &broadcast.Broadcaster{Log: log, Callback: w.gateway, Connections: w.store, Now: time.Now,
			Concurrency: 8},
		callers: &caller.Callers{
			Strikes: w.store, Gateway: w.gateway, Now: time.Now,
			Closer: &callback.Closer{Log: log, Gateway: w.gateway, Now: time.Now, ByeTimeout: time.Second},
		},
		watch: newWatch(), now: time.Now, newID: func(time.Time) (string, error) { return freshID, nil },
	}
	return w
}

// join adds members to the room, an hour old, three to a page.
func (w *world) join(ids ...string) {
	for _, id := range ids {
		w.joinAt(id, w.now.Add(-time.Hour))
	}
}

func (w *world) joinAt(id string, connectedAt time.Time) {
	w.store.members = append(w.store.members, connections.Member{
		ConnectionID: id, ConnectedAt: connectedAt, Protocol: 1,
	})
}

func event(route, body string) events.APIGatewayWebsocketProxyRequest {
	return events.APIGatewayWebsocketProxyRequest{
		Body: body,
		RequestContext: events.APIGatewayWebsocketProxyRequestContext{
			RouteKey: route, EventType: "MESSAGE", ConnectionID: "sender=",
		},
	}
}

// handle has the handler serve a frame without fault.
func (w *world) handle(route, body string) {
	w.t.Helper()
	response, err := w.h.handle(w.t.Context(), event(route, body))
	if want := (events.APIGatewayProxyResponse{StatusCode: 200}); err != nil || !cmp.Equal(response, want) {
		w.t.Errorf("handle = %+v, %v; want %+v", response, err, want)
	}
}

// fails has the handler serve a frame with this fault, or with any when want is nil.
func (w *world) fails(route, body string, want error) {
	w.t.Helper()
	if _, err := w.h.handle(w.t.Context(), event(route, body)); err == nil || want != nil && !errors.Is(err, want) {
		w.t.Errorf("err = %v, want %v", err, want)
	}
	if !bytes.Contains(w.log.Bytes(), []byte(`"level":"ERROR"`)) {
		w.t.Errorf("log:\n%s", w.log)
	}
}

// received compares the frames that a connection got.
func (w *world) received(id string, want ...string) {
	w.t.Helper()
	if got := w.gateway.frames(id); !slices.Equal(got, want) {
		w.t.Errorf("%s got %q, want %q", id, got, want)
	}
}

// fakeHistory is a log that numbers from 41, or has the entry that was stored first.
type fakeHistory struct {
	first *roomlog.Entry // of the message, if this is a resend
	err   error          // of Append and Delete

	mu       sync.Mutex
	looks    []string // rooms and positions
	appended []roomlog.Entry
	deleted  []string      // messages, and who may delete all
	looking  chan struct{} // closed when Look is called, if not nil
	panics   bool          // in Look
}

func (f *fakeHistory) Look(_ context.Context, room string, after int64) roomlog.Look {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks = append(f.looks, fmt.Sprintf("%s %d", room, after))
	if f.looking != nil {
		close(f.looking)
	}
	if f.panics {
		panic("pop.secret")
	}
	return roomlog.Look{}
}

func (f *fakeHistory) Append(_ context.Context, _ roomlog.Look, e roomlog.Entry) (roomlog.Entry, bool, error) {
	switch {
	case f.err != nil:
		return roomlog.Entry{}, false, fmt.Errorf("append to log: %w", f.err)
	case f.first != nil:
		return *f.first, true, nil
	}
	f.appended = append(f.appended, e)
	e.Seq = int64(40 + len(f.appended))
	return e, false, nil
}

func (f *fakeHistory) Delete(
	_ context.Context, room string, note roomlog.Entry, moderator bool,
) (roomlog.Entry, error) {
	if f.err != nil {
		return roomlog.Entry{}, fmt.Errorf("delete from log: %w", f.err)
	}
	f.deleted = append(f.deleted, fmt.Sprintf("%d in %s, moderator %t", note.Of, room, moderator))
	f.appended = append(f.appended, note)
	note.Seq = int64(40 + len(f.appended))
	return note, nil
}

// fakeStore is a table with one sender and one room.
type fakeStore struct {
	t          *testing.T
	sender     connections.Connection
	members    []connections.Member
	touchErr   error
	strikeErr  error
	touching   func() // before Touch answers, if not nil
	kickAt     int    // with which strike the sender is kicked, 0 for never
	membersErr error  // after the first page

	mu               sync.Mutex
	touches, queries int
	strikes          int
	room             string
	removed          []string
}

func (f *fakeStore) Touch(_ context.Context, connectionID string, _ time.Time) (connections.Connection, error) {
	f.touches++
	if f.touching != nil {
		f.touching()
	}
	if f.touchErr != nil {
		return connections.Connection{}, fmt.Errorf("count message: %w", f.touchErr)
	}
	if connectionID != f.sender.ID {
		f.t.Errorf("touched %s", connectionID)
	}
	return f.sender, nil
}

func (f *fakeStore) Members(_ context.Context, room string, _ time.Time) iter.Seq2[[]connections.Member, error] {
	f.room = room
	return func(yield func([]connections.Member, error) bool) {
		for page := range slices.Chunk(f.members, 3) {
			f.queries++
			if !yield(page, nil) {
				return
			}
			if f.membersErr != nil {
				yield(nil, f.membersErr)
				return
			}
		}
		if f.membersErr != nil {
			yield(nil, f.membersErr)
		}
	}
}

// NamedMembers lists what Members does.
func (f *fakeStore) NamedMembers(
	ctx context.Context, room string, now time.Time, consistent bool,
) iter.Seq2[[]connections.Member, error] {
	if !consistent {
		f.t.Error("members are listed without consistency")
	}
	return f.Members(ctx, room, now)
}

func (f *fakeStore) Strike(_ context.Context, connectionID string, _ time.Time) (connections.Struck, error) {
	f.strikes++
	if connectionID != f.sender.ID {
		f.t.Errorf("struck %s", connectionID)
	}
	if f.strikeErr != nil {
		return connections.Struck{}, fmt.Errorf("count strike: %w", f.strikeErr)
	}
	return connections.Struck{Subject: f.sender.Subject, Kicked: f.strikes == f.kickAt}, nil
}

// Remove removes a member as the table does, on condition of the time it was connected at.
func (f *fakeStore) Remove(_ context.Context, connectionID string, connectedAt time.Time) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.removed = append(f.removed, connectionID)
	before := len(f.members)
	f.members = slices.DeleteFunc(f.members, func(m connections.Member) bool {
		return m.ConnectionID == connectionID && m.ConnectedAt.Equal(connectedAt)
	})
	return len(f.members) < before, nil
}

// MarkSlow marks a member, or says that an earlier broadcast did.
func (f *fakeStore) MarkSlow(_ context.Context, room string, m connections.Member, began, now time.Time) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if room != "lobby" {
		return false, fmt.Errorf("marked in room %q", room)
	}
	i := slices.IndexFunc(f.members,
		func(listed connections.Member) bool { return listed.ConnectionID == m.ConnectionID })
	if i >= 0 && f.members[i].Slow.IsZero() {
		f.members[i].Slow = now
		return false, nil
	}
	return i >= 0 && f.members[i].Slow.Before(began), nil
}

// ClearSlow removes the mark.
func (f *fakeStore) ClearSlow(_ context.Context, _ string, m connections.Member) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, listed := range f.members {
		if listed.ConnectionID == m.ConnectionID && listed.Slow.Equal(m.Slow) {
			f.members[i].Slow = time.Time{}
		}
	}
	return nil
}

// ExpelSlow does nothing: other tests cover it.
func (f *fakeStore) ExpelSlow(context.Context, string, time.Time, time.Time) (string, error) {
	return "", nil
}

// fakeFanout keeps the segments that it is handed, or refuses them.
type fakeFanout struct {
	err error

	mu       sync.Mutex
	segments []broadcast.Segment
}

func (f *fakeFanout) Send(_ context.Context, s broadcast.Segment) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.segments = append(f.segments, s)
	}
	return f.err
}

// fakeGateway is an @connections endpoint.
type fakeGateway struct {
	t *testing.T

	// fail, if set, says how a post ends, given how many there were to that connection before.
	fail func(connectionID string, earlier int) error
	// hold, if set, is called during each post.
	hold func(ctx context.Context, connectionID string) error

	// closeErr, if set, is how a close ends.
	closeErr error

	mu     sync.Mutex
	posted map[string][]string
	calls  map[string]int
	closed []string
}

// Close takes the end of a connection.
func (f *fakeGateway) Close(_ context.Context, connectionID string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = append(f.closed, connectionID)
	return f.closeErr
}

var errGone = fmt.Errorf("post to connection: %w", callback.ErrGone)

// Post takes an answer to the sender.
func (f *fakeGateway) Post(ctx context.Context, connectionID string, data []byte) error {
	return f.post(ctx, connectionID, string(data))
}

// Try takes a frame of a broadcast.
func (f *fakeGateway) Try(ctx context.Context, connectionID string, frame callback.Frame) error {
	return f.post(ctx, connectionID, frame.String())
}

// TryAgain takes it, too.
func (f *fakeGateway) TryAgain(ctx context.Context, connectionID string, frame callback.Frame, _ error) error {
	return f.post(ctx, connectionID, frame.String())
}

func (f *fakeGateway) post(ctx context.Context, connectionID, data string) error {
	f.mu.Lock()
	earlier := f.calls[connectionID]
	f.calls[connectionID]++
	f.mu.Unlock()
	var err error
	if f.hold != nil {
		err = f.hold(ctx, connectionID)
	}
	if err == nil && f.fail != nil {
		err = f.fail(connectionID, earlier)
	}
	if broken := protocol.FromServer([]byte(data)); broken != nil {
		f.t.Errorf("posted %s: %v", data, broken)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.posted[connectionID] = append(f.posted[connectionID], data)
	}
	return err
}

func (f *fakeGateway) frames(connectionID string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.posted[connectionID]
}
