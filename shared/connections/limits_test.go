package connections

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"signedsocket/shared/dynamo"
	"signedsocket/shared/userid"
)

// countURLs counts URLs until one is refused, and returns how many were not.
func countURLs(t *testing.T, store *Store, user string, now time.Time) (counted int, refusal *RateLimitError) {
	t.Helper()
	for range 2 * urlsPerMinute {
		err := store.CountURL(t.Context(), user, now)
		if errors.As(err, &refusal) {
			return counted, refusal
		}
		if err != nil {
			t.Fatal(err)
		}
		counted++
	}
	return counted, nil
}

func TestURLsAreCountedByUser(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	now := epoch.Add(15500 * time.Millisecond)
	if counted, refusal := countURLs(t, store, "alice", now); counted != 30 || refusal == nil ||
		refusal.RetryAfter != 44500*time.Millisecond {
		t.Errorf("%d URLs, then %v; want 30, then 44.5 s until the next minute", counted, refusal)
	}
	if counted, _ := countURLs(t, store, "bob", now); counted != 30 {
		t.Errorf("another user had %d URLs", counted)
	}
	for _, later := range []time.Duration{time.Minute, 5 * time.Minute, 11 * time.Minute} {
		if counted, _ := countURLs(t, store, "alice", now.Add(later)); counted != 30 {
			t.Errorf("after %s: %d URLs, want 30", later, counted)
		}
	}
	if counted, _ := countURLs(t, store, "bob", now.Add(time.Minute)); counted != 30 {
		t.Errorf("another user had %d URLs in the next minute", counted)
	}
	if counted, _ := countURLs(t, store, "bob", now); counted != 0 {
		t.Errorf("%d URLs passed late in a full minute", counted)
	}
	if got := table.items(t)["SIGN#alice SIGN"]; len(got) != 2 {
		t.Errorf("the item is %v: old minutes pile up", got)
	}
	if err := New(table.client, Tables{Connections: "no-such-table"}, Limits{}).CountURL(t.Context(), "alice",
		now); err == nil || errors.As(err, new(*RateLimitError)) {
		t.Errorf("a fault gave %v", err)
	}
}

func TestAKickKeepsTheUserOut(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{"a user": "alice", "a guest": userid.NewGuest()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t, http.DefaultTransport)
			store := New(table.client, table.tables(), Limits{})
			n := 0
			open := func(subject string, now time.Time) error {
				n++
				a := admission(fmt.Sprintf("c%d=", n))
				a.Subject, a.SessionEndsAt = subject, now.Add(time.Hour)
				_, err := store.Connect(t.Context(), a, now)
				applicant := Applicant{UserID: subject, AuthenticatedAt: a.AuthenticatedAt}
				may := store.MayConnect(t.Context(), applicant, now)
				if fmt.Sprint(errors.Unwrap(err)) != fmt.Sprint(may) && err != nil {
					t.Errorf("Connect: %v, MayConnect: %v", err, may)
				}
				return err
			}
			now := epoch
			for i, out := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
				out *= time.Minute
				if err := open(id, now); err != nil {
					t.Fatal(err)
				}
				kick(t, store, fmt.Sprintf("c%d=", n), now)
				for _, moment := range []time.Duration{0, out / 2, out - time.Second} {
					var kicked *KickedError
					if err := open(id, now.Add(moment)); !errors.As(err, &kicked) || kicked.RetryAfter != out-moment {
						t.Errorf("kick %d, after %s: %v, want %s more", i+1, moment, err, out-moment)
					}
				}
				if err := open("another", now); err != nil {
					t.Errorf("another user: %v", err)
				}
				if err := open(userid.NewGuest(), now); err != nil {
					t.Errorf("another guest: %v", err)
				}
				now = now.Add(out)
			}
			now = now.Add(kickMemory) // the kicks before do not count
			if err := open(id, now); err != nil {
				t.Fatal(err)
			}
			kick(t, store, fmt.Sprintf("c%d=", n), now)
			if err := open(id, now.Add(time.Minute)); err != nil {
				t.Errorf("a minute after the first kick of another day: %v", err)
			}
		})
	}
}

// kick strikes a connection until it is kicked.
func kick(t *testing.T, store *Store, connectionID string, now time.Time) {
	t.Helper()
	for range strikesAllowed + 1 {
		struck, err := store.Strike(t.Context(), connectionID, now)
		if err != nil {
			t.Fatal(err)
		}
		if struck.Kicked {
			return
		}
	}
	t.Fatal("not kicked")
}

