package connections

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
)

var epoch = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// admission returns a request of alice's for the room lobby, with a ticket of its own.
func admission(connectionID string) Admission {
	return Admission{
		ConnectionID: connectionID, ConnectedAt: epoch.Add(123 * time.Millisecond), Subject: "alice", Name: "Alice Ä",
		Rooms:         []string{"lobby"},
		SessionEndsAt: epoch.Add(2 * time.Hour), AuthenticatedAt: epoch.Add(-time.Minute),
		Ticket: "ticket-" + connectionID, TicketExpiresAt: epoch.Add(10 * time.Second),
	}
}

// connect admits a connection that must be admitted.
func connect(t *testing.T, store *Store, a Admission) {
	t.Helper()
	if _, err := store.Connect(t.Context(), a, epoch); err != nil {
		t.Fatal(err)
	}
}

func TestConnectWritesTheItemsOfAConnection(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	a := admission("c1=")
	a.Rooms = []string{"lobby", "team-1"}
	connect(t, New(table.client, table.tables(), Limits{}), a)
	membership := map[string]string{
		"sub": "alice", "nm": "Alice Ä", "sx": "1795334400", "connectedAt": "1795327200123",
		"expiresAt": "1795338000",
	}
	same(t, "items", map[string]map[string]string{
		"CONN#c1= CONN": {
			"sub": "alice", "nm": "Alice Ä", "rooms": "[{lobby 0} {team-1 0}]", "sx": "1795334400",
			"connectedAt": "1795327200123", "expiresAt": "1795338000",
		},
		"ROOM#lobby#0 c1=":         membership,
		"ROOM#team-1#0 c1=":        membership,
		"TICKET#ticket-c1= TICKET": {"expiresAt": "1795327810"},
		"USER#alice USER":          {"n": "1", "c_c1=": "1795334400.1795327200123", "expiresAt": "1797926400"},
	}, table.items(t))
}

func TestConnectRefuses(t *testing.T) {
	t.Parallel()
	ait := epoch.Add(-time.Minute).Unix()
	tests := []struct {
		name string
		user map[string]int64
		want error
	}{
		{"revoked after authentication", map[string]int64{"notBefore": ait + 1}, ErrRevoked},
		{"revoked in the second of authentication", map[string]int64{"notBefore": ait}, ErrRevoked},
		{"revoked before authentication", map[string]int64{"notBefore": ait - 1}, nil},
		{"banned", map[string]int64{"bannedUntil": epoch.Unix() + 1}, ErrBanned},
		{"a ban that is over", map[string]int64{"bannedUntil": epoch.Unix()}, nil},
		{"revoked and full", map[string]int64{"notBefore": ait, "n": 5, "c_x": 1}, ErrRevoked},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t, http.DefaultTransport)
			table.set(t, userKey("alice"), test.user)
			before := table.items(t)
			_, err := New(table.client, table.tables(), Limits{}).Connect(t.Context(), admission("c1="), epoch)
			if !errors.Is(err, test.want) {
				t.Fatalf("err = %v, want %v", err, test.want)
			}
			if test.want != nil {
				same(t, "items after a refusal", before, table.items(t))
			}
		})
	}
}

func TestTicketOpensOneConnection(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(&isolating{API: table.client}, table.tables(), Limits{})
	const tries = 16
	var group sync.WaitGroup
	results := make(chan error, tries)
	for i := range tries {
		group.Go(func() {
			a := admission(fmt.Sprintf("c%d=", i))
			a.Ticket = "the same"
			_, err := store.Connect(t.Context(), a, epoch)
			results <- err
		})
	}
	group.Wait()
	close(results)
	admitted := 0
	for err := range results {
		if err == nil {
			admitted++
		} else if !errors.Is(err, ErrTicketUsed) {
			t.Error(err)
		}
	}
	if live := table.live(t, "alice"); admitted != 1 || len(live) != 1 {
		t.Errorf("%d admitted, live %v; want one", admitted, live)
	}
}

func TestAFullUserCannotReuseATicket(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{ConnectionsPerUser: 1})
	connect(t, store, admission("c1="))
	replay := admission("c2=")
	replay.Ticket = "ticket-c1="
	if _, err := store.Connect(t.Context(), replay, epoch); !errors.Is(err, ErrTicketUsed) {
		t.Errorf("err = %v", err)
	}
	same(t, "live", map[string]bool{"c1=": true}, table.live(t, "alice"))
}

