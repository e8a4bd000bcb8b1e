// Package markers stores up to which message each user has read a room, on all devices together. Its main type is
// Store. There is one item for a user and a room in the table of connections (package connections):
//
//	pk            sk       attributes
//	READ#<sub>    <room>   seq, expiresAt
//
//	seq        N  number of the newest message that the user has read; it never falls
//	expiresAt  N  Unix seconds, the table's TTL attribute: 90 days after the marker was moved
package markers

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

// kept is how long a marker is kept after it was moved.
const kept = 90 * 24 * time.Hour

// API is the part of the DynamoDB client that a Store uses.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	UpdateItem(
		context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.UpdateItemOutput, error)
}

// Store reads and writes markers. It is safe for concurrent use.
type Store struct {
	API   API
	Table string
	Now   func() time.Time
}

func key(user, room string) dynamo.Item {
	return dynamo.Item{"pk": dynamo.Text("READ#" + user), "sk": dynamo.Text(room)}
}

// Get returns the marker of a user in a room, or 0 if there is none.
func (s *Store) Get(ctx context.Context, user, room string) (int64, error) {
	out, err := s.API.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.Table, Key: key(user, room), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return 0, fmt.Errorf("read marker: %w", err)
	}
	seq, _ := dynamo.NumberOf(out.Item, "seq")
	return seq, nil
}

// Raise moves the marker of a user in a room up to seq, unless it is there or above, and returns it.
func (s *Store) Raise(ctx context.Context, user, room string, seq int64) (int64, error) {
	// mutate:marker-forward => condition := "attribute_not_exists(seq) OR seq <> :seq"
	condition := "attribute_not_exists(seq) OR seq < :seq"
	_, err := s.API.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Table, Key: key(user, room),
		UpdateExpression: aws.String("SET seq = :seq, expiresAt = :until"), ConditionExpression: &condition,
		ExpressionAttributeValues: dynamo.Item{
			":seq": dynamo.Number(seq), ":until": dynamo.Number(s.Now().Add(kept).Unix()),
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		above, _ := dynamo.NumberOf(failed.Item, "seq")
		return above, nil
	}
	if err != nil {
		return 0, fmt.Errorf("move marker: %w", err)
	}
	return seq, nil
}
