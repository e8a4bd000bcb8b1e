package connections

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
)

const (
	windowSeconds = 10
	// staleWindows is how many windows before the previous one an update removes. A connection that sends less often
	// than these last leaves one small attribute behind each time, until it ends.
	staleWindows = 12
)

// requestsPerWindow is how many requests for messages of the past a connection may send in 10 seconds. They have
// windows of their own, so that a user who scrolls can still send messages.
const requestsPerWindow = 20

// Touch counts one message of a connection at now and returns the connection, all in one update. The error is
// ErrNotConnected, ErrKicked, ErrSessionEnded, a *RateLimitError, or a fault. When the answer to the update is lost,
// the SDK repeats it, and the message counts twice: the limit is then stricter, never looser.
func (s *Store) Touch(ctx context.Context, connectionID string, now time.Time) (Connection, error) {
	connection, err := s.count(ctx, connectionID, windowName, 1, s.limits.MessagesPerWindow, now)
	if err != nil {
		return Connection{}, fmt.Errorf("count message: %w", err)
	}
	return connection, nil
}

// CountRequests counts n requests for messages of the past, at least 1, in all else as Touch counts a message. If they
// do not fit into the window together, it counts one of them, and the error is a *RateLimitError with Fewer, unless not
// even one fits.
func (s *Store) CountRequests(ctx context.Context, connectionID string, n int, now time.Time) (Connection, error) {
	// mutate:history-windows => connection, err := s.count(ctx, connectionID, windowName, n, requestsPerWindow, now)
	connection, err := s.count(ctx, connectionID, requestName, n, requestsPerWindow, now)
	if limit, limited := errors.AsType[*RateLimitError](err); limited && n > 1 {
		_, over := s.count(ctx, connectionID, requestName, 1, requestsPerWindow, now)
		limit.Fewer = over == nil // mutate:requests-fewer => limit.Fewer = over == nil || true
	}
	if err != nil {
		return Connection{}, fmt.Errorf("count requests: %w", err)
	}
	return connection, nil
}

// count adds n to the current window of a connection, unless that would pass limit.
func (s *Store) count(
	ctx context.Context, connectionID string, name func(window int64) string, n, limit int, now time.Time,
) (Connection, error) {
	var conn item
	err := dynamo.Retry(ctx, func() error {
		out, err := s.api.UpdateItem(ctx, s.countUpdate(connectionID, name, n, limit, now))
		if err != nil {
			return whyNotCounted(err, now)
		}
		conn = out.Attributes
		return nil
	})
	if err != nil {
		return Connection{}, err
	}
	return decodeConnection(connectionID, conn)
}

func (s *Store) countUpdate(
	connectionID string, name func(window int64) string, n, limit int, now time.Time,
) *dynamodb.UpdateItemInput {
	window := now.Unix() / windowSeconds
	names := map[string]string{"#window": name(window)}
	stale := staleNames(names, name, window, staleWindows)
	return &dynamodb.UpdateItemInput{
		TableName:        aws.String(s.tables.Connections),
		Key:              connectionKey(connectionID),
		UpdateExpression: aws.String("ADD #window :n REMOVE " + stale),
		ConditionExpression: aws.String("sx > :now" + // mutate:session-speaks
			" AND attribute_not_exists(kicked)" + // mutate:kicked-speaks
			" AND (attribute_not_exists(#window) OR #window <= :most)"), // mutate:rate-window
		ExpressionAttributeNames: names,
		ExpressionAttributeValues: item{
			":n": dynamo.Number(int64(n)), ":now": dynamo.Number(now.Unix()),
			":most": dynamo.Number(int64(limit - n)), // so far
		},
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}

// staleNames adds the attributes of the last n windows before the previous one to names, and returns their list. The
// previous window stays: an invocation that began in it may count late.
func staleNames(names map[string]string, attribute func(int64) string, current int64, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = "#stale" + strconv.Itoa(i)
		// mutate:count-late => names[list[i]] = attribute(current - int64(i) - 1)
		names[list[i]] = attribute(current - int64(i) - 2)
	}
	return strings.Join(list, ", ")
}

// The prefixes of the attributes with counts, in CONN and RATE items.
const (
	windowPrefix  = "w"
	requestPrefix = "h"
	strikePrefix  = "s"
)

func windowName(window int64) string  { return windowPrefix + strconv.FormatInt(window, 10) }
func requestName(window int64) string { return requestPrefix + strconv.FormatInt(window, 10) }
func strikeName(minute int64) string  { return strikePrefix + strconv.FormatInt(minute, 10) }

// whyNotCounted finds the part of the condition that was not met, from the item in the error. An item without sx is no
// connection.
func whyNotCounted(err error, now time.Time) error {
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		return err
	}
	sx, known := dynamo.NumberOf(failed.Item, "sx")
	_, kicked := dynamo.NumberOf(failed.Item, "kicked")
	switch {
	case !known:
		return ErrNotConnected
	case kicked:
		return ErrKicked
	case sx <= now.Unix():
		return ErrSessionEnded
	}
	next := time.Unix((now.Unix()/windowSeconds+1)*windowSeconds, 0)
	return &RateLimitError{RetryAfter: next.Sub(now)}
}
