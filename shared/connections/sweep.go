package connections

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
)

// Reason is why a connection must be closed. Its text is the code of the bye frame that the client gets.
type Reason string

// The reasons. All but SessionEnded and Replaced are due at once.
const (
	SessionEnded Reason = "session_ended" // its time is over
	Revoked      Reason = "revoked"       // its user was revoked
	Evicted      Reason = "evicted"       // it gave way to a newer one of its user's
	Kicked       Reason = "kicked"        // it broke the rules too often
	TooSlow      Reason = "too_slow"      // it does not read; the bye frame would not reach it
	Replaced     Reason = "replaced"      // the same client opened a newer one
	SignedOut    Reason = "signed_out"    // its user signed out
)

const (
	// sweepShards is how many partitions hold the connections that are due in one minute.
	sweepShards = 4
	// sweepMinutes is how far back Due looks at most, however long the reaper did not run. It is longer than API
	// Gateway lets any connection live.
	sweepMinutes = 130
	// settledMinutes is how many minutes before the current one may still get SWEEP items, because clocks differ and
	// writes take time.
	settledMinutes = 2
	// firstLook is how many minutes the first sweep of a table looks back.
	firstLook = 10
	// sweepMargin is how long a SWEEP item is kept after it was due.
	sweepMargin = 3 * time.Hour
)

// API Gateway closes every connection after connectionLimit by itself. A session that ends less than sweepPeriod before
// that needs no SWEEP item: the reaper, which comes once in that time, would not be earlier.
const (
	connectionLimit = 2 * time.Hour
	sweepPeriod     = time.Minute
)

// Sweep is the order to close a connection.
type Sweep struct {
	ConnectionID string
	Reason       Reason
	ConnectedAt  time.Time // whole milliseconds

	partition string
}

// Due returns the connections that are due at now, page by page as DynamoDB returns them, the oldest first. It begins
// with the first minute that is not finished. A page may be empty. The sequence ends after the first error. Later calls
// return a connection again until RemoveSweep, for as long as Due looks back.
func (s *Store) Due(ctx context.Context, now time.Time) iter.Seq2[[]Sweep, error] {
	return func(yield func([]Sweep, error) bool) {
		first := minuteOf(now) - sweepMinutes // mutate:sweep-back => first := minuteOf(now) - 10
		progress, err := s.get(ctx, reaperKey(), nil)
		if err != nil {
			yield(nil, fmt.Errorf("read how far the reaper has come: %w", err))
			return
		}
		switch finished, ok := dynamo.NumberOf(progress, "minute"); {
		case !ok:
			first = max(first, minuteOf(now)-firstLook)
		case finished <= minuteOf(now):
			first = max(first, finished+1)
		}
		for minute := first; minute <= minuteOf(now); minute++ {
			for shard := range sweepShards {
				for due, err := range s.dueIn(ctx, sweepPartition(minute, shard), now) {
					if !yield(due, err) || err != nil {
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
		how := listing{attributes: "sk, reason, due, connectedAt", consistent: true}
		for items, err := range s.pages(ctx, partition, how) {
			if err != nil {
				yield(nil, fmt.Errorf("list due connections: %w", err))
				return
			}
			if !yield(sweeps(items, partition, now), nil) {
				return
			}
		}
	}
}

// sweeps leaves out connections that become due later in their minute.
func sweeps(items []item, partition string, now time.Time) []Sweep {
	found := make([]Sweep, 0, len(items))
	for _, listed := range items {
		due, _ := dynamo.NumberOf(listed, "due")
		if due > now.Unix() {
			continue
		}
		connectedAt, _ := dynamo.NumberOf(listed, "connectedAt")
		found = append(found, Sweep{
			ConnectionID: dynamo.TextOf(listed, "sk"), Reason: Reason(dynamo.TextOf(listed, "reason")),
			ConnectedAt: time.UnixMilli(connectedAt).UTC(), partition: partition,
		})
	}
	return found
}

// RemoveSweep removes a SWEEP item that Due returned, after the close.
func (s *Store) RemoveSweep(ctx context.Context, sweep Sweep) error {
	_, err := s.api.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String(s.tables.Connections), Key: sweep.key(),
	})
	if err != nil {
		return fmt.Errorf("remove SWEEP item: %w", err)
	}
	return nil
}

// Finish records that the caller has closed the connections that Due returned at now, except for those left. The next
// time Due begins after them.
func (s *Store) Finish(ctx context.Context, left []Sweep, now time.Time) error {
	finished := minuteOf(now) - settledMinutes
	for _, sweep := range left {
		finished = min(finished, sweep.minute()-1)
	}
	_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(s.tables.Connections), Key: reaperKey(),
		UpdateExpression:          aws.String("SET #minute = :finished"),
		ConditionExpression:       aws.String("attribute_not_exists(#minute) OR #minute < :finished OR #minute > :now"),
		ExpressionAttributeNames:  map[string]string{"#minute": "minute"},
		ExpressionAttributeValues: item{":finished": dynamo.Number(finished), ":now": dynamo.Number(minuteOf(now))},
	})
	if _, further := errors.AsType[*types.ConditionalCheckFailedException](err); further {
		return nil // another sweep has come as far
	}
	if err != nil {
		return fmt.Errorf("remember how far the reaper has come: %w", err)
	}
	return nil
}

