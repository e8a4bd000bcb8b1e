package connections

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"signedsocket/shared/dynamo"
	"signedsocket/shared/userid"
)

// guestAdmission returns a request of a new guest.
func guestAdmission(connectionID string) Admission {
	a := admission(connectionID)
	a.Subject, a.Name = userid.NewGuest(), "guest"
	return a
}

func TestGuestsShareOneLimitAndNoGuestGivesWay(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	api := &counting{API: table.client}
	store := New(api, table.tables(), Limits{ConnectionsPerUser: 1, GuestConnections: 3})
	for i := range 3 {
		connect(t, store, guestAdmission(fmt.Sprintf("g%d=", i)))
	}
	api.expect(t, "three guests", 3*4)
	before := table.items(t)
	if _, err := store.Connect(t.Context(), guestAdmission("late="), epoch); !errors.Is(err, ErrGuestsFull) {
		t.Errorf("err = %v, want %v", err, ErrGuestsFull)
	}
	api.expect(t, "a guest too many", 3)
	same(t, "items after a refusal", before, table.items(t))
	same(t, "live guests", map[string]bool{"g0=": true, "g1=": true, "g2=": true}, table.live(t, userid.Pool))

	connect(t, store, admission("c1=")) // a user has a limit of the user's own
	if removed, err := store.Remove(t.Context(), "g1=", time.Time{}); err != nil || !removed {
		t.Fatalf("Remove = %t, %v", removed, err)
	}
	if _, err := store.Connect(t.Context(), guestAdmission("late="), epoch.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	same(t, "live guests", map[string]bool{"g0=": true, "g2=": true, "late=": true}, table.live(t, userid.Pool))
	same(t, "live of alice", map[string]bool{"c1=": true}, table.live(t, "alice"))
}

func TestGuestTakesThePlaceOfOneWhoseSessionIsOver(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{GuestConnections: 2})
	ended := guestAdmission("ended=")
	ended.SessionEndsAt = epoch.Add(time.Minute)
	connect(t, store, ended)
	connect(t, store, guestAdmission("stays="))
	late := guestAdmission("late=")
	if _, err := store.Connect(t.Context(), late, epoch.Add(59*time.Second)); !errors.Is(err, ErrGuestsFull) {
		t.Errorf("in the other's last second: %v", err)
	}
	if evicted, err := store.Connect(t.Context(), late, epoch.Add(time.Minute)); err != nil ||
		len(evicted.Removed) != 1 {
		t.Errorf("at the other's end: %v, %v", evicted, err)
	}
	same(t, "live guests", map[string]bool{"stays=": true, "late=": true}, table.live(t, userid.Pool))
}

func TestMayConnectTellsWhenGuestsAreFull(t *testing.T) {
	t.Parallel()
	now := epoch.Unix()
	tests := []struct {
		name string
		pool map[string]int64
		want error
	}{
		{"no guest there", nil, nil},
		{"one place left", map[string]int64{"n": 1, "c_a": now + 1}, nil},
		{"no place left", map[string]int64{"n": 2, "c_a": now + 1, "c_b": now + 1}, ErrGuestsFull},
		{"more than the limit", map[string]int64{"n": 3, "c_a": now + 1, "c_b": now + 1, "c_c": now + 1},
			ErrGuestsFull},
		{"a session is over", map[string]int64{"n": 2, "c_a": now, "c_b": now + 1}, nil},
		{"over, and still more than the limit", map[string]int64{"n": 3, "c_a": now, "c_b": now + 1, "c_c": now + 1},
			ErrGuestsFull},
		{"guests are banned", map[string]int64{"bannedUntil": now + 1}, ErrBanned},
		{"guests are revoked", map[string]int64{"notBefore": now}, ErrRevoked},
		{"full and banned", map[string]int64{"n": 2, "c_a": now + 1, "c_b": now + 1, "bannedUntil": now + 1},
			ErrBanned},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t, http.DefaultTransport)
			table.set(t, userKey(userid.Pool), test.pool)
			api := &counting{API: table.client}
			store := New(api, table.tables(), Limits{GuestConnections: 2, ConnectionsPerUser: 1})
			if err := store.MayConnect(t.Context(), Applicant{UserID: userid.NewGuest(), AuthenticatedAt: epoch},
				epoch); !errors.Is(err, test.want) {
				t.Errorf("err = %v, want %v", err, test.want)
			}
			api.expect(t, "a look at the guests", 4)
		})
	}
}

func TestFullUserMayConnect(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{ConnectionsPerUser: 1, GuestConnections: 1})
	connect(t, store, admission("c1="))
	if err := store.MayConnect(t.Context(), Applicant{UserID: "alice", AuthenticatedAt: epoch}, epoch); err != nil {
		t.Errorf("err = %v: the oldest connection gives way instead", err)
	}
}

func TestParallelGuestsNeverExceedTheLimit(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(&conflicting{API: &isolating{API: table.client}, every: 3}, table.tables(),
		Limits{GuestConnections: 3})
	var group sync.WaitGroup
	for i := range 10 {
		group.Go(func() {
			_, err := store.Connect(t.Context(), guestAdmission(fmt.Sprintf("g%d=", i)), epoch)
			if err != nil && !errors.Is(err, ErrGuestsFull) && !dynamo.IsConflict(err) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if live := table.live(t, userid.Pool); len(live) != 3 {
		t.Errorf("live %v, want three", live)
	}
}
