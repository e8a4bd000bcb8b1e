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

// slowMemory is how long a mark of MarkSlow counts. A member of a quiet room may have read messages of other rooms
// since.
const slowMemory = time.Hour

// MarkSlow records at now that a broadcast could not post to a member that does not read. The broadcast began at began.
// MarkSlow reports whether a broadcast that ended before then has marked the member. So two broadcasts at the same time
// count as one, and a mark that ClearSlow has removed counts as none. An unknown connection is not marked.
func (s *Store) MarkSlow(ctx context.Context, room string, m Member, began, now time.Time) (again bool, err error) {
	key, err := s.listedAt(ctx, room, m)
	if err != nil || key == nil {
		return false, err
	}
	_, err = s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:           aws.String(s.tables.Connections),
		Key:                 key,
		UpdateExpression:    aws.String("SET slow = :now"),
		ConditionExpression: aws.String("connectedAt = :at AND (attribute_not_exists(slow) OR slow < :stale)"),
		ExpressionAttributeValues: item{
			":now": dynamo.Number(now.UnixMilli()), ":at": dynamo.Number(m.ConnectedAt.UnixMilli()),
			":stale": dynamo.Number(now.Add(-slowMemory).UnixMilli()),
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err == nil {
		return false, nil
	}
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		return false, fmt.Errorf("mark slow member: %w", err)
	}
	connectedAt, _ := dynamo.NumberOf(failed.Item, "connectedAt")
	marked, found := dynamo.NumberOf(failed.Item, "slow")
	if marked >= began.UnixMilli() { // mutate:slow-overlap
		return false, nil
	}
	return found && connectedAt == m.ConnectedAt.UnixMilli(), nil
}

// ClearSlow removes the mark of a member that has taken a frame since. A newer mark stays.
func (s *Store) ClearSlow(ctx context.Context, room string, m Member) error {
	key, err := s.listedAt(ctx, room, m)
	if err != nil || key == nil {
		return err
	}
	_, err = s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:           aws.String(s.tables.Connections),
		Key:                 key,
		UpdateExpression:    aws.String("REMOVE slow"),
		ConditionExpression: aws.String("connectedAt = :at AND slow = :seen"),
		ExpressionAttributeValues: item{
			":at": dynamo.Number(m.ConnectedAt.UnixMilli()), ":seen": dynamo.Number(m.Slow.UnixMilli()),
		},
	})
	if _, changed := errors.AsType[*types.ConditionalCheckFailedException](err); changed {
		return nil
	}
	if err != nil {
		return fmt.Errorf("clear slow member: %w", err)
	}
	return nil
}

// listedAt returns the key of the item that lists a member in a room, nil if the connection is unknown. The connection
// says in which shard it is: the number of shards may have been raised since.
func (s *Store) listedAt(ctx context.Context, room string, m Member) (item, error) {
	conn, err := s.get(ctx, connectionKey(m.ConnectionID), nil)
	if err != nil {
		return nil, fmt.Errorf("find slow member: %w", err)
	}
	if conn == nil {
		return nil, nil
	}
	connection, err := decodeConnection(m.ConnectionID, conn)
	if err != nil {
		return nil, fmt.Errorf("find slow member: %w", err)
	}
	if !connection.ConnectedAt.Equal(m.ConnectedAt) {
		return nil, nil
	}
	for _, membership := range connection.Rooms {
		if membership.Room == room {
			return membershipKey(membership, m.ConnectionID), nil
		}
	}
	return nil, nil
}