// A function that is taken over can write KICK items. None keeps a user out for longer than an hour.
func TestFalseKicksEnd(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		item map[string]int64
		want map[time.Duration]bool // out at that time
	}{
		"for a year": {map[string]int64{"until": year(1), "at": epoch.Unix(), "times": 1},
			map[time.Duration]bool{0: true, time.Hour: false}},
		"made a year ago": {map[string]int64{"until": year(1), "at": year(-1), "times": 1},
			map[time.Duration]bool{0: false}},
		"as often as it goes": {map[string]int64{"until": epoch.Unix(), "at": epoch.Unix(), "times": 1 << 40},
			map[time.Duration]bool{0: false}},
	} {
		table := newTable(t, http.DefaultTransport)
		store := New(table.client, table.tables(), Limits{})
		table.set(t, kickKey("alice"), test.item)
		for after, out := range test.want {
			var kicked *KickedError
			err := store.MayConnect(t.Context(), Applicant{UserID: "alice", AuthenticatedAt: epoch}, epoch.Add(after))
			if errors.As(err, &kicked) != out || out && kicked.RetryAfter > time.Hour {
				t.Errorf("%s, after %s: %v", name, after, err)
			}
		}
		if err := store.keepOut(t.Context(), "alice", epoch.Add(time.Minute)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if until, _ := strconv.ParseInt(table.items(t)["KICK#alice KICK"]["until"], 10,
			64); until > epoch.Add(time.Hour+time.Minute).Unix() {
			t.Errorf("%s: the next kick lasts until %d", name, until)
		}
	}
	if out := kickedOut(item{"until": dynamo.Number(year(5))}, epoch); out.(*KickedError).RetryAfter != time.Hour {
		t.Errorf("without a time of its own: %v", out)
	}
}

func year(n int) int64 { return epoch.Add(time.Duration(n) * 365 * 24 * time.Hour).Unix() }

