package connections

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"signedsocket/shared/userid"
)

// ask sends requests over a connection until one is refused, and returns how many passed.
func ask(t *testing.T, store *Store, id string, now time.Time) (passed int) {
	t.Helper()
	for range 1000 {
		_, err := store.CountRequests(t.Context(), id, 1, now)
		switch {
		case err == nil:
			passed++
		case errors.As(err, new(*RateLimitError)):
			return passed
		default:
			t.Fatal(err)
		}
	}
	return passed
}

// TestARequestMayCountSeveralTimes: a refused one counts once, so that a flood of them ends.
func TestARequestMayCountSeveralTimes(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	connect(t, store, admission("c1="))
	for i, test := range []struct {
		n             int
		passes, fewer bool
	}{
		{8, true, false}, {8, true, false}, {5, false, true}, {3, true, false}, {1, false, false}, {8, false, false},
	} {
		_, err := store.CountRequests(t.Context(), "c1=", test.n, epoch)
		limit, limited := errors.AsType[*RateLimitError](err)
		if limited == test.passes || err != nil && !limited || limited && limit.Fewer != test.fewer {
			t.Errorf("request %d counts %d times: %+v", i, test.n, err)
		}
	}
	for refused := range 5 {
		_, err := store.CountRequests(t.Context(), "c1=", 8, epoch.Add(10*time.Second))
		if limit, limited := errors.AsType[*RateLimitError](err); limited == (refused < 2) || limited && !limit.Fewer {
			t.Errorf("request %d of the next window: %+v", refused, err)
		}
	}
}

func TestRequestsAndMessagesAreCountedApart(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{MessagesPerWindow: 5})
	connect(t, store, admission("c1="))
	messages, requests := flood(t, store, "c1=", epoch), ask(t, store, "c1=", epoch)
	if messages != 5 || requests != 20 {
		t.Errorf("%d messages and %d requests passed, want 5 and 20", messages, requests)
	}
	now := epoch.Add(7500 * time.Millisecond)
	var limit *RateLimitError
	if _, err := store.CountRequests(t.Context(), "c1=", 1, now); !errors.As(err, &limit) ||
		limit.RetryAfter != 2500*time.Millisecond {
		t.Errorf("err = %v, want 2.5 s until the next window", err)
	}
	if requests := ask(t, store, "c1=", epoch.Add(10*time.Second)); requests != 20 {
		t.Errorf("%d requests in the next window, want 20", requests)
	}
	if messages := flood(t, store, "c1=", epoch.Add(10*time.Second)); messages != 5 {
		t.Errorf("%d messages in the next window, want 5", messages)
	}
	later := epoch.Add((1 + staleWindows) * windowSeconds * time.Second)
	if requests := ask(t, store, "c1=", later); requests != 20 {
		t.Errorf("%d requests in a later window, want 20", requests)
	}
	conn := table.items(t)["CONN#c1= CONN"]
	for window := range int64(2) {
		if n, ok := conn[requestName(epoch.Unix()/windowSeconds+window)]; ok {
			t.Errorf("window %d still counts %s requests", window, n)
		}
	}
}

func TestARequestNeedsAConnectionThatMaySpeak(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	if _, err := store.CountRequests(t.Context(), "unknown=", 1, epoch); !errors.Is(err, ErrNotConnected) {
		t.Errorf("unknown: %v", err)
	}
	if items := table.items(t); len(items) != 0 {
		t.Errorf("a refused request left %v", items)
	}
	a := admission("c1=")
	connect(t, store, a)
	if _, err := store.CountRequests(t.Context(), "c1=", 1, a.SessionEndsAt.Add(-time.Second)); err != nil {
		t.Errorf("in the session's last second: %v", err)
	}
	if _, err := store.CountRequests(t.Context(), "c1=", 1, a.SessionEndsAt); !errors.Is(err, ErrSessionEnded) {
		t.Errorf("at the session's end: %v", err)
	}
	kick(t, store, "c1=", epoch)
	if _, err := store.CountRequests(t.Context(), "c1=", 1, epoch); !errors.Is(err, ErrKicked) {
		t.Errorf("kicked: %v", err)
	}
}

