package dynamodb

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"signedsocket/localstage/internal/clock/clocktest"
)

// expiring makes a table whose items expire by the attribute "expires".
func expiring(t *testing.T, options Options) (*Engine, *fixture) {
	t.Helper()
	e := openEngine(t, options)
	url := serve(t, e)
	f := simple(t, newClient(url))
	if _, body := post(t, url, "DynamoDB_20120810.UpdateTimeToLive", `{"TableName":"simple",`+
		`"TimeToLiveSpecification":{"Enabled":true,"AttributeName":"expires"}}`); !strings.Contains(body, `"expires"`) {
		t.Fatal(body)
	}
	return e, f
}

func TestExpiredItemsAreDeletedWhenTheirLagIsOver(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	e, f := expiring(t, Options{Clock: clock, TTL: TTL{Lag: time.Minute}})
	now := int(clock.Now().Unix())
	stays := map[string]any{
		"text": fmt.Sprint(now), "none": nil, "set": nums{"1"},
		"five years ago": now - int(oldestStamp/time.Second) - 1, "later": now + 3600, "milliseconds": now * 1000,
	}
	goes := map[string]any{"now": now, "before": now - 5, "soon": now + 30, "fraction": num(fmt.Sprint(now, ".5"))}
	for _, items := range []map[string]any{stays, goes} {
		for name, stamp := range items {
			f.pk = name
			f.given(m{"expires": stamp})
		}
	}
	expectDeleted(t, e, 0)
	clock.Move(2 * time.Minute)
	expectDeleted(t, e, len(goes))
	for name := range goes {
		f.pk = name
		f.holds("none")
	}
	for name := range stays {
		f.pk = name
		if output, err := f.get(); err != nil || output.Item == nil {
			t.Errorf("%s is gone (%v)", name, err)
		}
	}
	f.report(t)
}

func expectDeleted(t *testing.T, e *Engine, want int) {
	t.Helper()
	if deleted, err := e.DeleteExpired(t.Context()); err != nil || deleted != want {
		t.Errorf("deleted %d, %v; want %d", deleted, err, want)
	}
}

func TestExpiredItemsStayByDefault(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	_, f := expiring(t, Options{Clock: clock})
	f.pk = "old"
	f.given(m{"expires": 1_800_000_000})
	clock.Move(365 * 24 * time.Hour)
	f.holds("{expires:1800000000}")
	f.report(t)
}

func TestExpiredItemsAreDeletedInTheBackground(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	e, f := expiring(t, Options{Clock: clock, TTL: TTL{Delete: true, Lag: time.Hour}})
	f.pk = "old"
	f.given(m{"expires": int(clock.Now().Unix())})
	for range 2 { // the first sweep finds nothing
		f.holds("{expires:1800000000}")
		clock.Move(31 * time.Minute)
	}
	f.holds("none")
	f.report(t)
	if err := e.Close(); err != nil || clock.Pending() != 0 {
		t.Errorf("closed with %v, and %d calls still wait", err, clock.Pending())
	}
}

// An item may get a new stamp after the sweep has found it. The deletion checks it again.
func TestRenewedItemIsNotDeleted(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	e, f := expiring(t, Options{Clock: clock})
	f.pk = "renewed"
	f.given(m{"expires": 1_799_999_999})
	table, err := e.table("simple")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := e.expiredKeys(table)
	if err != nil || len(keys) != 1 {
		t.Fatalf("found %d, %v", len(keys), err)
	}
	f.given(m{"expires": 1_800_000_600})
	if deleted, err := e.deleteIfExpired("simple", keys); err != nil || deleted != 0 {
		t.Errorf("deleted %d, %v", deleted, err)
	}
	f.holds("{expires:1800000600}")
	f.report(t)
	clock.Move(time.Hour)
	if deleted, err := e.deleteIfExpired("simple", append([][]byte{[]byte("gone")}, keys...)); err != nil ||
		deleted != 1 {
		t.Errorf("deleted %d, %v", deleted, err)
	}
	if deleted, err := e.deleteIfExpired("no such table", keys); err != nil || deleted != 0 {
		t.Errorf("deleted %d, %v", deleted, err)
	}
}

func TestSettingsAndDeletionDoNotBlockEachOther(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	e, f := expiring(t, Options{Clock: clock, TTL: TTL{Delete: true}})
	url := serve(t, e)
	atOnce(4, func(worker int) {
		g := *f
		for i := range 20 {
			switch worker {
			case 0:
				if _, err := e.DeleteExpired(context.Background()); err != nil {
					t.Error(err)
				}
			case 1:
				post(t, url, "DynamoDB_20120810.UpdateTimeToLive", fmt.Sprintf(`{"TableName":"simple",`+
					`"TimeToLiveSpecification":{"Enabled":%t,"AttributeName":"expires"}}`, i%2 == 1))
			default:
				g.pk = fmt.Sprint(worker, i)
				if _, err := g.put(m{"expires": 1}); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

func TestTokenHoldsForTenMinutes(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	e := openEngine(t, Options{Clock: clock})
	f := simple(t, newClient(serve(t, e)))
	add := func() { f.ok("transaction", f.transactAs("token", f.txUpdate("-u", "ADD n :1", "", m{":1": 1}))) }
	add()
	clock.Move(tokenLifetime - time.Second)
	add()
	f.holdsAt("-u", "{n:1}")
	clock.Move(time.Second)
	add()
	f.holdsAt("-u", "{n:2}")
	clock.Move(tokenLifetime - time.Second)
	add()
	f.holdsAt("-u", "{n:2}")
	f.report(t)
}

// Each new token removes some expired ones, so that their number does not grow without bound.
func TestExpiredTokensAreCleared(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	e := openEngine(t, Options{Clock: clock})
	f := simple(t, newClient(serve(t, e)))
	for i := range 100 {
		f.ok("transaction", f.transactAs(fmt.Sprint("token-", i), f.txPut("-p", m{}, "")))
		clock.Move(tokenLifetime / 10)
	}
	f.report(t)
	err := e.db.View(func(tx *bbolt.Tx) error {
		for _, bucket := range [][]byte{tokensBucket, tokensExpiryBucket} {
			if n := tx.Bucket(bucket).Stats().KeyN; n > 15 {
				t.Errorf("%s has %d entries", bucket, n)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
