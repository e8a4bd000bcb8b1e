package connections

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"signedsocket/shared/userid"
)

// by returns an admission of a user's client.
func by(subject, clientInstance, connectionID string) Admission {
	a := admission(connectionID)
	a.Subject, a.ClientInstance = subject, clientInstance
	return a
}

func TestANewerConnectionReplacesTheOneOfItsClient(t *testing.T) {
	t.Parallel()
	for name, subject := range map[string]string{"a user": "alice", "a guest": userid.NewGuest()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			counted := userid.CountedAs(subject)
			table := newTable(t, http.DefaultTransport)
			store := New(table.client, table.tables(), Limits{ConnectionsPerUser: 3, GuestConnections: 3})
			at := func(second int, client, id string) Admission {
				a := by(subject, client, id)
				a.ConnectedAt = a.ConnectedAt.Add(time.Duration(second) * time.Second)
				return a
			}
			connect(t, store, at(0, "client 0", "laptop="))
			connect(t, store, at(1, "client 1", "phone="))
			// There is room: both live, and the older one is due a little later.
			done, err := store.Connect(t.Context(), at(2, "client 1", "phone2="), epoch)
			if err != nil || len(done.Removed) != 0 || done.Replaced != 1 {
				t.Fatalf("Connect = %+v, %v; want one that is due later", done, err)
			}
			same(t, "live", map[string]bool{"laptop=": true, "phone=": true, "phone2=": true}, table.live(t, counted))
			same(t, "due at once", map[string]Reason{}, due(t, store, epoch.Add(9*time.Second)))
			same(t, "due after ten seconds", map[string]Reason{"phone=": Replaced},
				due(t, store, epoch.Add(10*time.Second)))
			// There is none: the client's own one gives way, whatever is older.
			later := epoch.Add(time.Minute)
			done, err = store.Connect(t.Context(), at(3, "client 1", "phone3="), later)
			if err != nil || len(done.Removed) != 1 || done.Removed[0].ConnectionID != "phone=" ||
				done.Removed[0].Reason != Replaced {
				t.Fatalf("Connect = %+v, %v; want phone= to give way", done, err)
			}
			same(t, "live", map[string]bool{"laptop=": true, "phone2=": true, "phone3=": true}, table.live(t, counted))
			done, err = store.Connect(t.Context(), at(4, "client 1", "phone4="), later)
			if err != nil || len(done.Removed) != 1 || done.Removed[0].ConnectionID != "phone2=" {
				t.Fatalf("Connect = %+v, %v; want phone2= to give way", done, err)
			}
		})
	}
}

func TestWithoutAClientNothingIsReplaced(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{ConnectionsPerUser: 2})
	for i, id := range []string{"a=", "b=", "c="} {
		a := by("alice", "", id)
		a.ConnectedAt = a.ConnectedAt.Add(time.Duration(i) * time.Second)
		done, err := store.Connect(t.Context(), a, epoch)
		if err != nil || done.Replaced != 0 || len(done.Removed) != i/2 {
			t.Fatalf("Connect = %+v, %v", done, err)
		}
		if i == 2 && done.Removed[0] != newSweep("a=", epoch.Add(123*time.Millisecond), Evicted, epoch) {
			t.Errorf("removed %+v, want the oldest, evicted", done.Removed)
		}
	}
}

func TestAGuestsClientMeansNothingToAnotherGuest(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{GuestConnections: 1})
	victim, mallory := userid.NewGuest(), userid.NewGuest()
	connect(t, store, by(victim, "client", "victim="))
	later := epoch.Add(time.Minute)
	if _, err := store.Connect(t.Context(), by(mallory, "client", "mallory="), later); !errors.Is(err, ErrGuestsFull) {
		t.Errorf("another guest with the same client: %v, want %v", err, ErrGuestsFull)
	}
	for who, want := range map[string]error{victim: nil, mallory: ErrGuestsFull} {
		applicant := Applicant{UserID: who, ClientInstance: "client", AuthenticatedAt: epoch}
		if err := store.MayConnect(t.Context(), applicant, later); !errors.Is(err, want) {
			t.Errorf("MayConnect: %v, want %v", err, want)
		}
	}
	if done, err := store.Connect(t.Context(), by(victim, "client", "again="), later); err != nil ||
		len(done.Removed) != 1 {
		t.Errorf("the guest itself: %+v, %v", done, err)
	}
	for name, value := range table.items(t)["USER#guest-pool USER"] {
		if strings.HasPrefix(name, instancePrefix) && len(value) != instanceLength {
			t.Errorf("%s = %q: the pool's item holds more than a short hash", name, value)
		}
	}
}

// The transaction that removes a connection also removes its SWEEP items.
func TestARemovedConnectionIsNotDue(t *testing.T) {
	t.Parallel()
	for name, mark := range map[string]func(*testing.T, *Store){
		"session that ends early": func(*testing.T, *Store) {},
		"replaced":                func(t *testing.T, s *Store) { connect(t, s, by("alice", "client", "new=")) },
		"kicked":                  func(t *testing.T, s *Store) { kick(t, s, "c=", epoch) },
		"replaced and kicked": func(t *testing.T, s *Store) {
			connect(t, s, by("alice", "client", "new="))
			kick(t, s, "c=", epoch)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t, http.DefaultTransport)
			store := New(table.client, table.tables(), Limits{})
			a := by("alice", "client", "c=")
			a.SessionEndsAt = epoch.Add(5 * time.Minute)
			connect(t, store, a)
			mark(t, store)
			if removed, err := store.Remove(t.Context(), "c=", time.Time{}); err != nil || !removed {
				t.Fatal(removed, err)
			}
			for key := range table.items(t) {
				if strings.HasPrefix(key, sweepPrefix) {
					t.Errorf("%s is left", key)
				}
			}
		})
	}
}

func TestAnEvictedConnectionIsDueOnce(t *testing.T) {
	t.Parallel()
	for name, mark := range map[string]struct {
		attribute string
		want      Reason
	}{"as it was": {"", Evicted}, "kicked": {"kicked", Kicked}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t, http.DefaultTransport)
			store := New(table.client, table.tables(), Limits{ConnectionsPerUser: 1})
			a := admission("c=")
			a.SessionEndsAt = epoch.Add(20 * time.Second) // in the minute of the eviction
			connect(t, store, a)
			if mark.attribute != "" {
				kick(t, store, "c=", epoch)
				table.remove(t, kickKey("alice"))
			}
			done, err := store.Connect(t.Context(), admission("new="), epoch)
			if err != nil || len(done.Removed) != 1 {
				t.Fatalf("Connect = %+v, %v", done, err)
			}
			same(t, "due", map[string]Reason{"c=": mark.want}, due(t, store, epoch.Add(time.Minute)))
			if err := store.RemoveSweep(t.Context(), done.Removed[0]); err != nil {
				t.Fatal(err)
			}
			same(t, "due when it is closed", map[string]Reason{}, due(t, store, epoch.Add(time.Minute)))
		})
	}
}
