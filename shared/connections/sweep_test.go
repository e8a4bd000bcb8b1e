package connections

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// due returns the connections to close at now, with the reasons.
func due(t *testing.T, store *Store, now time.Time) map[string]Reason {
	t.Helper()
	found := make(map[string]Reason)
	for _, sweep := range dueSweeps(t, store, now) {
		if _, twice := found[sweep.ConnectionID]; twice {
			t.Errorf("%s is due twice", sweep.ConnectionID)
		}
		found[sweep.ConnectionID] = sweep.Reason
	}
	return found
}

// dueSweeps lists the due connections for a reaper that has finished everything up to eleven minutes ago.
func dueSweeps(t *testing.T, store *Store, now time.Time) []Sweep {
	t.Helper()
	if err := store.Finish(t.Context(), nil, now.Add(-9*time.Minute)); err != nil {
		t.Fatal(err)
	}
	return allDue(t, store, now)
}

func allDue(t *testing.T, store *Store, now time.Time) []Sweep {
	t.Helper()
	var found []Sweep
	for page, err := range store.Due(t.Context(), now) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, page...)
	}
	return found
}

func TestSessionThatEndsEarlyIsDueAtItsEnd(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	store.page = 2
	end := epoch.Add(25*time.Minute + 10*time.Second)
	for i := range 7 {
		a := admission(fmt.Sprintf("c%d=", i))
		a.Subject, a.SessionEndsAt = fmt.Sprint("user", i), end
		connect(t, store, a)
	}
	for _, test := range []struct {
		name string
		now  time.Time
		want int
	}{
		{"a second before", end.Add(-time.Second), 0},
		{"at its end", end, 7},
		{"ten minutes later", end.Add(10 * time.Minute), 7},
	} {
		if got := due(t, store, test.now); len(got) != test.want {
			t.Errorf("%s: due %v, want %d", test.name, got, test.want)
		}
	}
	for _, sweep := range dueSweeps(t, store, end) {
		if sweep.Reason != SessionEnded || !sweep.ConnectedAt.Equal(admission("").ConnectedAt) {
			t.Errorf("due %+v", sweep)
		}
		if err := store.RemoveSweep(t.Context(), sweep); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "due after the sweep", map[string]Reason{}, due(t, store, end))
}

// API Gateway closes a connection after two hours; asking the reaper to do so at the same time would cost every
// connection two writes more.
func TestSessionThatAPIGatewayEndsIsNotSwept(t *testing.T) {
	t.Parallel()
	limit := admission("").ConnectedAt.Add(2 * time.Hour)
	for end, want := range map[time.Time]int{
		limit.Add(-time.Minute): 0, limit.Add(-time.Minute - 1): 1,
		limit.Add(time.Hour): 0,
	} {
		a := admission("c1=")
		a.SessionEndsAt = end
		if got := New(nil, Tables{Connections: "table"}, Limits{}).sweepLater(a); len(got) != want {
			t.Errorf("a session until %s before the limit writes %d items, want %d", limit.Sub(end), len(got), want)
		}
	}
}

func TestEvictedConnectionIsDueAtOnce(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{ConnectionsPerUser: 1})
	connect(t, store, admission("c1="))
	if evicted, err := store.Connect(t.Context(), admission("c2="), epoch); err != nil || len(evicted.Removed) != 1 {
		t.Fatalf("Connect = %v, %v", evicted, err)
	}
	same(t, "due", map[string]Reason{"c1=": Evicted}, due(t, store, epoch))
	if got := dueSweeps(t, store, epoch); !got[0].ConnectedAt.Equal(admission("").ConnectedAt) {
		t.Errorf("due %+v, want the time of its connection", got)
	}
}

func TestThirdStrikeKicks(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	tests := []struct {
		name string
		at   []time.Duration // of the violations
		want bool
	}{
		{"three in a minute", []time.Duration{0, 1, 2}, true},
		{"two in a minute", []time.Duration{0, 1}, false},
		{"over two minutes", []time.Duration{59 * time.Second, 61 * time.Second, 62 * time.Second}, true},
		{"one a minute", []time.Duration{0, minute, 2 * minute, 3 * minute, 4 * minute}, false},
		{"two, and two much later", []time.Duration{0, 1, 2 * minute, 2*minute + 1}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t, http.DefaultTransport)
			store := New(table.client, table.tables(), Limits{})
			connect(t, store, admission("c1="))
			kicked := false
			var now time.Time
			for _, at := range test.at {
				now = epoch.Add(at)
				struck, err := store.Strike(t.Context(), "c1=", now)
				if err != nil {
					t.Fatal(err)
				}
				kicked = kicked || struck.Kicked
			}
			if kicked != test.want {
				t.Errorf("kicked: %t, want %t", kicked, test.want)
			}
			_, err := store.Touch(t.Context(), "c1=", now)
			if got := errors.Is(err, ErrKicked); got != test.want || err != nil && !got {
				t.Errorf("a message afterwards: %v", err)
			}
			if got := due(t, store, now)["c1="]; (got == Kicked) != test.want {
				t.Errorf("due for %q", got)
			}
			if got := len(table.items(t)["CONN#c1= CONN"]); got > 6+1+3 {
				t.Errorf("the item has %d attributes: old strikes pile up", got)
			}
		})
	}
}