func TestReconnectingGivesNoNewWindowOfRequests(t *testing.T) {
	t.Parallel()
	const most = (2 + 1) * requestsPerWindow // (connections + 1) times requests
	for name, leave := range map[string]func(*Store, string) error{
		"left": func(s *Store, id string) error {
			_, err := s.Remove(context.Background(), id, time.Time{})
			return err
		},
		"evicted": func(*Store, string) error { return nil },
	} {
		for who, subject := range map[string]string{"user": "alice", "guest": userid.NewGuest()} {
			if name == "evicted" && who == "guest" {
				continue // no guest is
			}
			t.Run(name+" "+who, func(t *testing.T) {
				t.Parallel()
				table := newTable(t, http.DefaultTransport)
				store := New(table.client, table.tables(), Limits{ConnectionsPerUser: 2})
				store.now = func() time.Time { return epoch }
				passed := 0
				for i := range 8 {
					a := admission(fmt.Sprintf("c%02d=", i))
					a.Subject = subject
					connect(t, store, a)
					passed += ask(t, store, a.ConnectionID, epoch)
					if err := leave(store, a.ConnectionID); err != nil {
						t.Fatal(err)
					}
				}
				if passed > most || passed < requestsPerWindow {
					t.Errorf("%d requests passed in one window, promised are at most %d", passed, most)
				}
				later := admission("later=")
				later.Subject = subject
				if _, err := store.Connect(t.Context(), later, epoch.Add(30*time.Second)); err != nil {
					t.Fatal(err)
				}
				if n := ask(t, store, "later=", epoch.Add(30*time.Second)); n != requestsPerWindow {
					t.Errorf("%d requests in a later window, want %d", n, requestsPerWindow)
				}
			})
		}
	}
}

func TestOldCountsDoNotPileUp(t *testing.T) {
	t.Parallel()
	for name, count := range map[string]func(*Store, context.Context, string, time.Time) (Connection, error){
		"messages": (*Store).Touch,
		"requests": func(s *Store, ctx context.Context, id string, now time.Time) (Connection, error) {
			return s.CountRequests(ctx, id, 1, now)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t, http.DefaultTransport)
			store := New(table.client, table.tables(), Limits{})
			for i := range 40 {
				now := epoch.Add(time.Duration(i) * 150 * time.Second) // longer than an update looks back
				store.now = func() time.Time { return now }
				a := admission(fmt.Sprintf("c%d=", i))
				if _, err := store.Connect(t.Context(), a, now); err != nil {
					t.Fatal(err)
				}
				if _, err := count(store, t.Context(), a.ConnectionID, now); err != nil {
					t.Fatal(err)
				}
				if _, err := store.Remove(t.Context(), a.ConnectionID, time.Time{}); err != nil {
					t.Fatal(err)
				}
			}
			if n := len(table.items(t)["RATE#alice RATE"]); n > maxStaleRates+4 {
				t.Errorf("the item has %d attributes", n)
			}
		})
	}
}

func TestTheTableKnowsTheProtocolOfAConnection(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	for id, protocol := range map[string]int{"c0=": 0, "c1=": 1, "c2=": 2} {
		a := admission(id)
		a.Protocol = protocol
		connect(t, store, a)
		connection, err := store.CountRequests(t.Context(), id, 1, epoch)
		if want := max(protocol, 1); err != nil || connection.Protocol != want {
			t.Errorf("%s: protocol %d, %v; want %d", id, connection.Protocol, err, want)
		}
		for _, key := range []string{"CONN#" + id + " CONN", "ROOM#lobby#0 " + id} {
			if got, want := table.items(t)[key]["v"], map[int]string{2: "2"}[protocol]; got != want {
				t.Errorf("%s has v = %q, want %q", key, got, want)
			}
		}
	}
	got, items := make(map[string]string), table.items(t)
	for _, id := range []string{"c0=", "c1=", "c2="} {
		if items["ROOM#lobby#0 "+id]["sub"] == "" {
			t.Errorf("the room does not list %s", id)
		}
		got[id] = items["ROOM#lobby#0 "+id]["v"]
	}
	same(t, "protocols of members", map[string]string{"c0=": "", "c1=": "", "c2=": "2"}, got)
}