// flood sends messages over a connection until one is refused, and returns how many passed.
func flood(t *testing.T, store *Store, id string, now time.Time) (passed int) {
	t.Helper()
	for range 1000 {
		_, err := store.Touch(t.Context(), id, now)
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

func TestReconnectingGivesNoNewWindow(t *testing.T) {
	t.Parallel()
	const most = (2 + 1) * 5 // (connections + 1) times messages
	for name, leave := range map[string]func(*Store, string) error{
		"left": func(s *Store, id string) error {
			_, err := s.Remove(context.Background(), id, time.Time{})
			return err
		},
		"expelled": func(s *Store, id string) error {
			_, _, err := s.Expel(context.Background(), id, Evicted, epoch)
			return err
		},
		"dropped": func(s *Store, id string) error {
			_, err := s.ExpelSlow(context.Background(), id, admission(id).ConnectedAt, epoch)
			return err
		},
		"evicted": func(*Store, string) error { return nil },
	} {
		for who, subject := range map[string]string{"user": "alice", "guest": userid.NewGuest()} {
			if name == "evicted" && who == "guest" {
				continue // no guest is: the pool bounds how many connections guests have
			}
			t.Run(name+" "+who, func(t *testing.T) {
				t.Parallel()
				table := newTable(t, http.DefaultTransport)
				store := New(table.client, table.tables(), Limits{ConnectionsPerUser: 2, MessagesPerWindow: 5})
				store.now = func() time.Time { return epoch }
				passed := 0
				for i := range 12 {
					a := admission(fmt.Sprintf("c%02d=", i))
					a.Subject = subject
					connect(t, store, a)
					passed += flood(t, store, a.ConnectionID, epoch)
					if err := leave(store, a.ConnectionID); err != nil {
						t.Fatal(err)
					}
				}
				if passed > most || passed < 5 {
					t.Errorf("%d messages passed in one window, promised are at most %d", passed, most)
				}
				other := admission("other=")
				other.Subject = userid.NewGuest()
				connect(t, store, other)
				if n := flood(t, store, "other=", epoch); n != 5 {
					t.Errorf("another user had %d messages, want 5", n)
				}
				later := admission("later=")
				later.Subject = subject
				if _, err := store.Connect(t.Context(), later, epoch.Add(30*time.Second)); err != nil {
					t.Fatal(err)
				}
				if n := flood(t, store, "later=", epoch.Add(30*time.Second)); n != 5 {
					t.Errorf("%d messages in a later window, want 5", n)
				}
			})
		}
	}
}

func TestStrikesFollowTheUser(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	store.now = func() time.Time { return epoch }
	connect(t, store, admission("stays="))
	for i := range strikesAllowed + 1 {
		a := admission(fmt.Sprintf("c%d=", i))
		connect(t, store, a)
		struck, err := store.Strike(t.Context(), a.ConnectionID, epoch)
		if err != nil || struck.Kicked != (i == strikesAllowed) {
			t.Errorf("strike %d: %+v, %v", i+1, struck, err)
		}
		if _, err := store.Remove(t.Context(), a.ConnectionID, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	// The other connection stands under its own strikes.
	if struck, err := store.Strike(t.Context(), "stays=", epoch); err != nil || struck.Kicked {
		t.Errorf("the other connection: %+v, %v", struck, err)
	}
}

// The counts that a connection started with are not its own: its removal does not add them again.
func TestNothingIsCountedTwice(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{MessagesPerWindow: 1000})
	store.now = func() time.Time { return epoch }
	for i := range 6 {
		a := admission(fmt.Sprintf("c%d=", i))
		connect(t, store, a)
		for range 3 {
			if _, err := store.Touch(t.Context(), a.ConnectionID, epoch); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := store.Remove(t.Context(), a.ConnectionID, time.Time{}); err != nil {
			t.Fatal(err)
		}
		same(t, "counted", fmt.Sprint(3*(i+1)),
			table.items(t)["RATE#alice RATE"][windowName(epoch.Unix()/windowSeconds)])
	}
	// A connection that said nothing adds nothing, not even a write.
	connect(t, store, admission("silent="))
	api := &counting{API: table.client}
	silent := New(api, table.tables(), Limits{})
	silent.now = store.now
	before := table.items(t)["RATE#alice RATE"]
	if _, err := silent.Remove(t.Context(), "silent=", time.Time{}); err != nil {
		t.Fatal(err)
	}
	api.expect(t, "remove", 2)
	same(t, "counted", before, table.items(t)["RATE#alice RATE"])
}

// meddling is an API in which another operation happens between an operation's reads and its transaction.
type meddling struct {
	API
	once   sync.Once
	meddle func()
}

func (m *meddling) TransactWriteItems(
	ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	m.once.Do(m.meddle)
	return m.API.TransactWriteItems(ctx, in, o...)
}

func TestMessagesDuringARemovalAreCarried(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{ConnectionsPerUser: 1, MessagesPerWindow: 5})
	store.now = func() time.Time { return epoch }
	touch := func(id string) func() {
		return func() {
			if _, err := store.Touch(t.Context(), id, epoch); err != nil {
				t.Error(err)
			}
		}
	}
	connect(t, store, admission("a="))
	raced := New(&meddling{API: table.client, meddle: touch("a=")}, table.tables(), Limits{ConnectionsPerUser: 1})
	connect(t, raced, admission("b=")) // a says something while b evicts it
	window := windowName(epoch.Unix() / windowSeconds)
	same(t, "b starts with", "1", table.items(t)["CONN#b= CONN"][window])
	raced = New(&meddling{API: table.client, meddle: touch("b=")}, table.tables(), Limits{})
	raced.now = store.now
	if removed, err := raced.Remove(t.Context(), "b=", time.Time{}); err != nil || !removed {
		t.Fatal(removed, err)
	}
	same(t, "counted", "2", table.items(t)["RATE#alice RATE"][window])
	connect(t, store, admission("c="))
	raced = New(&meddling{API: table.client, meddle: func() { // c speaks and leaves while d is admitted
		touch("c=")()
		if _, err := store.Remove(t.Context(), "c=", time.Time{}); err != nil {
			t.Error(err)
		}
	}}, table.tables(), Limits{ConnectionsPerUser: 2})
	connect(t, raced, admission("d="))
	same(t, "d starts with", "3", table.items(t)["CONN#d= CONN"][window])
}

// sizes is an API that remembers the largest transaction, and whether one had an item twice.
type sizes struct {
	API
	largest int
	twice   string
}

func (s *sizes) TransactWriteItems(
	ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	s.largest = max(s.largest, len(in.TransactItems))
	seen := make(map[string]bool)
	for _, action := range in.TransactItems {
		key, table := item(nil), ""
		switch {
		case action.Put != nil:
			key, table = action.Put.Item, aws.ToString(action.Put.TableName)
		case action.Update != nil:
			key, table = action.Update.Key, aws.ToString(action.Update.TableName)
		case action.Delete != nil:
			key, table = action.Delete.Key, aws.ToString(action.Delete.TableName)
		default:
			key, table = action.ConditionCheck.Key, aws.ToString(action.ConditionCheck.TableName)
		}
		name := table + dynamo.TextOf(key, "pk") + " " + dynamo.TextOf(key, "sk") + dynamo.TextOf(key, "id")
		if seen[name] {
			s.twice = name
		}
		seen[name] = true
	}
	return s.API.TransactWriteItems(ctx, in, o...)
}

// TestTheLargestTransactionFits: eight rooms, seven connections that give way, each with everything that there can be
// about it, all checks of bans. DynamoDB takes a hundred actions, and each item once.
func TestTheLargestTransactionFits(t *testing.T) {
	t.Parallel()
	rooms := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	for name, test := range map[string]struct {
		subject   func() string
		ends, now time.Duration
	}{
		"a user":                          {func() string { return "alice" }, 30 * time.Minute, 35 * time.Second},
		"sessions that end in the minute": {func() string { return "alice" }, 40 * time.Second, 35 * time.Second},
		"guests, each with counts":        {userid.NewGuest, 59 * time.Second, 60 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t, http.DefaultTransport)
			api := &sizes{API: table.client}
			before := New(table.client, table.tables(), Limits{ConnectionsPerUser: 7, GuestConnections: 7})
			for i := range 7 {
				a := admission(fmt.Sprintf("c%d=", i))
				a.Subject, a.Rooms = test.subject(), rooms
				a.ClientInstance, a.SessionEndsAt = fmt.Sprint("instance", i), epoch.Add(test.ends)
				connect(t, before, a)
				touched := epoch.Add(min(test.ends, test.now) - 2*time.Second)
				if _, err := before.Touch(t.Context(), a.ConnectionID, touched); err != nil {
					t.Fatal(err)
				}
				if i%2 == 0 { // the same client has opened another one, or it was kicked
					table.set(t, connectionKey(a.ConnectionID), map[string]int64{"due": epoch.Unix() + 5})
				}
				if i%3 == 0 {
					table.set(t, connectionKey(a.ConnectionID), map[string]int64{"kicked": epoch.Unix() - 60})
				}
			}
			after := New(api, table.tables(), Limits{ConnectionsPerUser: 1, GuestConnections: 7})
			a := admission("new=")
			a.Subject, a.Rooms, a.SignIn = test.subject(), rooms, "AAECAwQFBgcICQoLDA0ODw"
			a.SessionEndsAt, a.ClientInstance = epoch.Add(90*time.Minute), "another"
			if userid.IsGuest(a.Subject) {
				a.SignIn = ""
				table.set(t, userKey(a.Subject), map[string]int64{"n": 13}) // so many that all of them have to go
			}
			now := epoch.Add(test.now)
			if _, err := after.Connect(t.Context(), a, now); err != nil {
				t.Fatal(err)
			}
			if api.largest >= 100 || api.largest < 80 || api.twice != "" {
				t.Errorf("%d actions, twice: %q; want less than 100, and close to it", api.largest, api.twice)
			}
			t.Logf("%d actions", api.largest)
		})
	}
}

func TestGuestsOpenAtMostSoManyConnectionsAMinute(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{GuestConnections: 4})
	opened := 0
	for i := range 20 { // one after the other, each leaving again
		a := guestAdmission(fmt.Sprintf("g%d=", i))
		_, err := store.Connect(t.Context(), a, epoch)
		if errors.Is(err, ErrGuestsFull) {
			if may := store.MayConnect(t.Context(), Applicant{UserID: userid.NewGuest(), AuthenticatedAt: epoch},
				epoch); !errors.Is(may, ErrGuestsFull) {
				t.Errorf("MayConnect: %v", may)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		opened++
		if _, err := store.Remove(t.Context(), a.ConnectionID, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	if opened != 4 {
		t.Errorf("guests opened %d connections in a minute, want 4", opened)
	}
	for minute := range 30 {
		if _, err := store.Connect(t.Context(), guestAdmission(fmt.Sprintf("m%d=", minute)),
			epoch.Add(time.Duration(minute+1)*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Remove(t.Context(), fmt.Sprintf("m%d=", minute), time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	pool := table.items(t)["USER#guest-pool USER"]
	maps.DeleteFunc(pool, func(name, _ string) bool { return name[:1] != openingsPrefix })
	if len(pool) > 3 {
		t.Errorf("the pool holds %v: minutes pile up", pool)
	}
}