func TestKickHappensOnce(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	connect(t, store, admission("c1="))
	for i := range 3 {
		if struck, err := store.Strike(t.Context(), "c1=", epoch); err != nil || struck != (Struck{"alice", i == 2}) {
			t.Fatalf("strike %d = %v, %v", i+1, struck, err)
		}
	}
	if _, err := store.Strike(t.Context(), "c1=", epoch); !errors.Is(err, ErrKicked) {
		t.Errorf("a strike after the kick: %v", err)
	}
	if _, err := store.Strike(t.Context(), "unknown=", epoch); !errors.Is(err, ErrNotConnected) {
		t.Errorf("a strike of an unknown connection: %v", err)
	}
	// A connection whose third strike was counted at the same time as another strike.
	kicked, err := store.kick(t.Context(), "alice", newSweep("c1=", epoch, Kicked, epoch), epoch)
	if err != nil || kicked {
		t.Errorf("a second kick = %t, %v", kicked, err)
	}
	if _, created := table.items(t)["CONN#unknown= CONN"]; created {
		t.Error("a strike made an item")
	}
}

func TestRevokeReturnsTheConnectionsAndShutsTheUserOut(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	for _, id := range []string{"a=", "b="} {
		connect(t, store, admission(id))
	}
	now := epoch.Add(time.Second + 900*time.Millisecond)
	ids, err := store.Revoke(t.Context(), Revocation{Subject: "alice"}, now)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "connections", []string{"a=", "b="}, ids)
	for name, test := range map[string]struct {
		authenticatedAt time.Time
		want            error
	}{
		"before":             {epoch, ErrRevoked},
		"in the same second": {epoch.Add(time.Second), ErrRevoked},
		"in the next second": {epoch.Add(2 * time.Second), nil},
	} {
		a := admission("after " + name)
		a.AuthenticatedAt = test.authenticatedAt
		if _, err := store.Connect(t.Context(), a, now); !errors.Is(err, test.want) {
			t.Errorf("a user who authenticated %s: %v, want %v", name, err, test.want)
		}
		if err := store.MayConnect(t.Context(), Applicant{UserID: "alice", AuthenticatedAt: test.authenticatedAt},
			now); !errors.Is(err, test.want) {
			t.Errorf("a user who authenticated %s may connect: %v, want %v", name, err, test.want)
		}
	}
}

func TestBan(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	revoke := func(bannedUntil time.Time) {
		t.Helper()
		if ids, err := store.Revoke(t.Context(), Revocation{Subject: "bob", BannedUntil: bannedUntil},
			epoch); err != nil || len(ids) != 0 {
			t.Fatalf("Revoke = %v, %v", ids, err)
		}
	}
	allowed := func(want error) {
		t.Helper()
		later := epoch.Add(time.Minute)
		if err := store.MayConnect(t.Context(), Applicant{UserID: "bob", AuthenticatedAt: later},
			later); !errors.Is(err, want) {
			t.Errorf("MayConnect = %v, want %v", err, want)
		}
	}
	year := epoch.Add(365 * 24 * time.Hour)
	revoke(year)
	allowed(ErrBanned)
	revoke(time.Time{}) // once more, without a word about the ban
	allowed(ErrBanned)
	keep := fmt.Sprint(year.Add(400 * 24 * time.Hour).Unix())
	if got := table.ban(t, "bob")["expiresAt"]; got != keep {
		t.Errorf("the ban is kept until %s, want %s", got, keep)
	}
	revoke(time.Unix(0, 0))
	allowed(nil)
}

