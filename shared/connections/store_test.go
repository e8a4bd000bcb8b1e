package connections

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"testing"
	"time"

	"signedsocket/shared/dynamo"
)

func TestTouchReturnsTheConnection(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{RoomShards: 1})
	a := admission("c1=")
	a.Rooms = []string{"lobby", "team-1"}
	connect(t, store, a)
	got, err := store.Touch(t.Context(), "c1=", epoch)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "connection", Connection{
		ID: "c1=", Subject: "alice", Name: "Alice Ä", Rooms: []Membership{{Room: "lobby"}, {Room: "team-1"}},
		SessionEndsAt: a.SessionEndsAt, ConnectedAt: a.ConnectedAt, Protocol: 1,
	}, got)
	if !got.In("team-1") || got.In("team") {
		t.Error("In disagrees with the rooms")
	}
}

func TestAConnectionKeepsItsRights(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{RoomShards: 1})
	a := admission("c1=")
	a.Rooms, a.ReadOnly, a.Moderator = []string{"lobby", "news"}, []string{"news"}, true
	connect(t, store, a)
	got, err := store.Touch(t.Context(), "c1=", epoch)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "rooms", []Membership{{Room: "lobby"}, {Room: "news", ReadOnly: true}}, got.Rooms)
	if !got.Moderator || !got.MayWrite("lobby") || got.MayWrite("news") || got.MayWrite("ops") {
		t.Errorf("moderator %t; may write in lobby %t, news %t, ops %t; want true, true, false, false", got.Moderator,
			got.MayWrite("lobby"), got.MayWrite("news"), got.MayWrite("ops"))
	}
}

func TestANewerConnectionOfAClientHasTheRightsOfItsOwnGrant(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{ConnectionsPerUser: 2, RoomShards: 1})
	older, newer := by("alice", "instance", "older="), by("alice", "instance", "newer=")
	older.Rooms, older.ReadOnly, older.Moderator = []string{"lobby", "news"}, nil, true
	newer.Rooms, newer.ReadOnly, newer.Moderator = []string{"news", "lobby"}, []string{"lobby"}, false
	for _, a := range []Admission{older, newer} {
		if _, err := store.Connect(t.Context(), a, epoch); err != nil {
			t.Fatal(err)
		}
		got, err := store.Touch(t.Context(), a.ConnectionID, epoch)
		if err != nil || got.Moderator != a.Moderator || !got.MayWrite("news") ||
			got.MayWrite("lobby") != a.Moderator {
			t.Errorf("%s: %+v, %v", a.ConnectionID, got, err)
		}
	}
}

func TestTouchCountsMessagesPerWindow(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{MessagesPerWindow: 2})
	connect(t, store, admission("c1="))
	at := func(d time.Duration) error {
		_, err := store.Touch(t.Context(), "c1=", epoch.Add(d))
		return err
	}
	for _, d := range []time.Duration{0, 9 * time.Second} {
		if err := at(d); err != nil {
			t.Fatal(err)
		}
	}
	var limit *RateLimitError
	if err := at(7500 * time.Millisecond); !errors.As(err, &limit) || limit.RetryAfter != 2500*time.Millisecond {
		t.Errorf("err = %v, want 2.5 s until the next window", err)
	}
	window := epoch.Unix() / windowSeconds
	windows := func(want ...string) {
		t.Helper()
		conn := table.items(t)["CONN#c1= CONN"]
		for i, count := range want {
			if got := conn[windowName(window+int64(i))]; got != count {
				t.Errorf("window %d counts %q, want %q", i, got, count)
			}
		}
	}
	windows("2")
	if err := at(10 * time.Second); err != nil {
		t.Errorf("in the next window: %v", err)
	}
	windows("2", "1")
	if err := at(9 * time.Second); !errors.As(err, &limit) { // an invocation that began earlier counts late
		t.Errorf("late in a full window: %v, want the limit", err)
	}
	if err := at((1 + staleWindows) * windowSeconds * time.Second); err != nil {
		t.Fatal(err)
	}
	windows("", "", "", "", "", "", "", "", "", "", "", "", "", "1")
}

