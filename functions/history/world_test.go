package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	"signedsocket/shared/message"
	"signedsocket/shared/presence"
	"signedsocket/shared/roomlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a handler between a table, logs and a gateway that work as the real ones do.
type world struct {
	t       *testing.T
	h       *handler
	store   *fakeStore
	rooms   *fakeRooms
	markers *fakeMarkers
	rosters *fakeRosters
	gateway *fakeGateway
	log     *bytes.Buffer
}

// newWorld returns a world in which alice is connected by "asks=" with chat.v2, in the rooms lobby and news. The lobby
// has the entries 11 to 15, and news has none.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, log: new(bytes.Buffer), gateway: &fakeGateway{t: t}, store: &fakeStore{t: t}}
	w.store.sender = connections.Connection{ID: "asks=", Subject: "alice", Name: "Alice", Protocol: 2,
		Rooms: []connections.Membership{{Room: "lobby"}, {Room: "news"}}}
	w.markers, w.rosters = &fakeMarkers{seqs: make(map[string]int64)}, &fakeRosters{t: t}
	w.rooms = &fakeRooms{entries: make(map[string][]roomlog.Entry)}
	for seq := int64(11); seq <= 15; seq++ {
		w.rooms.entries["lobby"] = append(w.rooms.entries["lobby"], entry(seq))
	}
	log := logging.New(w.log)
	w.h = &handler{
		log: log, stack: "test", connections: w.store, rooms: w.rooms, keepDays: 7, now: time.Now,
		markers: w.markers, rosters: w.rosters,
		callers: &caller.Callers{
			Strikes: w.store, Gateway: w.gateway, Now: time.Now,
			Closer: &callback.Closer{Log: log, Gateway: w.gateway, Now: time.Now, ByeTimeout: time.Second},
		},
	}
	return w
}

func entry(seq int64) roomlog.Entry {
	return roomlog.Entry{
		Seq: seq, ID: fmt.Sprintf("KZ3WXHB5R2TQ4M6VCN7YAEJD%02d", seq), Subject: "bob", Name: "Bob",
		Text: fmt.Sprint("text ", seq), At: time.UnixMilli(1000 + seq),
	}
}

// shown is an entry as a history frame has it.
func shown(seq int64) string {
	return fmt.Sprintf(`{"seq":%d,"id":"KZ3WXHB5R2TQ4M6VCN7YAEJD%02d","from":{"sub":"bob","name":"Bob"},`+
		`"message":"text %d","sentAt":%d}`, seq, seq, seq, 1000+seq)
}

func (w *world) serve(route, body string) error {
	w.t.Helper()
	response, err := w.h.handle(w.t.Context(), events.APIGatewayWebsocketProxyRequest{
		Body: body,
		RequestContext: events.APIGatewayWebsocketProxyRequestContext{
			RouteKey: route, EventType: "MESSAGE", ConnectionID: "asks=",
		},
	})
	if want := (events.APIGatewayProxyResponse{StatusCode: 200}); err == nil && !cmp.Equal(response, want) {
		w.t.Errorf("handle = %+v, want %+v", response, want)
	}
	return err
}

// ask serves a request without fault.
func (w *world) ask(body string) {
	w.t.Helper()
	if err := w.serve("history", body); err != nil {
		w.t.Errorf("handle: %v", err)
	}
}

// received compares the frames that the client got since the last call.
func (w *world) received(want ...string) {
	w.t.Helper()
	if got := w.gateway.posted; !slices.Equal(got, want) {
		w.t.Errorf("the client got\n%q, want\n%q", got, want)
	}
	w.gateway.posted = nil
}

// fakeStore is a table with one connection.
type fakeStore struct {
	t        *testing.T
	sender   connections.Connection
	countErr error
	kickAt   int // with which strike the connection is kicked, 0 for never

	counted, strikes int
}

func (f *fakeStore) CountRequests(_ context.Context, id string, n int, _ time.Time) (connections.Connection, error) {
	f.counted += n
	if id != f.sender.ID {
		f.t.Errorf("counted a request of %s", id)
	}
	if f.countErr != nil {
		return connections.Connection{}, fmt.Errorf("count request: %w", f.countErr)
	}
	return f.sender, nil
}

