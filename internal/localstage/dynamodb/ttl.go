package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"go.etcd.io/bbolt"
)

// TTL says what becomes of items whose time to live is over. The service deletes them some time later, up to days, so
// what uses a table must compare the stamps itself; never deleting, the zero value, shows whether it does.
// Source: DynamoDB developer guide, "Using time to live (TTL) in DynamoDB".
type TTL struct {
	Delete bool          // delete expired items in the background
	Lag    time.Duration // how long after its stamp an item is deleted
}

const (
	// oldestStamp is how far in the past a stamp may lie for its item to be deleted: older ones are taken for a
	// mistake. Source: DynamoDB developer guide, "Before using TTL".
	oldestStamp = 5 * 365 * 24 * time.Hour

	// sweepInterval is how often expired items are looked for, in real time whatever the engine's clock says.
	sweepInterval = time.Second

	// sweepBatch is how many items one transaction deletes, so that other writers need not wait long.
	sweepBatch = 200
)

type timeToLiveSpecification struct {
	Enabled       *bool
	AttributeName string
}

type updateTimeToLiveRequest struct {
	TableName               string
	TimeToLiveSpecification timeToLiveSpecification
}

func (e *Engine) updateTimeToLive(request *updateTimeToLiveRequest) ([]byte, error) {
	specification := request.TimeToLiveSpecification
	if specification.Enabled == nil || specification.AttributeName == "" || len(specification.AttributeName) > 255 {
		return nil, invalid("TimeToLiveSpecification must have Enabled and an AttributeName of 1 to 255 characters")
	}
	if _, err := e.table(request.TableName); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.tables[request.TableName]
	if t == nil {
		return nil, tableNotFound()
	}
	changed, err := t.withTimeToLive(*specification.Enabled, specification.AttributeName)
	if err != nil {
		return nil, err
	}
	if err := e.db.Update(changed.save); err != nil {
		return nil, fmt.Errorf("update time to live of %s: %w", t.Name, err)
	}
	e.tables[t.Name] = changed
	return json.Marshal(map[string]any{"TimeToLiveSpecification": specification})
}

// withTimeToLive returns the table with other settings. It refuses what changes nothing, as the service does.
func (t *table) withTimeToLive(enabled bool, attribute string) (*table, error) {
	switch current := t.TimeToLiveAttribute; {
	case enabled && current == attribute:
		return nil, invalid("TimeToLive is already enabled")
	case !enabled && current == "":
		return nil, invalid("TimeToLive is already disabled")
	case current != "" && current != attribute:
		return nil, invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", current)
	}
	changed := *t
	changed.TimeToLiveAttribute = ""
	if enabled {
		changed.TimeToLiveAttribute = attribute
	}
	return &changed, nil
}

func (e *Engine) describeTimeToLive(request *tableRequest) ([]byte, error) {
	t, err := e.table(request.TableName)
	if err != nil {
		return nil, err
	}
	description := map[string]string{"TimeToLiveStatus": "DISABLED"}
	if t.TimeToLiveAttribute != "" {
		description = map[string]string{"TimeToLiveStatus": "ENABLED", "AttributeName": t.TimeToLiveAttribute}
	}
	return json.Marshal(map[string]any{"TimeToLiveDescription": description})
}

// startSweeping begins the background deletion, if the engine has one, and returns what ends it.
func (e *Engine) startSweeping() (stop func()) {
	if !e.ttl.Delete {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(sweepInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				// What fails now is tried again at the next tick; only a closed file makes it fail.
				_, _ = e.DeleteExpired(ctx)
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// DeleteExpired deletes the items whose time to live, by the engine's clock, was over the TTL's lag ago, and returns
// how many they were. The engine calls it itself every second if its TTL says so; a test whose clock has jumped may
// call it at once. It returns early when ctx is done.
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

// deleteIfExpired looks again inside the write transaction: an item may have got a new stamp, or its table other
// settings, since it was found.
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

// isExpired reports whether the item may be deleted. Only a number is a stamp: seconds since 1970.
func (e *Engine) isExpired(t *table, stored storedItem) (bool, error) {
	if stored == nil || t.TimeToLiveAttribute == "" {
		return false, nil
	}
	item, err := stored.decode()
	if err != nil {
		return false, err
	}
	number, ok := item[t.TimeToLiveAttribute].(numberValue)
	if !ok {
		return false, nil
	}
	seconds, err := strconv.ParseFloat(string(number), 64)
	if err != nil {
		return false, nil // no time at all
	}
	now := e.now()
	due := float64(now.Add(-e.ttl.Lag).Unix())
	return seconds <= due && seconds >= float64(now.Add(-oldestStamp).Unix()), nil
}