func TestOldestConnectionGivesWay(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	api := &counting{API: table.client}
	store := New(api, table.tables(), Limits{ConnectionsPerUser: 3})
	for id, end := range map[string]time.Duration{"c=": time.Hour, "b=": time.Hour, "a=": 90 * time.Minute} {
		a := admission(id)
		a.SessionEndsAt = epoch.Add(end)
		a.Rooms = []string{"lobby", "team-" + strings.TrimSuffix(id, "=")}
		connect(t, store, a)
	}
	api.expect(t, "three uncontended connects", 3*4)
	for _, step := range []struct {
		id   string
		live map[string]bool
	}{
		{"d=", map[string]bool{"a=": true, "c=": true, "d=": true}}, // b and c end together: the smaller id goes
		{"e=", map[string]bool{"a=": true, "d=": true, "e=": true}},
		{"f=", map[string]bool{"d=": true, "e=": true, "f=": true}},
	} {
		evicted, err := store.Connect(t.Context(), admission(step.id), epoch)
		if err != nil || len(evicted.Removed) != 1 {
			t.Fatalf("Connect = %v, %v; want one evicted", evicted, err)
		}
		same(t, "live after "+step.id, step.live, table.live(t, "alice"))
		api.expect(t, "a connect of a full user", 5)
	}
}

func TestAConnectionRemovedByTTLGivesWay(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{ConnectionsPerUser: 1})
	connect(t, store, admission("c1="))
	table.remove(t, connectionKey("c1="))
	table.remove(t, membershipKey(Membership{Room: "lobby"}, "c1="))
	if evicted, err := store.Connect(t.Context(), admission("c2="), epoch); err != nil || len(evicted.Removed) != 1 {
		t.Errorf("Connect = %v, %v", evicted, err)
	}
	same(t, "live", map[string]bool{"c2=": true}, table.live(t, "alice"))
}

func TestSeveralGiveWayAfterTheLimitWasLowered(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	before := New(table.client, table.tables(), Limits{ConnectionsPerUser: 12})
	for i := range 12 {
		a := admission(fmt.Sprintf("c%02d=", i))
		a.SessionEndsAt = epoch.Add(time.Duration(60+i) * time.Minute)
		connect(t, before, a)
	}
	after := New(table.client, table.tables(), Limits{ConnectionsPerUser: 2})
	for _, step := range []struct{ evicted, live int }{{7, 6}, {5, 2}, {1, 2}} {
		a := admission(fmt.Sprintf("d%d=", step.evicted))
		evicted, err := after.Connect(t.Context(), a, epoch)
		if err != nil || len(evicted.Removed) != step.evicted {
			t.Fatalf("Connect = %v, %v; want %d evicted", evicted, err, step.evicted)
		}
		if live := table.live(t, "alice"); len(live) != step.live || !live[a.ConnectionID] {
			t.Errorf("live %v, want %d with the newest", live, step.live)
		}
	}
}

func TestUserWithoutPlaceAndWithoutConnectionsIsAFault(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	table.set(t, userKey("alice"), map[string]int64{"n": 5})
	if _, err := New(table.client, table.tables(), Limits{}).Connect(t.Context(), admission("c1="),
		epoch); !errors.Is(err, errNoEntries) {
		t.Errorf("err = %v", err)
	}
}

func TestParallelConnectsNeverExceedTheLimit(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(&conflicting{API: &isolating{API: table.client}, every: 3}, table.tables(),
		Limits{ConnectionsPerUser: 3})
	var group sync.WaitGroup
	for i := range 10 {
		group.Go(func() {
			if _, err := store.Connect(t.Context(), admission(fmt.Sprintf("c%d=", i)), epoch); err != nil &&
				!dynamo.IsConflict(err) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if live := table.live(t, "alice"); len(live) != 3 {
		t.Errorf("live %v, want three", live)
	}
}

func TestEntriesOfSessionsThatEndTogetherSortByAge(t *testing.T) {
	t.Parallel()
	user := item{}
	// The ids of API Gateway do not sort by time: base64url puts digits last, and ASCII first.
	for i, id := range []string{"Q=", "1=", "a=", "_="} {
		user[entryName(id)] = entry{sx: 1795334400, connectedAt: 1795327200120 + int64(i)*10}.value()
	}
	user[entryName("z=")] = entry{sx: 1795334399, connectedAt: 1795327209999}.value()
	same(t, "order", []string{"z=", "Q=", "1=", "a=", "_="}, entriesByAge(user))
}

func TestEntryIsReadBackAsDynamoDBReturnsIt(t *testing.T) {
	t.Parallel()
	// Zeros at the end of a number do not come back.
	user := item{"c_x": &types.AttributeValueMemberN{Value: "1795334400.17953272"}}
	if got, want := entryOf(user, "c_x"), (entry{sx: 1795334400, connectedAt: 1795327200000}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
