package dynamodb

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"signedsocket/localstage/internal/clock/clocktest"
)

func newClock() *clocktest.Clock { return clocktest.New() }

// expiringBlocks returns an engine that deletes every item of partitions LOG# that may go.
func expiringBlocks(t *testing.T, clock *clocktest.Clock, share float64, log *slog.Logger) (*Engine, *fixture) {
	t.Helper()
	engine := openEngine(t, Options{
		Clock: clock, Log: log, Faults: Faults{Expiry: Expiry{Share: share, Prefix: "LOG#"}, Seed: 7},
	})
	client := newClient(serve(t, engine))
	makeTable(t, client, "byS", "S")
	makeTable(t, client, "simple", "")
	return engine, &fixture{ctx: t.Context(), target: target{client: client}, table: "byS"}
}

func (f *fixture) write(pk, sk string) {
	g := *f
	g.pk, g.sk, g.failures = pk, sk, nil
	g.given(nil)
	f.failures = append(f.failures, g.failures...)
}

func expired(e *Engine) string {
	var names []string
	for _, k := range e.ExpiredItems() {
		names = append(names, k.Partition+"/"+k.Sort)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestBlocksExpireBeforeTheirTime(t *testing.T) {
	t.Parallel()
	type written struct {
		pk, sk string
		at     time.Duration // since the engine began
	}
	for _, test := range []struct {
		name   string
		writes []written
		look   time.Duration
		want   string
	}{
		{"an old one with an old one behind it",
			[]written{{"LOG#a", "1", 0}, {"LOG#a", "2", 0}}, 2 * time.Minute, "LOG#a/1"},
		{"not the last one", []written{{"LOG#a", "1", 0}}, time.Hour, ""},
		{"not when the one behind is young", []written{{"LOG#a", "1", 0}, {"LOG#a", "2", time.Minute}},
			3*time.Minute - time.Second, ""},
		{"not when it was written lately", []written{{"LOG#a", "1", 0}, {"LOG#a", "2", 0}, {"LOG#a", "1", time.Hour}},
			time.Hour + time.Minute - time.Second, ""},
		{"a minute after it was written again",
			[]written{{"LOG#a", "1", 0}, {"LOG#a", "2", 0}, {"LOG#a", "1", time.Hour}}, time.Hour + time.Minute,
			"LOG#a/1"},
		{"partitions end where others begin",
			[]written{{"LOG#a", "1", 0}, {"LOG#a", "2", 0}, {"LOG#b", "1", 0}, {"LOG#bb", "1", 0}, {"LOG#bb", "2", 0}},
			time.Hour, "LOG#a/1 LOG#bb/1"},
		{"other partitions stay",
			[]written{
				{"LOG", "1", 0}, {"LOG", "2", 0}, {"LOGS", "1", 0}, {"LOGS", "2", 0}, {"M", "1", 0}, {"M", "2", 0},
			}, time.Hour, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clock := newClock()
			engine, f := expiringBlocks(t, clock, 1, nil)
			engine.stop() // the test looks itself
			began := clock.Now()
			for _, w := range test.writes {
				clock.Move(w.at - clock.Now().Sub(began))
				f.write(w.pk, w.sk)
			}
			clock.Move(test.look - clock.Now().Sub(began))
			f.ok("expire", engine.ExpireItems())
			f.equal("expired", expired(engine), test.want)
			f.report(t)
		})
	}
}

// The items of a transaction and of an update are as young as those of a put.
func TestEveryKindOfWriteKeepsABlockFromExpiring(t *testing.T) {
	t.Parallel()
	clock := newClock()
	engine, f := expiringBlocks(t, clock, 1, nil)
	engine.stop()
	for i := range 4 {
		f.write("LOG#a", fmt.Sprint(i))
	}
	clock.Move(time.Hour)
	f.pk, f.sk = "LOG#a", "0"
	_, err := f.update("SET n = :1", values(m{":1": 1}))
	f.ok("update", err)
	change := f.txUpdate("", "SET n = :1", "", m{":1": 1})
	change.Update.Key = m{"pk": "LOG#a", "sk": "1"}.attributes()
	f.ok("transaction", f.transact(change))
	clock.Move(time.Minute - time.Second)
	f.ok("expire", engine.ExpireItems())
	f.equal("expired", expired(engine), "LOG#a/2")
	f.report(t)
}

// An engine does not know when the items of an earlier run were written.
func TestBlocksOfAnEarlierRunCountAsWrittenAtTheStart(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/dynamodb.db"
	clock := newClock()
	first := openEngine(t, Options{Path: path, Clock: clock})
	client := newClient(serve(t, first))
	makeTable(t, client, "byS", "S")
	f := &fixture{ctx: t.Context(), target: target{client: client}, table: "byS"}
	f.write("LOG#a", "1")
	f.write("LOG#a", "2")
	f.report(t)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	clock.Move(time.Hour)
	again := openEngine(t, Options{Path: path, Clock: clock, Faults: Faults{Expiry: Expiry{Share: 1, Prefix: "LOG#"}}})
	for range 3 { // the engine looks once after each move
		if got := expired(again); got != "" {
			t.Errorf("%s has expired too early", got)
		}
		clock.Move(time.Minute - time.Second)
	}
	if got := expired(again); got != "LOG#a/1" {
		t.Errorf("%q has expired, want LOG#a/1", got)
	}
}

func TestAShareOfTheBlocksExpiresAtEachLookAndIsLogged(t *testing.T) {
	t.Parallel()
	run := func() (order, log string) {
		clock := newClock()
		var lines bytes.Buffer
		engine, f := expiringBlocks(t, clock, 0.3, slog.New(slog.NewTextHandler(&lines, nil)))
		for i := range 20 {
			f.write("LOG#a", fmt.Sprintf("%02d", i))
		}
		clock.Move(2 * time.Minute) // the first look
		if n := len(engine.ExpiredItems()); n == 0 || n >= 19 {
			t.Errorf("%d have expired at once, want some", n)
		}
		for range 50 {
			clock.Move(time.Second)
		}
		f.report(t)
		if all := len(engine.ExpiredItems()); all != 19 {
			t.Errorf("%d have expired in the end, want all but the last", all)
		}
		if len(engine.expiry.written) != 0 {
			t.Errorf("the times of %d old items are remembered", len(engine.expiry.written))
		}
		return fmt.Sprint(engine.ExpiredItems()), lines.String()
	}
	order, log := run()
	if again, _ := run(); again != order {
		t.Errorf("the same seed deleted\n%s and\n%s", order, again)
	}
	if !strings.Contains(log, "partition=LOG#a sort=07") || strings.Count(log, "\n") != 19 {
		t.Errorf("the log says\n%s", log)
	}
}

func TestExpiredItemsAreDeletedInARandomOrder(t *testing.T) {
	t.Parallel()
	run := func(seed uint64, late float64) (rounds string) {
		clock := newClock()
		e, f := expiring(t, Options{Clock: clock, Faults: Faults{LateDeletions: late, Seed: seed}})
		for i := range 20 {
			f.pk = fmt.Sprintf("%02d", i)
			f.given(m{"expires": int(clock.Now().Unix())})
		}
		deleted := 0
		for round := 0; deleted < 20 && round < 100; round++ {
			n, err := e.DeleteExpired(t.Context())
			f.ok("delete", err)
			deleted += n
			rounds += fmt.Sprint(n, " ", f.left(), "\n")
		}
		f.report(t)
		return rounds
	}
	if got := run(7, 0); got != "20 \n" {
		t.Errorf("without the fault: %s, want all at once", got)
	}
	first, again, other := run(7, 0.5), run(7, 0.5), run(8, 0.5)
	if first != again || first == other || strings.Count(first, "\n") < 3 || strings.Count(first, "\n") > 30 {
		t.Errorf("deleted and left:\n%sagain\n%swith another seed\n%s", first, again, other)
	}
}

// left returns the sorted keys of the table's items.
func (f *fixture) left() string {
	var keys []string
	for i := range 20 {
		f.pk = fmt.Sprintf("%02d", i)
		output, err := f.get()
		f.ok("get", err)
		if output.Item != nil {
			keys = append(keys, f.pk)
		}
	}
	return strings.Join(keys, " ")
}
