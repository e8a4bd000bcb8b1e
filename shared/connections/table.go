package connections

import (
	"context"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
)

// API is the part of the DynamoDB client that a Store uses.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	DeleteItem(
		context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.DeleteItemOutput, error)
	UpdateItem(
		context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.UpdateItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	TransactGetItems(
		context.Context, *dynamodb.TransactGetItemsInput, ...func(*dynamodb.Options),
	) (*dynamodb.TransactGetItemsOutput, error)
	TransactWriteItems(
		context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options),
	) (*dynamodb.TransactWriteItemsOutput, error)
}

// maxActions is the most that DynamoDB takes in one transaction.
const maxActions = 100

// get reads an item of the connections table, or only the attributes of a projection, strongly consistent. The item is
// nil when there is none.
func (s *Store) get(ctx context.Context, key item, projection *string) (item, error) {
	return s.getFrom(ctx, s.tables.Connections, key, projection)
}

func (s *Store) getFrom(ctx context.Context, table string, key item, projection *string) (item, error) {
	out, err := s.api.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(table), Key: key, ConsistentRead: aws.Bool(true), ProjectionExpression: projection,
	})
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}

// transactGet reads items of the connections table in transactions. It sees what a finished transaction has written,
// even while the answer to that transaction is under way. Items that do not exist are nil.
func (s *Store) transactGet(ctx context.Context, keys ...item) ([]item, error) {
	found := make([]item, 0, len(keys))
	for len(keys) > 0 {
		part := keys[:min(len(keys), maxActions)]
		keys = keys[len(part):]
		gets := make([]types.TransactGetItem, len(part))
		for i, key := range part {
			gets[i].Get = &types.Get{TableName: aws.String(s.tables.Connections), Key: key}
		}
		err := dynamo.Retry(ctx, func() error {
			out, err := s.api.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: gets})
			if err != nil {
				return err
			}
			for _, response := range out.Responses {
				found = append(found, response.Item)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// pages returns the items of one partition, as many at a time as DynamoDB returns. The sequence ends after the first
// error.
func (s *Store) pages(ctx context.Context, partition string, how listing) iter.Seq2[[]item, error] {
	return func(yield func([]item, error) bool) {
		var start item
		for {
			out, err := s.query(ctx, &dynamodb.QueryInput{
				TableName:                 aws.String(s.tables.Connections),
				KeyConditionExpression:    aws.String("pk = :pk"),
				ExpressionAttributeValues: item{":pk": dynamo.Text(partition)},
				ProjectionExpression:      aws.String(how.attributes),
				ExpressionAttributeNames:  how.names,
				ConsistentRead:            aws.Bool(how.consistent),
				Limit:                     aws.Int32(s.page),
				ExclusiveStartKey:         start,
			})
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(out.Items, nil) || len(out.LastEvaluatedKey) == 0 {
				return
			}
			start = out.LastEvaluatedKey
		}
	}
}

// query repeats a Query for as long as it is throttled and ctx allows, with full jitter between the calls. The SDK has
// then tried three times already, but without one page a broadcast fails.
func (s *Store) query(ctx context.Context, input *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
	for {
		out, err := s.api.Query(ctx, input)
		if err == nil || !dynamo.IsThrottled(err) {
			return out, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(rand.N(dynamo.LongestPause)): //nolint:gosec // jitter is no secret
		}
	}
}

// transact executes actions in one transaction, and returns the reasons when it was cancelled.
func (s *Store) transact(ctx context.Context, actions []types.TransactWriteItem) ([]types.CancellationReason, error) {
	_, err := s.api.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: actions})
	return dynamo.Cancellation(err), err
}

// putNow writes one item of the connections table outside of a transaction.
func (s *Store) putNow(ctx context.Context, content item) error {
	_, err := s.api.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(s.tables.Connections), Item: content})
	return err
}

func (s *Store) put(content item) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: aws.String(s.tables.Connections), Item: content}}
}

func (s *Store) remove(key item) types.TransactWriteItem {
	return types.TransactWriteItem{Delete: &types.Delete{TableName: aws.String(s.tables.Connections), Key: key}}
}
