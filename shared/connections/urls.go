package connections

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
)

const (
	// urlsPerMinute is how many URLs one user may have signed in a minute. A client needs one for each connection.
	urlsPerMinute = 30
	// urlsRetention is how long the count of a minute is kept.
	urlsRetention = 10 * time.Minute
	// staleMinutes is how many minutes before the previous one a count removes from the item.
	staleMinutes = 12
)

// CountURL counts a URL that is to be signed for a user at now. The error is a *RateLimitError when the user has had as
// many as allowed in this minute, or a fault; then nothing was counted.
func (s *Store) CountURL(ctx context.Context, subject string, now time.Time) error {
	minute := minuteOf(now)
	names := map[string]string{"#minute": urlsName(minute)}
	stale := staleNames(names, urlsName, minute, staleMinutes)
	_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:        aws.String(s.tables.Connections),
		Key:              urlsKey(subject),
		UpdateExpression: aws.String("ADD #minute :one SET expiresAt = :keep REMOVE " + stale),
		// mutate:urls-counted
		ConditionExpression:      aws.String("(attribute_not_exists(#minute) OR #minute < :max)"),
		ExpressionAttributeNames: names,
		ExpressionAttributeValues: item{
			":one": dynamo.Number(1), ":max": dynamo.Number(urlsPerMinute),
			":keep": dynamo.Number(now.Add(urlsRetention).Unix()),
		},
	})
	if _, full := errors.AsType[*types.ConditionalCheckFailedException](err); full {
		return &RateLimitError{RetryAfter: time.Unix((minute+1)*60, 0).Sub(now)}
	}
	if err != nil {
		return fmt.Errorf("count URL: %w", err)
	}
	return nil
}

func urlsName(minute int64) string { return "m" + strconv.FormatInt(minute, 10) }
