package dynamodb

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"signedsocket/localstage/internal/clock"
	"signedsocket/localstage/internal/dice"
)

const (
	// expiryAge is the time since its last write after which an item may be deleted.
	expiryAge = time.Minute
	// successorAge is the same of the item behind it.
	successorAge = 2 * time.Minute
)

// Expiry deletes whole items of some partitions as if their time to live were over, whatever their stamps: time to live
// counts days, a test runs for minutes. The zero value deletes none.
//
// A look each second deletes its share of the items that may go. An item may go if it was written more than a minute
// ago, and if its partition has an item behind it, in the order of the sort key, that was written more than two minutes
// ago. So the last item of a partition stays, and each one in front of a young one. A program may continue the last
// item, and take a young item behind a hole for a torn read: time to live deletes neither so early, and nor does this.
type Expiry struct {
	Share  float64
	Prefix string // of the partition keys
}

// ItemKey names an item: table, and the text of partition and sort key.
type ItemKey struct {
	Table, Partition, Sort string
}

// expiry is the state of an Expiry.
type expiry struct {
	Expiry
	prefix []byte // of stored keys
	dice   *dice.Dice
	clock  clock.Clock
	began  time.Time // items without a time were written before

	mu      sync.Mutex
	written map[string]time.Time // last write by item, of those that are too young to go
	deleted []ItemKey
}

// newExpiry returns nil for a share of 0.
func newExpiry(f Faults, c clock.Clock) *expiry {
	if f.Expiry.Share == 0 {
		return nil
	}
	prefix := appendPartitionKey(nil, stringValue(f.Expiry.Prefix))
	return &expiry{
		Expiry:  f.Expiry,
		prefix:  bytes.TrimSuffix(prefix, []byte(partitionEnd)),
		dice:    dice.New(f.Seed, dice.Expiry),
		clock:   c,
		began:   c.Now(),
		written: map[string]time.Time{},
	}
}

// note remembers the time of writes. It is called within their transaction, so that no look comes between.
func (x *expiry) note(writes ...*write) {
	if x == nil {
		return
	}
	now := x.clock.Now()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, w := range writes {
		if bytes.HasPrefix(w.key, x.prefix) {
			x.written[w.id()] = now
		}
	}
}

// age returns the time since the last write of an item. The caller holds mu.
func (x *expiry) age(t *table, key []byte, now time.Time) time.Duration {
	if at, ok := x.written[itemID(t, key)]; ok {
		return now.Sub(at)
	}
	return now.Sub(x.began)
}

// doomed returns the keys of the items that go now.
func (x *expiry) doomed(t *table, items *bbolt.Bucket) (keys [][]byte) {
	now := x.clock.Now()
	x.mu.Lock()
	defer x.mu.Unlock()
	cursor := items.Cursor()
	key, _ := cursor.Seek(x.prefix)
	for bytes.HasPrefix(key, x.prefix) {
		next, _ := cursor.Next()
		switch {
		case !samePartition(key, next): // mutate:stage-expiry-last
		case x.age(t, next, now) < successorAge: // mutate:stage-expiry-successor
		case x.age(t, key, now) < expiryAge: // mutate:stage-expiry-age
		case x.dice.Occurs(x.Share):
			keys = append(keys, bytes.Clone(key))
		}
		key = next
	}
	x.dice.Shuffle(keys)
	return keys
}

// forget drops the times that no longer matter, and those of deleted items.
func (x *expiry) forget(deleted ...ItemKey) {
	now := x.clock.Now()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.deleted = append(x.deleted, deleted...)
	if now.Sub(x.began) < successorAge {
		return // an item without a time counts as young
	}
	for id, at := range x.written {
		if now.Sub(at) >= successorAge {
			delete(x.written, id)
		}
	}
}

// samePartition reports whether two stored keys have the same partition key.
func samePartition(a, b []byte) bool {
	end := bytes.Index(a, []byte(partitionEnd)) + len(partitionEnd)
	return len(b) >= end && bytes.Equal(a[:end], b[:end])
}

// ExpireItems deletes the items that the fault Expiry deletes now. The engine calls it itself every second.
func (e *Engine) ExpireItems() error {
	if e.expiry == nil {
		return nil
	}
	var deleted []ItemKey
	for _, name := range e.tableNames() {
		t, err := e.table(name)
		if err != nil || t.SortKey.Name == "" || t.PartitionKey.Type != "S" {
			continue // deleted meanwhile, or without partitions that have a name and an order
		}
		keys, err := e.expireItemsOf(t)
		if err != nil {
			return fmt.Errorf("expire items of %s: %w", name, err)
		}
		deleted = append(deleted, keys...)
	}
	for _, k := range deleted {
		e.log.Info("a fault has deleted an item as if it had expired", slog.String("table", k.Table),
			slog.String("partition", k.Partition), slog.String("sort", k.Sort))
	}
	e.expiry.forget(deleted...)
	return nil
}

func (e *Engine) expireItemsOf(t *table) (deleted []ItemKey, err error) {
	err = e.db.Update(func(tx *bbolt.Tx) error {
		deleted = nil
		items, err := t.items(tx)
		if err != nil {
			return ignoreDeletedTable(err)
		}
		for _, key := range e.expiry.doomed(t, items) {
			item, err := storedItem(items.Get(key)).decode()
			if err != nil {
				return err
			}
			if err := items.Delete(key); err != nil {
				return err
			}
			deleted = append(deleted, t.nameOf(item))
		}
		return nil
	})
	return deleted, err
}

func (t *table) nameOf(item mapValue) ItemKey {
	partition, _ := scalarText(item[t.PartitionKey.Name])
	sort, _ := scalarText(item[t.SortKey.Name])
	return ItemKey{Table: t.Name, Partition: strings.Clone(partition), Sort: strings.Clone(sort)}
}

// ExpiredItems returns the items that the fault Expiry has deleted so far.
func (e *Engine) ExpiredItems() []ItemKey {
	if e.expiry == nil {
		return nil
	}
	e.expiry.mu.Lock()
	defer e.expiry.mu.Unlock()
	return append([]ItemKey(nil), e.expiry.deleted...)
}