func TestExpelRemovesAndMakesDue(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	a := admission("c1=")
	a.Rooms = []string{"lobby", "team-1"}
	connect(t, store, a)
	connect(t, store, admission("c2="))
	sweep, known, err := store.Expel(t.Context(), "c1=", Revoked, epoch)
	if err != nil || !known || !sweep.ConnectedAt.Equal(a.ConnectedAt) {
		t.Fatalf("Expel = %+v, %t, %v", sweep, known, err)
	}
	same(t, "live", map[string]bool{"c2=": true}, table.live(t, "alice"))
	if got := dueSweeps(t, store, epoch); len(got) != 1 || got[0] != sweep {
		t.Errorf("due %+v, want %+v", got, sweep)
	}
	if _, known, err := store.Expel(t.Context(), "c1=", Revoked, epoch); err != nil || known {
		t.Errorf("Expel twice = %t, %v", known, err)
	}
	if err := store.RemoveSweep(t.Context(), sweep); err != nil {
		t.Fatal(err)
	}
	same(t, "due", map[string]Reason{}, due(t, store, epoch))
}

// failing is an API whose queries fail.
type failing struct{ API }

var errNoTable = errors.New("no route to table")

func (failing) GetItem(
	context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options),
) (*dynamodb.GetItemOutput, error) {
	return &dynamodb.GetItemOutput{}, nil
}

func (failing) Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return nil, errNoTable
}

func TestDueEndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	results := 0
	for page, err := range New(failing{}, Tables{Connections: "table"}, Limits{}).Due(t.Context(), epoch) {
		if results++; page != nil || !errors.Is(err, errNoTable) {
			t.Errorf("page %v, err %v", page, err)
		}
	}
	if results != 1 {
		t.Errorf("%d results after an error", results)
	}
}

func TestExpelSlowRemovesAndMakesDue(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	a := admission("c1=")
	connect(t, store, a)
	if _, err := store.ExpelSlow(t.Context(), "c1=", a.ConnectedAt, epoch); err != nil {
		t.Fatal(err)
	}
	same(t, "due", map[string]Reason{"c1=": TooSlow}, due(t, store, epoch))
	if _, err := store.Touch(t.Context(), "c1=", epoch); !errors.Is(err, ErrNotConnected) {
		t.Errorf("a message of it: %v", err)
	}
	if _, err := store.ExpelSlow(t.Context(), "c1=", a.ConnectedAt, epoch); err != nil {
		t.Errorf("a second time: %v", err)
	}
}

func TestReaperCatchesUpFromWhereItStopped(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	for i, id := range []string{"a=", "b=", "c="} {
		a := admission(id)
		a.Subject, a.SessionEndsAt = id[:1], epoch.Add(time.Duration(10+5*i)*time.Minute)
		connect(t, store, a)
	}
	finish := func(now time.Time, left ...Sweep) {
		t.Helper()
		if err := store.Finish(t.Context(), left, now); err != nil {
			t.Fatal(err)
		}
	}
	names := func(now time.Time) (ids []string) {
		for _, sweep := range allDue(t, store, now) {
			ids = append(ids, sweep.ConnectionID)
		}
		return ids
	}
	finish(epoch.Add(5 * time.Minute))
	away := epoch.Add(100 * time.Minute) // nothing came for an hour and a half
	due := allDue(t, store, away)
	same(t, "due after a long absence", []string{"a=", "b=", "c="}, names(away))
	for _, done := range []Sweep{due[0], due[2]} {
		if err := store.RemoveSweep(t.Context(), done); err != nil {
			t.Fatal(err)
		}
	}
	finish(away, due[1])
	same(t, "due again", []string{"b="}, names(away.Add(20*time.Minute)))
	api := &counting{API: table.client}
	counted := New(api, table.tables(), Limits{})
	for range counted.Due(t.Context(), away) {
	}
	api.expect(t, "what is not finished", 1+4*(100-15+1))
	finish(away)
	for range counted.Due(t.Context(), away) {
	}
	api.expect(t, "a sweep with nothing left", 1+4*settledMinutes)
	finish(away, due[1]) // a slower sweep of another invocation
	finish(away.Add(-time.Minute))
	same(t, "never back", fmt.Sprint(minuteOf(away)-settledMinutes), table.items(t)["REAPER REAPER"]["minute"])
	// A function that is taken over writes a minute of the future: the reaper looks back as far as connections live.
	table.set(t, reaperKey(), map[string]int64{"minute": minuteOf(away) + 1000})
	same(t, "due in spite of a false minute", []string{"b="}, names(away))
	finish(away)
	same(t, "repaired", fmt.Sprint(minuteOf(away)-settledMinutes), table.items(t)["REAPER REAPER"]["minute"])
}
