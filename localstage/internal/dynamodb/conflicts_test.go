package dynamodb

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestAnUpdateMeetsATransaction: the SDK reports the conflict, and does not repeat the call.
func TestAnUpdateMeetsATransaction(t *testing.T) {
	t.Parallel()
	clock := newClock()
	engine := openEngine(t, Options{Clock: clock, Faults: Faults{Conflicts: 1}})
	client, requests := repeatingClient(serve(t, engine))
	f := simple(t, client)
	f.ok("transaction", f.transact(f.txPut("changed", m{"n": 1}, ""), f.txCheck("checked", "attribute_not_exists(pk)")))
	update := func(pk string) error {
		f.pk = pk
		_, err := f.update("SET n = :2", values(m{":2": 2}))
		return err
	}
	for _, pk := range []string{"changed", "checked"} {
		requests.Store(0)
		err := update(pk)
		if _, ok := errors.AsType[*types.TransactionConflictException](err); !ok || requests.Load() != 1 {
			t.Errorf("%s: %v after %d requests, want a TransactionConflictException after 1", pk, err, requests.Load())
		}
	}
	f.pk = "changed"
	f.holds("{n:1}")
	f.ok("an item without a transaction", update("other"))
	_, err := f.put(m{"n": 3})
	f.ok("a put", err)
	clock.Move(conflictSpan)
	f.ok("an update long after the transaction", update("changed"))
	f.report(t)
}

// A transaction that fails was under way, too.
func TestAnUpdateMeetsATransactionThatFails(t *testing.T) {
	t.Parallel()
	f := simple(t, newClient(serve(t, openEngine(t, Options{Clock: newClock(), Faults: Faults{Conflicts: 1}}))))
	f.pk = "item"
	f.refused("transaction", f.transact(f.txDelete("", "attribute_exists(pk)")), "TransactionCanceledException", "")
	_, err := f.update("SET n = :1", values(m{":1": 1}))
	f.refused("update", err, "TransactionConflictException", ongoingTransaction)
	f.report(t)
}

func TestItemsOfOldTransactionsAreForgotten(t *testing.T) {
	t.Parallel()
	clock := newClock()
	c := newConflicts(Faults{Conflicts: 1}, clock)
	for i := range 2 * rememberedItems {
		c.note([]*write{{table: &table{ID: "t"}, key: fmt.Append(nil, i)}})
	}
	clock.Move(conflictSpan)
	c.note([]*write{{table: &table{ID: "t"}, key: []byte("new")}})
	if len(c.touched) != 1 {
		t.Errorf("%d items are remembered, want 1", len(c.touched))
	}
}

func TestAShareOfTheUpdatesMeetsTransactions(t *testing.T) {
	t.Parallel()
	sequence := func() string {
		engine := openEngine(t, Options{Clock: newClock(), Faults: Faults{Conflicts: 0.5, Seed: 7}})
		f := simple(t, newClient(serve(t, engine)))
		f.pk = "item"
		f.ok("transaction", f.transact(f.txPut("", m{}, "")))
		var codes strings.Builder
		for range 20 {
			_, err := f.update("ADD n :1", values(m{":1": 1}))
			codes.WriteString(code(err) + " ")
		}
		f.report(t)
		return codes.String()
	}
	first := sequence()
	if again := sequence(); again != first || strings.Count(first, "Conflict") == 0 ||
		strings.Count(first, "Conflict") == 20 {
		t.Errorf("conflicts:\n%s\n%s", first, again)
	}
}