// minute returns the minute in which the connection became due.
func (w Sweep) minute() int64 {
	minute, _, _ := strings.Cut(strings.TrimPrefix(w.partition, sweepPrefix), "#")
	n, _ := strconv.ParseInt(minute, 10, 64)
	return n
}

// newSweep returns the order to close a connection at a time.
func newSweep(connectionID string, connectedAt time.Time, reason Reason, due time.Time) Sweep {
	return Sweep{
		ConnectionID: connectionID, Reason: reason, ConnectedAt: connectedAt,
		partition: sweepPartition(minuteOf(due), shardOf(connectionID, sweepShards)),
	}
}

// item returns the SWEEP item that Due finds from a time on.
func (w Sweep) item(due time.Time) item {
	return item{
		"pk": dynamo.Text(w.partition), "sk": dynamo.Text(w.ConnectionID), "reason": dynamo.Text(string(w.Reason)),
		"due": dynamo.Number(due.Unix()), "connectedAt": dynamo.Number(w.ConnectedAt.UnixMilli()),
		"expiresAt": dynamo.Number(due.Add(sweepMargin).Unix()),
	}
}

// key returns the key of the SWEEP item.
func (w Sweep) key() item {
	return item{"pk": dynamo.Text(w.partition), "sk": dynamo.Text(w.ConnectionID)}
}

// sweepLater returns the action that schedules a close at the end of the session, unless API Gateway closes the
// connection by then.
func (s *Store) sweepLater(a Admission) []types.TransactWriteItem {
	if !endsEarly(a.SessionEndsAt, a.ConnectedAt) {
		return nil
	}
	sweep := newSweep(a.ConnectionID, a.ConnectedAt, SessionEnded, a.SessionEndsAt)
	return []types.TransactWriteItem{s.put(sweep.item(a.SessionEndsAt))}
}

// endsEarly reports whether a session ends before API Gateway ends its connection.
func endsEarly(sessionEndsAt, connectedAt time.Time) bool {
	return sessionEndsAt.Before(connectedAt.Add(connectionLimit - sweepPeriod))
}

// sweepsOf returns the SWEEP items of a connection, which its CONN item implies, each key once.
func sweepsOf(connection Connection, conn item) (pending []Sweep) {
	if early := earlySweep(connection, conn); early != nil {
		pending = append(pending, *early)
	}
	if due, ok := dynamo.NumberOf(conn, "due"); ok {
		pending = append(pending, newSweep(connection.ID, connection.ConnectedAt, Replaced, time.Unix(due, 0)))
	}
	if endsEarly(connection.SessionEndsAt, connection.ConnectedAt) {
		pending = append(pending,
			newSweep(connection.ID, connection.ConnectedAt, SessionEnded, connection.SessionEndsAt))
	}
	seen := make(map[string]bool)
	return slices.DeleteFunc(pending, func(sweep Sweep) bool {
		twice := seen[sweep.partition]
		seen[sweep.partition] = true
		return twice
	})
}

// earlySweep returns the SWEEP item by which a connection is due before its session ends: it was kicked, or replaced.
func earlySweep(connection Connection, conn item) *Sweep {
	name, reason := "due", Replaced
	if _, kicked := dynamo.NumberOf(conn, "kicked"); kicked {
		name, reason = "kicked", Kicked
	}
	due, ok := dynamo.NumberOf(conn, name)
	if !ok {
		return nil
	}
	sweep := newSweep(connection.ID, connection.ConnectedAt, reason, time.Unix(due, 0))
	return &sweep
}

// sweepPrefix begins the keys of SWEEP items.
const sweepPrefix = "SWEEP#"

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

func sweepPartition(minute int64, shard int) string {
	return sweepPrefix + strconv.FormatInt(minute, 10) + "#" + strconv.Itoa(shard)
}
