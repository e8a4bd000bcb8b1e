package connections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Revocation says who is shut out.
type Revocation struct {
	Subject string
	// BannedUntil keeps the user out even after authenticating anew. Zero leaves an earlier ban as it
	// is; a time in the past lifts it.
	BannedUntil time.Time
}

// Revoke shuts a user out at now, and returns the ids of the connections that the user has. From then
// on Connect refuses whoever authenticated in the second of now or before. Times of authentication are whole
// seconds, so this includes an authentication later in that same second: that user has to sign in once
// more. Each connection that Connect admitted before is among those returned, and the caller has to
// Expel it.
func (s *Store) Revoke(ctx context.Context, r Revocation, now time.Time) (connectionIDs []string, err error) {
	var user item
	err = retry(ctx, func() error {
		out, err := s.api.UpdateItem(ctx, s.revocation(r, now))
		if err == nil {
			user = out.Attributes
		}
		return err
	})
	if err == nil {
		err = s.keepRevocation(ctx, r.Subject, user, now)
	}
	if err != nil {
		return nil, fmt.Errorf("revoke user: %w", err)
	}
	return entriesByAge(user), nil
}

func (s *Store) revocation(r Revocation, now time.Time) *dynamodb.UpdateItemInput {
	update := &dynamodb.UpdateItemInput{
		TableName: aws.String(s.table),
		Key:       userKey(r.Subject),
		// mutate:revocation-written => UpdateExpression: aws.String("SET elsewhere = :now, " +
		UpdateExpression: aws.String("SET notBefore = :now, " +
			"expiresAt = if_not_exists(expiresAt, :keep)"),
		ExpressionAttributeValues: item{":now": number(now.Unix()), ":keep": number(now.Add(userRetention).Unix())},
		ReturnValues:              types.ReturnValueAllNew,
	}
	if !r.BannedUntil.IsZero() {
		*update.UpdateExpression += ", bannedUntil = :until"
		update.ExpressionAttributeValues[":until"] = number(r.BannedUntil.Unix())
	}
	return update
}

// keepRevocation has TTL keep the USER item for as long as its marks mean something. An update cannot
// take the greater of two numbers, so this is a second one, for the few items that need it.
func (s *Store) keepRevocation(ctx context.Context, subject string, user item, now time.Time) error {
	bannedUntil, _ := numberOf(user, "bannedUntil")
	keep := max(now.Unix(), bannedUntil) + int64(userRetention/time.Second)
	if expiresAt, _ := numberOf(user, "expiresAt"); expiresAt >= keep {
		return nil
	}
	err := retry(ctx, func() error {
		_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String(s.table), Key: userKey(subject),
			UpdateExpression:          aws.String("SET expiresAt = :keep"),
			ConditionExpression:       aws.String("expiresAt < :keep"),
			ExpressionAttributeValues: item{":keep": number(keep)},
		})
		return err
	})
	if _, later := errors.AsType[*types.ConditionalCheckFailedException](err); later {
		return nil // somebody else keeps it even longer
	}
	return err
}

// Expel forgets a connection and makes it due to be closed at now, in one transaction. It returns what Due
// would from then on, and whether there was anything to forget: a connection that is not known any more
// has left, or was expelled before. A message of its own that comes later finds no connection, and
// broadcasts that look for their recipients later do not find it. Posts under way may still reach it,
// until it is closed.
func (s *Store) Expel(ctx context.Context, connectionID string, reason Reason, now time.Time) (Sweep, bool, error) {
	connection, known, err := s.read(ctx, connectionID)
	sweep := newSweep(connectionID, connection.ConnectedAt, reason, now)
	if err == nil && known {
		known, err = s.take(ctx, connection, s.put(sweep.item(now)))
	}
	if err != nil {
		return Sweep{}, false, fmt.Errorf("expel connection: %w", err)
	}
	return sweep, known, nil
}
