package roomlog

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
)

// seal closes a block to all writers, whatever their clocks say, and returns it.
func (l *Log) seal(ctx context.Context, room string, first int64) (block, error) {
	out, err := l.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 aws.String(l.table),
		Key:                       blockKey(room, first),
		UpdateExpression:          aws.String("SET sealed = :yes"),
		ConditionExpression:       aws.String("attribute_exists(pk)"), // mutate:log-seal-deleted
		ExpressionAttributeValues: dynamo.Item{":yes": dynamo.Number(1)},
		ReturnValues:              types.ReturnValueAllNew,
	})
	if _, gone := errors.AsType[*types.ConditionalCheckFailedException](err); gone {
		return block{}, dynamo.ErrChanged
	}
	if err != nil {
		return block{}, err
	}
	return decodeBlock(out.Attributes)
}

// begin stores an entry in a new block. Its number follows the tail that the writer has seen, or is the time if there
// is no tail, or a tail that TTL may have left behind. begin reads LOGS before it reads the newest block. So if another
// writer begins in between, one of the two checks fails.
func (l *Log) begin(ctx context.Context, room string, tail *block, e Entry) (Entry, bool, error) {
	start, err := l.start(ctx, room)
	if err != nil {
		return Entry{}, false, err
	}
	newest, _, err := l.newest(ctx, room, 1)
	// mutate:log-start-first => if start, _ = l.start(ctx, room); err != nil {
	if err != nil {
		return Entry{}, false, err
	}
	if !isEndOf(newest, tail) { // mutate:log-newest-again
		return Entry{}, false, dynamo.ErrChanged
	}
	now := l.now()
	behind := tail != nil &&
		!tail.stale(now) && // mutate:log-stale
		(start == nil || tail.first >= *start) // mutate:log-start-tail
	switch {
	case behind:
		e.Seq = tail.next()
	case start == nil:
		e.Seq = now.UnixMilli()
	default:
		e.Seq = max(
			now.UnixMilli(), // mutate:log-time => 1,
			*start+1,        // mutate:log-start-max => 1,
		)
	}
	_, err = l.api.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		// mutate:log-start-written => TransactItems: []types.TransactWriteItem{l.blockUpdate(room, !behind, e)},
		TransactItems: []types.TransactWriteItem{l.startUpdate(room, start, e.Seq), l.blockUpdate(room, !behind, e)},
	})
	if dynamo.AnyConditionFailed(dynamo.Cancellation(err)) {
		err = dynamo.ErrChanged
	}
	return e, false, err
}

// isEndOf reports whether the newest block, if there is one, is the tail as the writer has seen it.
func isEndOf(newest []block, tail *block) bool {
	if tail == nil || len(newest) == 0 {
		return tail == nil && len(newest) == 0
	}
	return newest[0].first == tail.first && newest[0].next() == tail.next()
}

// start returns the number with which the last begin began, or nil before the first.
func (l *Log) start(ctx context.Context, room string) (*int64, error) {
	out, err := l.api.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(l.table), Key: startKey(room), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, err
	}
	first, ok := dynamo.NumberOf(out.Item, "first")
	if !ok {
		return nil, nil
	}
	return &first, nil
}

// startUpdate returns the action that stores the number of this begin, on condition that LOGS still has start.
func (l *Log) startUpdate(room string, start *int64, first int64) types.TransactWriteItem {
	values := dynamo.Item{":first": dynamo.Number(first)}
	condition := "attribute_not_exists(pk)" // mutate:log-start-new
	if start != nil {
		values[":seen"] = dynamo.Number(*start)
		condition = "#first = :seen" // mutate:log-start-seen
	}
	return types.TransactWriteItem{Update: &types.Update{
		TableName:                 aws.String(l.table),
		Key:                       startKey(room),
		UpdateExpression:          aws.String("SET #first = :first"),
		ConditionExpression:       aws.String(condition),
		ExpressionAttributeNames:  map[string]string{"#first": "first"},
		ExpressionAttributeValues: values,
	}}
}

// blockUpdate returns the action that writes the new block.
func (l *Log) blockUpdate(room string, anew bool, e Entry) types.TransactWriteItem {
	set, values := "SET e = :entries, b = :size, t = :now, keep = :days, ids = :ids, expiresAt = :until", l.written(e)
	if anew {
		set, values[":yes"] = set+", anew = :yes", dynamo.Number(1)
	}
	return types.TransactWriteItem{Update: &types.Update{
		TableName:                 aws.String(l.table),
		Key:                       blockKey(room, e.Seq),
		UpdateExpression:          aws.String(set),
		ConditionExpression:       aws.String("attribute_not_exists(pk)"), // mutate:log-begin-over
		ExpressionAttributeValues: values,
	}}
}
