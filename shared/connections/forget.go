package connections

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Forget removes all items of a connection: the connection itself, its memberships, and its entry
// in the user's count. When connectedAt is not zero, only the connection that was opened then is
// meant. Forget reports whether it removed anything: a connection that is not known, or not any
// more, is no error.
func (s *Store) Forget(ctx context.Context, connectionID string, connectedAt time.Time) (bool, error) {
	connection, known, err := s.read(ctx, connectionID)
	if !connectedAt.IsZero() && !connectedAt.Equal(connection.ConnectedAt) {
		known = false
	}
	if err == nil && known {
		known, err = s.take(ctx, connection)
	}
	if err != nil {
		return false, fmt.Errorf("forget connection: %w", err)
	}
	return known, nil
}

// Drop forgets the connection that was opened at connectedAt, which does not read what it is sent, and makes it due to be
// closed at now. That it is due comes first: who is to be closed and still known is closed nevertheless. Not
// in one transaction, so that the caller's permissions can name the keys.
func (s *Store) Drop(ctx context.Context, connectionID string, connectedAt, now time.Time) error {
	sweep := newSweep(connectionID, connectedAt, TooSlow, now)
	if _, err := s.api.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(s.table), Item: sweep.item(now)}); err != nil {
		return fmt.Errorf("drop connection: %w", err)
	}
	_, err := s.Forget(ctx, connectionID, connectedAt)
	return err
}

// read returns what the table holds of a connection, and whether it holds anything.
func (s *Store) read(ctx context.Context, connectionID string) (Connection, bool, error) {
	conn, err := s.get(ctx, connectionKey(connectionID), nil)
	if err != nil || conn == nil {
		return Connection{}, false, err
	}
	connection, err := decodeConnection(connectionID, conn)
	return connection, err == nil, err
}

// take removes a connection, with more actions in the same transaction. It returns false when the
// connection was removed meanwhile; then nothing was done.
func (s *Store) take(ctx context.Context, connection Connection, more ...types.TransactWriteItem) (removed bool, err error) {
	err = retry(ctx, func() error {
		removed, err = s.removeConnection(ctx, connection, s.leave(connection), more)
		return err
	})
	return removed, err
}

// leave returns the action that takes a connection out of its user's count.
func (s *Store) leave(connection Connection) []types.TransactWriteItem {
	return []types.TransactWriteItem{{Update: &types.Update{
		TableName:                 aws.String(s.table),
		Key:                       userKey(connection.Subject),
		UpdateExpression:          aws.String("REMOVE #entry ADD n :minusOne"),
		ConditionExpression:       aws.String("attribute_exists(#entry)"),
		ExpressionAttributeNames:  map[string]string{"#entry": entryName(connection.ID)},
		ExpressionAttributeValues: item{":minusOne": number(-1)},
	}}}
}

// removeConnection removes the connection together with its entry in the USER item. Without that
// entry (its item may have been removed by hand) it removes the rest.
func (s *Store) removeConnection(ctx context.Context, connection Connection, leave, more []types.TransactWriteItem) (bool, error) {
	actions := []types.TransactWriteItem{{Delete: &types.Delete{
		TableName:                 aws.String(s.table),
		Key:                       connectionKey(connection.ID),
		ConditionExpression:       aws.String("connectedAt = :seen"),
		ExpressionAttributeValues: item{":seen": number(connection.ConnectedAt.UnixMilli())},
	}}}
	for _, membership := range connection.Rooms {
		actions = append(actions, s.remove(membershipKey(membership, connection.ID)))
	}
	reasons, err := s.transact(ctx, slices.Concat(actions, leave, more))
	if err == nil {
		return true, nil
	}
	if _, gone := conditionFailed(reasons, 0); gone {
		return false, nil
	}
	if _, absent := conditionFailed(reasons, len(actions)); absent {
		return s.removeConnection(ctx, connection, nil, more)
	}
	return false, err
}