func TestTouchRefuses(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	if _, err := store.Touch(t.Context(), "unknown=", epoch); !errors.Is(err, ErrNotConnected) {
		t.Errorf("unknown: %v", err)
	}
	if items := table.items(t); len(items) != 0 {
		t.Errorf("a refused message left %v", items)
	}
	a := admission("c1=")
	connect(t, store, a)
	if _, err := store.Touch(t.Context(), "c1=", a.SessionEndsAt.Add(-time.Second)); err != nil {
		t.Errorf("in the session's last second: %v", err)
	}
	if _, err := store.Touch(t.Context(), "c1=", a.SessionEndsAt); !errors.Is(err, ErrSessionEnded) {
		t.Errorf("at the session's end: %v", err)
	}
}

func TestMembersListsAllConnectionsInTheRoom(t *testing.T) {
	t.Parallel()
	for _, shards := range []int{1, 3} {
		t.Run(fmt.Sprint(shards, " shards"), func(t *testing.T) {
			t.Parallel()
			table := newTable(t, http.DefaultTransport)
			store := New(table.client, table.tables(), Limits{RoomShards: shards, ConnectionsPerUser: 20})
			store.page = 2
			want := make(map[string]bool)
			for i := range 9 {
				a := admission(fmt.Sprintf("c%d=", i))
				switch i {
				case 2:
					a.SessionEndsAt = epoch.Add(time.Minute) // over when the room is read
				case 5:
					a.Rooms = []string{"lobby2"}
				default:
					want[a.ConnectionID] = true
				}
				connect(t, store, a)
			}
			got, pages := make(map[string]bool), 0
			for page, err := range store.Members(t.Context(), "lobby", epoch.Add(time.Minute)) {
				if err != nil {
					t.Fatal(err)
				}
				pages++
				for _, member := range page {
					if got[member.ConnectionID] || !member.ConnectedAt.Equal(epoch.Add(123*time.Millisecond)) {
						t.Errorf("member %+v", member)
					}
					got[member.ConnectionID] = true
				}
			}
			same(t, "members", want, got)
			if pages < 4 {
				t.Errorf("%d pages of two for eight items", pages)
			}
			for range store.Members(t.Context(), "lobby", epoch) {
				break // and a caller may stop early
			}
		})
	}
}

func TestNamedMembersHaveNamesAndProtocols(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{RoomShards: 2})
	old, v2 := admission("c1="), admission("c2=")
	v2.Subject, v2.Name, v2.Protocol = "bob", "Bob", 2
	connect(t, store, old)
	connect(t, store, v2)
	before := membershipKey(Membership{Room: "lobby", Shard: shardOf("c3=", 2)}, "c3=") // written before presence
	if err := store.putNow(t.Context(), with(before, item{
		"sub": dynamo.Text("carol"), "sx": dynamo.Number(v2.SessionEndsAt.Unix()),
		"connectedAt": dynamo.Number(v2.ConnectedAt.UnixMilli()),
	})); err != nil {
		t.Fatal(err)
	}
	list := func(pages iter.Seq2[[]Member, error]) map[string]Member {
		found := make(map[string]Member)
		for page, err := range pages {
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page {
				found[m.ConnectionID] = m
			}
		}
		return found
	}
	at := v2.ConnectedAt
	for _, consistent := range []bool{true, false} {
		same(t, "members", map[string]Member{
			"c1=": {ConnectionID: "c1=", Subject: "alice", Name: "Alice Ä", Protocol: 1, ConnectedAt: at},
			"c2=": {ConnectionID: "c2=", Subject: "bob", Name: "Bob", Protocol: 2, ConnectedAt: at},
			"c3=": {ConnectionID: "c3=", Subject: "carol", Protocol: 1, ConnectedAt: at},
		}, list(store.NamedMembers(t.Context(), "lobby", epoch, consistent)))
	}
	if m := list(store.Members(t.Context(), "lobby", epoch))["c2="]; m.Name != "" || m.Protocol != 0 {
		t.Errorf("a broadcast reads %+v", m)
	}
	if got := list(store.NamedMembers(t.Context(), "lobby", v2.SessionEndsAt, true)); len(got) != 0 {
		t.Errorf("after the end of the sessions %v", got)
	}
}

func TestMembersEndWithTheFirstError(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	pages := 0
	for page, err := range New(table.client, Tables{Connections: "no-such-table"},
		Limits{RoomShards: 3}).Members(t.Context(), "lobby", epoch) {
		if pages++; err == nil || page != nil {
			t.Errorf("page %v, err %v", page, err)
		}
	}
	if pages != 1 {
		t.Errorf("%d results after an error", pages)
	}
}

