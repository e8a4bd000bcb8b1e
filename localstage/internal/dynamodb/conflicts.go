package dynamodb

import (
	"maps"
	"sync"
	"time"

	"signedsocket/localstage/internal/clock"
	"signedsocket/localstage/internal/dice"
)

// conflictSpan is how long after its transaction an item can meet the conflict fault. Transactions of the engine take
// no time, those of the service take tens of milliseconds.
const conflictSpan = time.Second

// rememberedItems is the number of items above which conflicts forgets those of old transactions.
const rememberedItems = 1000

const ongoingTransaction = "Transaction is ongoing for the item"

// conflicts makes single updates meet the transactions on their item, as if these were still under way.
type conflicts struct {
	share float64
	dice  *dice.Dice
	clock clock.Clock

	mu      sync.Mutex
	touched map[string]time.Time // time of the last transaction by item
}

// newConflicts returns nil, which no update meets, for a share of 0.
func newConflicts(f Faults, c clock.Clock) *conflicts {
	if f.Conflicts == 0 {
		return nil
	}
	return &conflicts{
		share: f.Conflicts, dice: dice.New(f.Seed, dice.Conflicts), clock: c, touched: map[string]time.Time{},
	}
}

// note remembers the items of a transaction, which may fail: it is under way until then.
func (c *conflicts) note(writes []*write) {
	if c == nil {
		return
	}
	now := c.clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.touched) > rememberedItems {
		maps.DeleteFunc(c.touched, func(_ string, at time.Time) bool { return now.Sub(at) >= conflictSpan })
	}
	for _, w := range writes {
		c.touched[w.id()] = now
	}
}

// check refuses an update that meets a transaction. The SDKs do not repeat it.
// Source: DynamoDB developer guide, "Transactions: how it works", transaction conflict handling.
func (c *conflicts) check(w *write) error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	at, touched := c.touched[w.id()]
	c.mu.Unlock()
	if touched && c.clock.Now().Sub(at) < conflictSpan && c.dice.Occurs(c.share) {
		return refused("TransactionConflictException", ongoingTransaction)
	}
	return nil
}

// id names the item of a write among those of all tables.
func (w *write) id() string { return itemID(w.table, w.key) }

func itemID(t *table, key []byte) string { return t.ID + "/" + string(key) }
