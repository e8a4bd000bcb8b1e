package connections

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkretry "github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
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

// How long an operation that conflicts with another one is repeated, and with which pauses.
const (
	conflictBudget = 2 * time.Second
	firstPause     = 10 * time.Millisecond
	longestPause   = 320 * time.Millisecond
)

// maxActions is the most that DynamoDB takes in one transaction.
const maxActions = 100

// Reasons for which DynamoDB cancels a transaction, as its error reference spells them.
const (
	reasonCondition  = "ConditionalCheckFailed"
	reasonConflict   = "TransactionConflict"
	reasonThrottled  = "ThrottlingError"
	reasonThroughput = "ProvisionedThroughputExceeded"
)

// errChanged asks for another attempt, because the items have changed since they were read.
var errChanged = errors.New("items changed meanwhile")

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
		err := retry(ctx, func() error {
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
func (s *Store) pages(
	ctx context.Context, partition, projection string, names map[string]string,
) iter.Seq2[[]item, error] {
	return func(yield func([]item, error) bool) {
		var start item
		for {
			out, err := s.query(ctx, &dynamodb.QueryInput{
				TableName:                 aws.String(s.tables.Connections),
				KeyConditionExpression:    aws.String("pk = :pk"),
				ExpressionAttributeValues: item{":pk": text(partition)},
				ProjectionExpression:      aws.String(projection),
				ExpressionAttributeNames:  names,
				ConsistentRead:            aws.Bool(true),
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
		if err == nil || !isThrottled(err) {
			return out, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(rand.N(longestPause)): //nolint:gosec // jitter is no secret
		}
	}
}

// transact executes actions in one transaction, and returns the reasons when it was cancelled.
func (s *Store) transact(ctx context.Context, actions []types.TransactWriteItem) ([]types.CancellationReason, error) {
	_, err := s.api.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: actions})
	return cancellation(err), err
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

// retry repeats attempt while it conflicts with another operation, with full jitter between the calls, until its budget
// or ctx ends. The SDK does not repeat cancelled transactions. It repeats lost and throttled requests, under the same
// ClientRequestToken, so that a transaction whose answer was lost counts once.
func retry(ctx context.Context, attempt func() error) error {
	deadline := time.Now().Add(conflictBudget)
	for longest := firstPause; ; longest = min(2*longest, longestPause) {
		err := attempt()
		if err == nil || !isConflict(err) {
			return err
		}
		pause := rand.N(longest) //nolint:gosec // jitter is no secret
		if time.Now().Add(pause).After(deadline) {
			return fmt.Errorf("still in conflict after %s: %w", conflictBudget, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("in conflict: %w", ctx.Err())
		case <-time.After(pause):
		}
	}
}

// isConflict reports whether another operation at the same time made this one fail. Then nothing was written, and the
// operation can be repeated.
func isConflict(err error) bool {
	if _, single := errors.AsType[*types.TransactionConflictException](err); single || errors.Is(err, errChanged) {
		return true
	}
	for _, reason := range cancellation(err) {
		switch aws.ToString(reason.Code) {
		case reasonConflict, reasonThrottled, reasonThroughput:
			return true
		}
	}
	return false
}

func isThrottled(err error) bool {
	return sdkretry.IsErrorThrottles(sdkretry.DefaultThrottles).IsErrorThrottle(err).Bool()
}

// cancellation returns why a transaction was cancelled, one reason per action in their order, or nil when err is
// something else.
func cancellation(err error) []types.CancellationReason {
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		return canceled.CancellationReasons
	}
	return nil
}

// conditionFailed returns whether the condition of the action at index was not met, and the item as it was, if the
// action asked for it.
func conditionFailed(reasons []types.CancellationReason, index int) (item, bool) {
	if index >= len(reasons) || aws.ToString(reasons[index].Code) != reasonCondition {
		return nil, false
	}
	return reasons[index].Item, true
}

// anyConditionFailed reports whether the condition of some action was not met.
func anyConditionFailed(reasons []types.CancellationReason) bool {
	for i := range reasons {
		if _, failed := conditionFailed(reasons, i); failed {
			return true
		}
	}
	return false
}
