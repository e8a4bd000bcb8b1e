package connections

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
)

// Remove removes all items of a connection: the connection itself, its memberships, its SWEEP items, and its entry in
// the user's count. It adds the connection's recent messages and strikes to those of its user. If connectedAt is not
// zero, Remove removes only the connection that was opened then. It reports whether it removed anything: an unknown
// connection is no error.
func (s *Store) Remove(ctx context.Context, connectionID string, connectedAt time.Time) (bool, error) {
	_, removed, err := s.removeRecords(ctx, connectionID, connectedAt, nil, s.now())
	if err != nil {
		return false, fmt.Errorf("remove connection: %w", err)
	}
	return removed, nil
}

// ExpelSlow removes a connection that does not read, if it was opened at connectedAt, and makes it due to be closed at
// now. It writes the SWEEP item first: the reaper closes such a connection even if its records stay. It uses no
// transaction, so that the caller's permissions can name the keys. It returns the user's id, or "" when the connection
// was removed already.
func (s *Store) ExpelSlow(
	ctx context.Context, connectionID string, connectedAt, now time.Time,
) (userID string, err error) {
	sweep := newSweep(connectionID, connectedAt, TooSlow, now)
	var expelled Connection
	removed := false
	err = s.putNow(ctx, sweep.item(now))
	if err == nil {
		expelled, removed, err = s.removeRecords(ctx, connectionID, connectedAt, &kept{partition: sweep.partition}, now)
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("expel slow connection: %w", err)
	case !removed:
		return "", nil
	}
	return expelled.Subject, nil
}

// Expel removes a connection and makes it due to be closed at now, in one transaction. It returns the Sweep that Due
// returns from then on, and whether there was a connection to remove: an unknown one has left, or was expelled before.
// Later messages of the connection find no sender, and later broadcasts do not list it. Posts under way may still reach
// it until it is closed.
func (s *Store) Expel(ctx context.Context, connectionID string, reason Reason, now time.Time) (Sweep, bool, error) {
	sweep := newSweep(connectionID, time.Time{}, reason, now)
	connection, removed, err := s.removeRecords(ctx, connectionID, time.Time{}, &kept{sweep.partition, reason}, now)
	if err != nil {
		return Sweep{}, false, fmt.Errorf("expel connection: %w", err)
	}
	sweep.ConnectedAt = connection.ConnectedAt
	return sweep, removed, nil
}

// kept is the SWEEP item that outlives its connection, until the socket is closed.
type kept struct {
	partition string
	put       Reason // the transaction writes it for this reason, unless it is there already
}

// removeRecords removes the records of a connection and returns the connection. It returns false if there is none, or
// if the connection was not opened at connectedAt.
func (s *Store) removeRecords(
	ctx context.Context, connectionID string, connectedAt time.Time, stays *kept, now time.Time,
) (connection Connection, removed bool, err error) {
	err = dynamo.Retry(ctx, func() error {
		conn, err := s.get(ctx, connectionKey(connectionID), nil)
		if err != nil || conn == nil {
			return err
		}
		if connection, err = decodeConnection(connectionID, conn); err != nil {
			return err
		}
		if !connectedAt.IsZero() && !connectedAt.Equal(connection.ConnectedAt) {
			return nil
		}
		err = s.tryRemove(ctx, connection, conn, stays, now)
		removed = err == nil
		return err
	})
	return connection, removed, err
}

// tryRemove removes the connection together with its entry in the USER item. Without that entry (its item may have been
// removed by hand) it removes the rest.
func (s *Store) tryRemove(
	ctx context.Context, connection Connection, conn item, stays *kept, now time.Time,
) error {
	partition := ""
	var actions []types.TransactWriteItem
	if stays != nil {
		partition = stays.partition
		if stays.put != "" {
			sweep := newSweep(connection.ID, connection.ConnectedAt, stays.put, now)
			actions = append(actions, s.put(sweep.item(now)))
		}
	}
	actions = append(actions, s.removalActions(connection, conn, sweepsOf(connection, conn), partition, now)...)
	if add := own(conn, now); len(add) > 0 {
		actions = append(actions,
			types.TransactWriteItem{Update: s.addRate(connection.Subject, add, pastRates(now), now)})
	}
	reasons, err := s.transact(ctx, append(actions, s.uncount(connection)))
	if _, absent := dynamo.ConditionFailed(reasons, len(actions)); absent {
		reasons, err = s.transact(ctx, actions)
	}
	if dynamo.AnyConditionFailed(reasons) {
		return dynamo.ErrChanged // it was removed meanwhile, or has counted a message
	}
	return err
}

// removalActions returns the actions that remove a connection's items. They leave its entry in the USER item, and the
// SWEEP item in the partition keep. They fail when the connection has counted anything since conn was read.
func (s *Store) removalActions(
	connection Connection, conn item, pending []Sweep, keep string, now time.Time,
) []types.TransactWriteItem {
	// mutate:rate-removal => condition := expression{parts: []string{"attribute_exists(pk)"}, values: item{}}
	condition := unchanged(recent(conn, now), now)
	condition.values[":seen"] = dynamo.Number(connection.ConnectedAt.UnixMilli())
	actions := []types.TransactWriteItem{{Delete: &types.Delete{
		TableName:                 aws.String(s.tables.Connections),
		Key:                       connectionKey(connection.ID),
		ConditionExpression:       aws.String("connectedAt = :seen AND " + strings.Join(condition.parts, " AND ")),
		ExpressionAttributeNames:  condition.names,
		ExpressionAttributeValues: condition.values,
	}}}
	for _, membership := range connection.Rooms {
		actions = append(actions, s.remove(membershipKey(membership, connection.ID)))
	}
	for _, sweep := range pending {
		if sweep.partition != keep {
			actions = append(actions, s.remove(sweep.key()))
		}
	}
	return actions
}

// uncount returns the action that removes a connection from its user's count.
func (s *Store) uncount(connection Connection) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{
		TableName:           aws.String(s.tables.Connections),
		Key:                 userKey(connection.Subject),
		UpdateExpression:    aws.String("REMOVE #entry, #instance ADD n :minusOne"),
		ConditionExpression: aws.String("attribute_exists(#entry)"),
		ExpressionAttributeNames: map[string]string{
			"#entry": entryName(connection.ID), "#instance": instanceName(connection.ID),
		},
		ExpressionAttributeValues: item{":minusOne": dynamo.Number(-1)},
	}}
}