func TestShardsAreUsedEvenly(t *testing.T) {
	t.Parallel()
	const shards, connections = 4, 4000
	var counts [shards]int
	for i := range connections {
		counts[shardOf(fmt.Sprintf("%015d=", i), shards)]++
	}
	if slices.Min(counts[:]) < connections/shards*8/10 {
		t.Errorf("connections per shard: %v", counts)
	}
}

func TestRemoveLeavesNoItem(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	connect(t, store, admission("other="))
	before := table.items(t)
	a := admission("c1=")
	a.Rooms = []string{"lobby", "team-1"}
	connect(t, store, a)
	for _, step := range []struct {
		name        string
		id          string
		connectedAt time.Time
		want        bool
	}{
		{"another connection time", "c1=", a.ConnectedAt.Add(time.Millisecond), false},
		{"the right time", "c1=", a.ConnectedAt, true},
		{"twice", "c1=", time.Time{}, false},
		{"an unknown one", "unknown=", time.Time{}, false},
	} {
		if removed, err := store.Remove(t.Context(), step.id, step.connectedAt); err != nil || removed != step.want {
			t.Errorf("%s: Remove = %v, %v; want %v", step.name, removed, err, step.want)
		}
	}
	before["TICKET#ticket-c1= TICKET"] = map[string]string{"expiresAt": "1795327810"}
	same(t, "items", before, table.items(t))
}

func TestRemoveWithoutTheUsersEntry(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	connect(t, store, admission("c1="))
	table.remove(t, userKey("alice"))
	if removed, err := store.Remove(t.Context(), "c1=", time.Time{}); err != nil || !removed {
		t.Errorf("Remove = %v, %v", removed, err)
	}
	same(t, "live", map[string]bool{}, table.live(t, "alice"))
}

func TestRemoveIsTriedAgainInConflict(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	connect(t, New(table.client, table.tables(), Limits{}), admission("c1="))
	api := &conflicting{API: table.client, every: 2}
	api.calls.Store(1) // so that the first transaction is the one in conflict
	store := New(api, table.tables(), Limits{})
	if removed, err := store.Remove(t.Context(), "c1=", time.Time{}); err != nil || !removed {
		t.Errorf("Remove = %v, %v", removed, err)
	}
}

func TestMayConnect(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		user map[string]int64
		want error
	}{
		{"an unknown user", nil, nil},
		{"a user without a mark", map[string]int64{"n": 1}, nil},
		{"revoked later", map[string]int64{"notBefore": epoch.Unix()}, ErrRevoked},
		{"revoked earlier", map[string]int64{"notBefore": epoch.Unix() - 1}, nil},
		{"banned", map[string]int64{"bannedUntil": epoch.Unix() + 61}, ErrBanned},
		{"banned until now", map[string]int64{"bannedUntil": epoch.Unix() + 60}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t, http.DefaultTransport)
			table.set(t, userKey("alice"), test.user)
			api := &counting{API: table.client}
			store, alice := New(api, table.tables(), Limits{}), Applicant{UserID: "alice", AuthenticatedAt: epoch}
			if err := store.MayConnect(t.Context(), alice, epoch.Add(time.Minute)); !errors.Is(err, test.want) {
				t.Errorf("err = %v, want %v", err, test.want)
			}
			api.expect(t, "a look at the user", 3)
		})
	}
	table := newTable(t, http.DefaultTransport)
	if err := New(table.client, Tables{Connections: "no-such-table"}, Limits{}).MayConnect(t.Context(),
		Applicant{UserID: "alice", AuthenticatedAt: epoch}, epoch); err == nil || errors.Is(err, ErrRevoked) {
		t.Errorf("a fault gave %v", err)
	}
}

// The number of calls is part of the design: it is most of a message's latency and cost.
func TestCallsPerOperation(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	api := &counting{API: table.client}
	store := New(api, table.tables(), Limits{})
	connect(t, store, admission("c1="))
	api.expect(t, "connect", 4)
	if _, err := store.Touch(t.Context(), "c1=", epoch); err != nil {
		t.Fatal(err)
	}
	for _, err := range store.Members(t.Context(), "lobby", epoch) {
		if err != nil {
			t.Fatal(err)
		}
	}
	api.expect(t, "a message", 2)
	for range 2 {
		if _, err := store.Remove(t.Context(), "c1=", time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	api.expect(t, "disconnect, twice", 2+1)
}