func (f *fakeStore) Strike(context.Context, string, time.Time) (connections.Struck, error) {
	f.strikes++
	return connections.Struck{Subject: f.sender.Subject, Kicked: f.strikes == f.kickAt}, nil
}

// fakeRooms has the logs of rooms in memory.
type fakeRooms struct {
	entries map[string][]roomlog.Entry
	err     error
	hold    func(room string) // called during each read

	mu    sync.Mutex
	reads int
}

func (f *fakeRooms) read(room string) ([]roomlog.Entry, roomlog.Page, error) {
	if f.hold != nil {
		f.hold(room)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	all := f.entries[room]
	var page roomlog.Page
	if len(all) > 0 {
		page.Head = all[len(all)-1].Seq
	}
	return all, page, f.err
}

func (f *fakeRooms) After(_ context.Context, room string, after int64) (roomlog.Page, error) {
	all, page, err := f.read(room)
	for _, e := range all {
		if e.Seq > after {
			page.Entries = append(page.Entries, e)
		}
	}
	page.Complete = after == 0 || after == page.Head || len(page.Entries) > 0 && page.Entries[0].Seq == after+1
	return page, err
}

func (f *fakeRooms) Before(_ context.Context, room string, before int64, limit int) (roomlog.Page, error) {
	all, page, err := f.read(room)
	for _, e := range all {
		if e.Seq < before {
			page.Entries = append(page.Entries, e)
		}
	}
	if page.More = len(page.Entries) > limit; page.More {
		page.Entries = page.Entries[len(page.Entries)-limit:]
	}
	return page, err
}

func (f *fakeRooms) Last(ctx context.Context, room string, limit int) (roomlog.Page, error) {
	return f.Before(ctx, room, 1<<62, limit)
}

// fakeMarkers has the markers of alice in memory.
type fakeMarkers struct {
	err error

	mu          sync.Mutex
	seqs        map[string]int64 // by room
	gets, moves int
}

func (f *fakeMarkers) Get(_ context.Context, user, room string) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gets++
	if user != "alice" {
		return 0, fmt.Errorf("the marker of %s", user)
	}
	return f.seqs[room], f.err
}

func (f *fakeMarkers) Raise(_ context.Context, user, room string, seq int64) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.moves++
	if user != "alice" {
		return 0, fmt.Errorf("the marker of %s", user)
	}
	f.seqs[room] = max(f.seqs[room], seq)
	return f.seqs[room], f.err
}

// fakeRosters knows that alice is alone in each room.
type fakeRosters struct {
	t       *testing.T
	err     error
	unknown bool // the state of a room is not known yet
	push    *presence.Push

	mu     sync.Mutex
	asked  []string
	posted int
}

func (f *fakeRosters) Ask(_ context.Context, room string, from presence.Asker) (presence.Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, room)
	want := presence.Asker{ConnectionID: "asks=", User: message.Sender{Subject: "alice", Name: "Alice"}}
	if from != want {
		f.t.Errorf("%+v asks", from)
	}
	if f.err != nil || f.unknown {
		return presence.Answer{}, f.err
	}
	frame, err := message.Presence{Room: room, N: 1, Count: 1, Users: []message.Sender{want.User}}.Encode()
	return presence.Answer{Frame: frame, Push: f.push}, err
}

func (f *fakeRosters) Post(_ context.Context, push *presence.Push) (broadcast.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.posted++
	if push != f.push {
		f.t.Error("posted another push")
	}
	return broadcast.Result{}, f.err
}

// fakeGateway is an @connections endpoint.
type fakeGateway struct {
	t        *testing.T
	err      error
	closeErr error

	mu     sync.Mutex
	posted []string
	closed int
}

var errDenied = errors.New("not authorized to perform: execute-api:ManageConnections")

func (f *fakeGateway) Post(_ context.Context, id string, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id != "asks=" {
		f.t.Errorf("posted to %s", id)
	}
	if broken := protocol.FromServer(data); broken != nil {
		f.t.Errorf("posted %s: %v", data, broken)
	}
	if f.err == nil {
		f.posted = append(f.posted, string(data))
	}
	return f.err
}

func (f *fakeGateway) Close(context.Context, string) error {
	f.closed++
	return f.closeErr
}
