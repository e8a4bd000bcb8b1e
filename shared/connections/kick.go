package connections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
)

const (
	// firstKick is how long a kick keeps a user out. Each further kick doubles the time, up to longestKick, until
	// kickMemory has passed without one.
	firstKick   = time.Minute
	longestKick = time.Hour
	kickMemory  = 24 * time.Hour
)

// KickedError is returned by Connect and MayConnect: a connection of the user was kicked, and the user may not open
// another one for now.
type KickedError struct {
	RetryAfter time.Duration // how long until the user may connect again
}

// Error implements error.
func (e *KickedError) Error() string {
	return "user kicked, may connect again in " + e.RetryAfter.String()
}

// kickedOut returns a *KickedError when a KICK item keeps its user out at now. It counts for at most an hour after it
// was written, because an attacker who controls a function can write such an item.
func kickedOut(kick item, now time.Time) error {
	until, ok := dynamo.NumberOf(kick, "until")
	if !ok {
		return nil
	}
	at, ok := dynamo.NumberOf(kick, "at")
	if !ok {
		at = now.Unix()
	}
	// mutate:kick-ends => _ = at
	until = min(until, min(at, now.Unix())+int64(longestKick/time.Second))
	if until <= now.Unix() {
		return nil
	}
	return &KickedError{RetryAfter: time.Unix(until, 0).Sub(now)}
}

// nextKick returns the values of a user's KICK item after one more kick at now.
func nextKick(kick item, now time.Time) item {
	times, _ := dynamo.NumberOf(kick, "times")
	if at, _ := dynamo.NumberOf(kick, "at"); now.Sub(time.Unix(at, 0)) > kickMemory {
		times = 0
	}
	times = max(times, 0)
	out := longestKick
	if times < 6 { // beyond it the shift passes an hour
		out = min(firstKick<<times, longestKick)
	}
	return item{
		"until": dynamo.Number(now.Add(out).Unix()), "times": dynamo.Number(times + 1), "at": dynamo.Number(now.Unix()),
		"expiresAt": dynamo.Number(now.Add(2 * kickMemory).Unix()),
	}
}

// keepOut keeps a user out after a connection was kicked at now.
func (s *Store) keepOut(ctx context.Context, subject string, now time.Time) error {
	err := dynamo.Retry(ctx, func() error {
		kick, err := s.get(ctx, kickKey(subject), nil)
		if err != nil {
			return err
		}
		input := &dynamodb.PutItemInput{
			TableName:                aws.String(s.tables.Connections),
			Item:                     with(kickKey(subject), nextKick(kick, now)),
			ConditionExpression:      aws.String("attribute_not_exists(pk)"),
			ExpressionAttributeNames: nil,
		}
		if times, ok := dynamo.NumberOf(kick, "times"); ok {
			input.ConditionExpression = aws.String("#times = :seen")
			input.ExpressionAttributeNames = map[string]string{"#times": "times"}
			input.ExpressionAttributeValues = item{":seen": dynamo.Number(times)}
		} else if kick != nil {
			input.ConditionExpression = nil // not written by this package: it is replaced
		}
		_, err = s.api.PutItem(ctx, input)
		if _, changed := errors.AsType[*types.ConditionalCheckFailedException](err); changed {
			return dynamo.ErrChanged
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the kicked user out: %w", err)
	}
	return nil
}
