package cost

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"time"

	"signedsocket/shared/broadcast"
	"signedsocket/shared/connections"
	"signedsocket/shared/markers"
	"signedsocket/shared/message"
	"signedsocket/shared/presence"
)

// allTake is a poster whose recipients all take the frame.
type allTake struct{ bytes int }

func (a *allTake) Deliver(
	_ context.Context, _ broadcast.Origin, frame []byte, pages iter.Seq2[[]connections.Member, error],
) (result broadcast.Result, err error) {
	a.bytes = len(frame)
	for page := range pages {
		result.Recipients += len(page)
		result.Delivered += len(page)
	}
	return result, nil
}

// presenceSteps compares what presence and the markers consume with the model, in a room of fifty.
func presenceSteps(t *testing.T, m *meter, store *connections.Store, now time.Time) {
	t.Helper()
	const members = 50
	room, posted := Room{Members: members, Shards: 1}, new(allTake)
	rooms := &presence.Rooms{
		API: m, Table: "connections", Members: store, Poster: posted, Limit: 100, Now: func() time.Time { return now },
	}
	step := func(what string, reads, writes float64, do func()) {
		t.Helper()
		m.reads, m.writes = 0, 0
		do()
		if m.reads != reads || m.writes != writes {
			t.Errorf("%s consumed %v read and %v write units, the model has %v and %v",
				what, m.reads, m.writes, reads, writes)
		}
	}
	user := func(i int) string { return fmt.Sprintf("b7c81f5e-2b2d-4a36-9f43-%012d", i) }
	join := func(i int) {
		t.Helper()
		id := fmt.Sprintf("Presence%06d=", i)
		if _, err := store.Connect(t.Context(), connections.Admission{
			ConnectionID: id, ConnectedAt: now, Rooms: []string{"hall"}, Subject: user(i), Name: "Somebody",
			SessionEndsAt: now.Add(24 * time.Hour), AuthenticatedAt: now, Ticket: id, TicketExpiresAt: now, Protocol: 2,
		}, now); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(i int) {
		t.Helper()
		asker := presence.Asker{ConnectionID: fmt.Sprintf("Presence%06d=", i),
			User: message.Sender{Subject: user(i), Name: "Somebody"}}
		if _, err := rooms.Ask(t.Context(), "hall", asker); err != nil {
			t.Fatal(err)
		}
	}
	tick := func() {
		t.Helper()
		watched, err := rooms.Watched(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		push, err := rooms.Tick(t.Context(), watched[0])
		if err != nil {
			t.Fatal(err)
		}
		if push == nil {
			return
		}
		if _, err := rooms.Post(t.Context(), push); err != nil {
			t.Fatal(err)
		}
	}
	for i := range members - 1 {
		join(i)
	}
	ask(0)
	tick()
	list := 0.5 // of one item, not consistent
	join(members - 1)
	now = now.Add(time.Hour)
	step("a question that reads a room that has changed", room.hereReads()+room.reads(), 2*room.hereWrites(),
		func() { ask(0) })
	step("a question within the pace", room.hereReads(), 0, func() { ask(1) })
	step("a tick that pushes", list+room.reads()/2, 2*room.hereWrites(), tick)
	now = now.Add(time.Hour)
	step("a tick that finds nothing new", list+room.reads()/2, 0, tick)
	step("a question that finds nothing new", room.hereReads()+room.reads(), room.hereWrites(), func() { ask(0) })
	if got := float64(posted.bytes) / members; got < rosterBytes-3 || got > rosterBytes+3 {
		t.Errorf("a user takes %.1f bytes of a frame, the model has %v", got, rosterBytes)
	}
	read := &markers.Store{API: m, Table: "connections", Now: func() time.Time { return now }}
	step("move a marker", 0, markerWrites, func() {
		if _, err := read.Raise(t.Context(), user(0), "hall", 1795943828551); err != nil {
			t.Fatal(err)
		}
	})
	step("read a marker", markerReads, 0, func() {
		if _, err := read.Get(t.Context(), user(0), "hall"); err != nil {
			t.Fatal(err)
		}
	})
}
