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
	// staleWindows is how many windows before the current one a message removes. A connection that sends less often
	// than these last leaves one small attribute behind each time, until it ends.
	staleWindows = 12
)

// Touch counts one message of a connection at now and returns the connection, all in one update. The error is
// ErrNotConnected, ErrKicked, ErrSessionEnded, a *RateLimitError, or a fault. When the answer to the update is lost,
// the SDK repeats it, and the message counts twice: the limit is then stricter, never looser.
func (s *Store) Touch(ctx context.Context, connectionID string, now time.Time) (Connection, error) {
	var conn item
	err := dynamo.Retry(ctx, func() error {
		out, err := s.api.UpdateItem(ctx, s.touch(connectionID, now))
		if err != nil {
			return whyNotTouched(err, now)
		}
		conn = out.Attributes
		return nil
	})
	if err != nil {
		return Connection{}, fmt.Errorf("count message: %w", err)
	}
	return decodeConnection(connectionID, conn)
}

func (s *Store) touch(connectionID string, now time.Time) *dynamodb.UpdateItemInput {
	window := now.Unix() / windowSeconds
	names := map[string]string{"#window": windowName(window)}
	stale := staleNames(names, windowName, window, staleWindows)
	return &dynamodb.UpdateItemInput{
		TableName:        aws.String(s.tables.Connections),
		Key:              connectionKey(connectionID),
		UpdateExpression: aws.String("ADD #window :one REMOVE " + stale),
		ConditionExpression: aws.String("sx > :now" + // mutate:session-speaks
			" AND attribute_not_exists(kicked)" + // mutate:kicked-speaks
			" AND (attribute_not_exists(#window) OR #window < :max)"), // mutate:rate-window
		ExpressionAttributeNames: names,
		ExpressionAttributeValues: item{
			":one": dynamo.Number(1), ":now": dynamo.Number(now.Unix()),
			":max": dynamo.Number(int64(s.limits.MessagesPerWindow)),
		},
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}

// staleNames adds the attributes of the last n windows before the current one to names, and returns their list.
func staleNames(names map[string]string, attribute func(int64) string, current int64, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = "#stale" + strconv.Itoa(i)
		names[list[i]] = attribute(current - int64(i) - 1)
	}
	return strings.Join(list, ", ")
}

func windowName(window int64) string { return "w" + strconv.FormatInt(window, 10) }

// whyNotTouched finds the part of the condition that was not met, from the item in the error. An item without sx is no
// connection.
func whyNotTouched(err error, now time.Time) error {
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
