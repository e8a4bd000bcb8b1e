package connections

import (
	"net/http"
	"testing"
	"time"
)

// listed returns a member as its room lists it.
func listed(t *testing.T, store *Store, room, connectionID string) Member {
	t.Helper()
	for page, err := range store.Members(t.Context(), room, epoch) {
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page {
			if m.ConnectionID == connectionID {
				return m
			}
		}
	}
	t.Fatalf("%s is not listed in %s", connectionID, room)
	return Member{}
}

func TestASecondBroadcastFindsTheMarkOfTheFirst(t *testing.T) {
	t.Parallel()
	for _, shards := range []int{1, 8} {
		table := newTable(t, http.DefaultTransport)
		store := New(table.client, table.tables(), Limits{RoomShards: shards})
		a := admission("c1=")
		a.Rooms = []string{"lobby", "team-1"}
		connect(t, store, a)
		m := listed(t, store, "lobby", "c1=")
		if !m.Slow.IsZero() {
			t.Errorf("a new member is marked: %v", m)
		}
		mark := func(name string, began, now time.Duration, want bool) {
			t.Helper()
			again, err := store.MarkSlow(t.Context(), "lobby", m, epoch.Add(began), epoch.Add(now))
			if err != nil || again != want {
				t.Errorf("%s: MarkSlow = %t, %v; want %t", name, again, err, want)
			}
		}
		mark("the first", 0, 2*time.Second, false)
		mark("one at the same time", time.Second, 3*time.Second, false)
		mark("one that began as the first was over", 2*time.Second, 4*time.Second, false)
		if got := listed(t, store, "lobby", "c1="); !got.Slow.Equal(epoch.Add(2 * time.Second)) {
			t.Errorf("listed as %v", got)
		}
		if got := listed(t, store, "team-1", "c1="); !got.Slow.IsZero() {
			t.Errorf("marked in the other room: %v", got)
		}
		mark("one that began after it", 2001*time.Millisecond, 5*time.Second, true)
		mark("one after the mark is too old", 2*time.Hour, 2*time.Hour+time.Second, false)
		mark("and the next", 2*time.Hour+2*time.Second, 2*time.Hour+3*time.Second, true)
	}
}

func TestAMarkIsClearedAsItWasSeen(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	connect(t, store, admission("c1="))
	before := table.items(t)
	m := listed(t, store, "lobby", "c1=")
	if _, err := store.MarkSlow(t.Context(), "lobby", m, epoch, epoch.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	m.Slow = epoch // an older mark
	if err := store.ClearSlow(t.Context(), "lobby", m); err != nil {
		t.Fatal(err)
	}
	m = listed(t, store, "lobby", "c1=")
	if !m.Slow.Equal(epoch.Add(time.Second)) {
		t.Errorf("a newer mark was cleared: %v", m)
	}
	if err := store.ClearSlow(t.Context(), "lobby", m); err != nil {
		t.Fatal(err)
	}
	same(t, "items", before, table.items(t))
}

// A member that is unknown, has another connection or is in another room is not marked, and no item is made.
func TestOnlyListedMembersAreMarked(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	connect(t, store, admission("c1="))
	before := table.items(t)
	m := listed(t, store, "lobby", "c1=")
	for name, c := range map[string]struct {
		room string
		m    Member
	}{
		"unknown":    {"lobby", Member{ConnectionID: "c2=", ConnectedAt: m.ConnectedAt}},
		"older":      {"lobby", Member{ConnectionID: "c1=", ConnectedAt: m.ConnectedAt.Add(-time.Second)}},
		"other room": {"vault", m},
	} {
		c.m.Slow = epoch
		again, err := store.MarkSlow(t.Context(), c.room, c.m, epoch, epoch)
		if err != nil || again {
			t.Errorf("%s: MarkSlow = %t, %v", name, again, err)
		}
		if err := store.ClearSlow(t.Context(), c.room, c.m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	same(t, "items", before, table.items(t))
}
