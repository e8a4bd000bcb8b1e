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

// strikesAllowed is how many violations a connection may have in the current minute and the one before; with one more
// it is kicked.
const strikesAllowed = 2

// Struck is the result of a strike.
type Struck struct {
	Subject string // user id
	Kicked  bool   // by this very strike
}

// Strike counts a violation of the rules by a connection at now. With the third in the current minute and the one
// before, the connection is kicked: Touch refuses it from then on, it is due to be closed, and its user may not open
// another one for a while. Strikes of the user's earlier connections count, too. The error is ErrKicked when an earlier
// strike has kicked the connection, ErrNotConnected, or a fault; after a fault the connection may have been kicked
// nevertheless.
func (s *Store) Strike(ctx context.Context, connectionID string, now time.Time) (struck Struck, err error) {
	var conn item
	err = dynamo.Retry(ctx, func() error { // mutate:strikes-counted
		out, err := s.api.UpdateItem(ctx, s.strike(connectionID, now))
		if err != nil {
			return whyNotStruck(err)
		}
		conn = out.Attributes
		return nil
	})
	struck.Subject = dynamo.TextOf(conn, "sub")
	if err == nil && strikesOf(conn, now) > strikesAllowed {
		connectedAt, _ := dynamo.NumberOf(conn, "connectedAt")
		sweep := newSweep(connectionID, time.UnixMilli(connectedAt), Kicked, now)
		struck.Kicked, err = s.kick(ctx, struck.Subject, sweep, now)
	}
	if err != nil {
		return struck, fmt.Errorf("count strike: %w", err)
	}
	return struck, nil
}

func (s *Store) strike(connectionID string, now time.Time) *dynamodb.UpdateItemInput {
	minute := minuteOf(now)
	return &dynamodb.UpdateItemInput{
		TableName:           aws.String(s.tables.Connections),
		Key:                 connectionKey(connectionID),
		UpdateExpression:    aws.String("ADD #minute :one REMOVE #stale0, #stale1"),
		ConditionExpression: aws.String("attribute_exists(pk) AND attribute_not_exists(kicked)"),
		ExpressionAttributeNames: map[string]string{
			"#minute": strikeName(minute), "#stale0": strikeName(minute - 2), "#stale1": strikeName(minute - 3),
		},
		ExpressionAttributeValues:           item{":one": dynamo.Number(1)},
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}

func strikesOf(conn item, now time.Time) int64 {
	minute := minuteOf(now)
	current, _ := dynamo.NumberOf(conn, strikeName(minute))
	previous, _ := dynamo.NumberOf(conn, strikeName(minute-1))
	return current + previous
}

func whyNotStruck(err error) error {
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	switch {
	case !ok:
		return err
	case failed.Item == nil:
		return ErrNotConnected
	default:
		return ErrKicked
	}
}

// kick marks a connection as kicked and keeps its user out for a while. The SWEEP item comes first: a connection with a
// SWEEP item and no mark is closed, but one with a mark only would stay. The call that sets the mark also keeps the
// user out, so that one kick counts once. There is no transaction, so that the caller's permissions can name the keys.
func (s *Store) kick(ctx context.Context, subject string, sweep Sweep, now time.Time) (kicked bool, err error) {
	if err := s.putNow(ctx, sweep.item(now)); err != nil {
		return false, err
	}
	err = dynamo.Retry(ctx, func() error {
		_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String(s.tables.Connections), Key: connectionKey(sweep.ConnectionID),
			UpdateExpression:                    aws.String("SET kicked = :now"),
			ConditionExpression:                 aws.String("attribute_exists(pk) AND attribute_not_exists(kicked)"),
			ExpressionAttributeValues:           item{":now": dynamo.Number(now.Unix())},
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
		return err
	})
	failed, refused := errors.AsType[*types.ConditionalCheckFailedException](err)
	if refused && failed.Item != nil {
		return false, nil // another message was faster
	}
	if err != nil && !refused { // a connection that has left since its strike was counted keeps its user out as well
		return false, err
	}
	return true, s.keepOut(ctx, subject, now) // mutate:kick-written
}
