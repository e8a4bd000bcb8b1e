package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"signedsocket/localstage/internal/clock"
)

const (
	// sweepInterval is the pause between two sweeps for expired items, by the engine's clock.
	sweepInterval = time.Second

	// sweepBatch is the number of items that one transaction deletes, so that other writers wait only briefly.
	sweepBatch = 200
)

// sweeper does a work in the background, once in an interval.
type sweeper struct {
	work func()

	mu      sync.Mutex // held during the work, too
	stopped bool
	timer   clock.Timer
}

// startSweeping begins the background deletions that the options ask for, and returns a function that ends them.
func (e *Engine) startSweeping() (stop func()) {
	var works []func()
	// The next look repeats a failed deletion. Only a closed file makes one fail.
	if e.ttl.Delete {
		works = append(works, func() { _, _ = e.DeleteExpired(context.Background()) })
	}
	if e.expiry != nil {
		works = append(works, func() { _ = e.ExpireItems() })
	}
	sweepers := make([]*sweeper, len(works))
	for i, work := range works {
		sweepers[i] = &sweeper{work: work}
		sweepers[i].start(e.clock)
	}
	return func() {
		for _, s := range sweepers {
			s.stop()
		}
	}
}

func (s *sweeper) start(c clock.Clock) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = c.AfterFunc(sweepInterval, s.sweep)
}

func (s *sweeper) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	s.work()
	s.timer.Reset(sweepInterval)
}

func (s *sweeper) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	s.timer.Stop()
}

// DeleteExpired deletes the items whose time to live was over at least the TTL's lag ago, by the engine's clock, and
// returns their number. It deletes them in a random order, as the service promises none, and leaves those that the
// fault LateDeletions spares to a later call. With a TTL that deletes, the engine calls it itself every second. It
// returns early when ctx is done.
func (e *Engine) DeleteExpired(ctx context.Context) (int, error) {
	deleted := 0
	for _, name := range e.tableNames() {
		t, err := e.table(name)
		if err != nil || t.TimeToLiveAttribute == "" {
			continue // deleted meanwhile, or without time to live
		}
		n, err := e.deleteExpiredOf(ctx, t)
		deleted += n
		if err != nil {
			return deleted, fmt.Errorf("delete expired items of %s: %w", name, err)
		}
	}
	return deleted, nil
}

func (e *Engine) deleteExpiredOf(ctx context.Context, t *table) (int, error) {
	expired, err := e.expiredKeys(t)
	if err != nil {
		return 0, err
	}
	expired = slices.DeleteFunc(expired, func([]byte) bool { return e.deletions.Occurs(e.lateness) })
	e.deletions.Shuffle(expired)
	deleted := 0
	for len(expired) > 0 && ctx.Err() == nil {
		batch := expired[:min(sweepBatch, len(expired))]
		expired = expired[len(batch):]
		n, err := e.deleteIfExpired(t.Name, batch)
		deleted += n
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

func (e *Engine) expiredKeys(t *table) ([][]byte, error) {
	var keys [][]byte
	err := e.db.View(func(tx *bbolt.Tx) error {
		items, err := t.items(tx)
		if err != nil {
			return ignoreDeletedTable(err)
		}
		return items.ForEach(func(key, stored []byte) error {
			expired, err := e.isExpired(t, stored)
			if expired {
				keys = append(keys, append([]byte(nil), key...))
			}
			return err
		})
	})
	return keys, err
}

// deleteIfExpired checks the item again inside of the write transaction: since the search the item may have got a new
// stamp, or its table other settings.
func (e *Engine) deleteIfExpired(tableName string, keys [][]byte) (int, error) {
	deleted := 0
	err := e.db.Update(func(tx *bbolt.Tx) error {
		deleted = 0
		t, err := loadTable(tx, tableName)
		if err != nil {
			return ignoreDeletedTable(err)
		}
		items, err := t.items(tx)
		if err != nil {
			return ignoreDeletedTable(err)
		}
		for _, key := range keys {
			expired, err := e.isExpired(t, items.Get(key))
			if err != nil {
				return err
			}
			if !expired {
				continue
			}
			if err := items.Delete(key); err != nil {
				return err
			}
			deleted++
		}
		return nil
	})
	return deleted, err
}

func ignoreDeletedTable(err error) error {
	if refusal, ok := errors.AsType[*Error](err); ok && refusal.Code() == "ResourceNotFoundException" {
		return nil
	}
	return err
}
