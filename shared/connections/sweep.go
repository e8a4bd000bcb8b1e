package connections

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Reason is why a connection is to be closed. Its text is the code of the bye frame that the client gets.
type Reason string

// The reasons. All but SessionEnded are due at once.
const (
	SessionEnded Reason = "session_ended" // its time is over
	Revoked      Reason = "revoked"       // its user was revoked
	Evicted      Reason = "evicted"       // it gave way to a newer one of its user's
	Kicked       Reason = "kicked"        // it broke the rules too often
	TooSlow      Reason = "too_slow"      // it does not read what it is sent; the bye frame would not reach it
)

const (
	// sweepShards spreads what is due in one minute over that many partitions.
	sweepShards = 4
	// sweepMinutes is how far back Due looks. It bounds for how long the reaper may be out of order
	// before it misses somebody, and what it reads each minute when there is nothing to do.
	sweepMinutes = 10
	// sweepMargin is how long a SWEEP item is kept after it was due.
	sweepMargin = time.Hour
)

// API Gateway closes every connection after connectionLimit by itself. A session that ends less than
// sweepPeriod before that needs no SWEEP item: the reaper, which comes once in that time, would not be
// earlier.
const (
	connectionLimit = 2 * time.Hour
	sweepPeriod     = time.Minute
)

// Sweep says that a connection is to be closed.
type Sweep struct {
	ConnectionID string
	Reason       Reason
	ConnectedAt  time.Time // whole milliseconds

	partition string
}

// Due returns the connections that are to be closed at now, page by page as DynamoDB returns them,
// oldest first. A page may be empty. The sequence ends after the first error. Somebody is named again
// in every later call until Swept, for as long as Due looks back: ten minutes.
func (s *Store) Due(ctx context.Context, now time.Time) iter.Seq2[[]Sweep, error] {
	return func(yield func([]Sweep, error) bool) {
		for minute := minuteOf(now) - sweepMinutes; minute <= minuteOf(now); minute++ {
			for shard := range sweepShards {
				for page, err := range s.dueIn(ctx, sweepPartition(minute, shard), now) {
					if !yield(page, err) || err != nil {
						return
					}
				}
			}
		}
	}
}

// dueIn returns the pages of one partition.
func (s *Store) dueIn(ctx context.Context, partition string, now time.Time) iter.Seq2[[]Sweep, error] {
	return func(yield func([]Sweep, error) bool) {
		for page, err := range s.pages(ctx, partition, "sk, reason, due, connectedAt") {
			if err != nil {
				yield(nil, fmt.Errorf("list due connections: %w", err))
				return
			}
			if !yield(sweeps(page, partition, now), nil) {
				return
			}
		}
	}
}

// sweeps leaves out what becomes due later in its minute.
func sweeps(items []item, partition string, now time.Time) []Sweep {
	found := make([]Sweep, 0, len(items))
	for _, item := range items {
		due, _ := numberOf(item, "due")
		if due > now.Unix() {
			continue
		}
		connectedAt, _ := numberOf(item, "connectedAt")
		found = append(found, Sweep{
			ConnectionID: textOf(item, "sk"), Reason: Reason(textOf(item, "reason")),
			ConnectedAt: time.UnixMilli(connectedAt).UTC(), partition: partition,
		})
	}
	return found
}

// Swept removes what Due returned, when there is nothing left to do about it.
func (s *Store) Swept(ctx context.Context, sweep Sweep) error {
	_, err := s.api.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String(s.table), Key: item{"pk": text(sweep.partition), "sk": text(sweep.ConnectionID)},
	})
	if err != nil {
		return fmt.Errorf("remove swept connection: %w", err)
	}
	return nil
}

// newSweep returns that a connection is to be closed at a time.
func newSweep(connectionID string, connectedAt time.Time, reason Reason, due time.Time) Sweep {
	return Sweep{
		ConnectionID: connectionID, Reason: reason, ConnectedAt: connectedAt,
		partition: sweepPartition(minuteOf(due), shardOf(connectionID, sweepShards)),
	}
}

// item returns the SWEEP item that Due finds from a time on.
func (w Sweep) item(due time.Time) item {
	return item{
		"pk": text(w.partition), "sk": text(w.ConnectionID), "reason": text(string(w.Reason)), "due": number(due.Unix()),
		"connectedAt": number(w.ConnectedAt.UnixMilli()), "expiresAt": number(due.Add(sweepMargin).Unix()),
	}
}

// sweepLater returns the action that has a connection closed at the end of its session, unless API
// Gateway does so itself.
func (s *Store) sweepLater(a Admission) []types.TransactWriteItem {
	if !a.SessionEndsAt.Before(a.ConnectedAt.Add(connectionLimit - sweepPeriod)) {
		return nil
	}
	sweep := newSweep(a.ConnectionID, a.ConnectedAt, SessionEnded, a.SessionEndsAt)
	return []types.TransactWriteItem{s.put(sweep.item(a.SessionEndsAt))}
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

func sweepPartition(minute int64, shard int) string {
	return "SWEEP#" + strconv.FormatInt(minute, 10) + "#" + strconv.Itoa(shard)
}
