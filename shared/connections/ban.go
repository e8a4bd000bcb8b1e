package connections

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
	"signedsocket/shared/userid"
)

// bannedIDs returns the keys of the items in the table Bans that concern a user and a sign-in. A revocation of the pool
// applies to each guest.
func bannedIDs(subject, signIn string) []string {
	ids := []string{subject}
	if userid.IsGuest(subject) { // mutate:ban-pool
		ids = append(ids, userid.Pool)
	}
	if signIn != "" { // mutate:ban-sign-in
		ids = append(ids, signInID(signIn))
	}
	return ids
}

// checkBans returns the actions that cancel the transaction of Connect if the user may not connect.
func (s *Store) checkBans(a Admission, now time.Time) (actions []types.TransactWriteItem) {
	current := item{":ait": dynamo.Number(a.AuthenticatedAt.Unix()), ":now": dynamo.Number(now.Unix())}
	for _, id := range bannedIDs(a.Subject, a.SignIn) {
		actions = append(actions, types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName:                           aws.String(s.tables.Bans),
			Key:                                 banKey(id),
			ConditionExpression:                 aws.String(notRevoked),
			ExpressionAttributeValues:           current,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}})
	}
	return actions
}

// record holds the operator or rule that changed a ban, and the reason.
type record struct{ by, why string }

// banChange is a change of an item of the table Bans.
type banChange struct {
	set       string // the beginning of an update expression
	values    item
	condition *string
}

// signInMargin is how long the end of a sign-in is kept beyond the time until which the sign-in would have lasted.
const signInMargin = 24 * time.Hour

// ban changes an item of the table Bans, and sets its expiry. An update cannot choose the greater of two numbers, so a
// second update extends the expiry of the few items that need it.
func (s *Store) ban(ctx context.Context, id string, change banChange, why record, now time.Time) error {
	retention := time.Duration(s.limits.RevocationDays) * 24 * time.Hour
	if isSignIn(id) {
		retention = signInMargin // it opens nothing after its own end
	}
	values := change.values
	values[":at"], values[":by"], values[":why"] = dynamo.Number(now.Unix()), dynamo.Text(why.by), dynamo.Text(why.why)
	values[":keep"] = dynamo.Number(now.Add(retention).Unix())
	var ban item
	err := dynamo.Retry(ctx, func() error {
		out, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String(s.tables.Bans), Key: banKey(id),
			ConditionExpression: change.condition,
			UpdateExpression: aws.String(change.set +
				", #at = :at, #by = :by, why = :why, expiresAt = if_not_exists(expiresAt, :keep)"),
			ExpressionAttributeNames:  map[string]string{"#at": "at", "#by": "by"},
			ExpressionAttributeValues: values,
			ReturnValues:              types.ReturnValueAllNew,
		})
		if err == nil {
			ban = out.Attributes
		}
		return err
	})
	if err != nil {
		return err
	}
	until, _ := dynamo.NumberOf(ban, "bannedUntil")
	keep := max(now.Unix(), until) + int64(retention/time.Second)
	if expiresAt, _ := dynamo.NumberOf(ban, "expiresAt"); expiresAt >= keep {
		return nil
	}
	err = dynamo.Retry(ctx, func() error {
		_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String(s.tables.Bans), Key: banKey(id),
			UpdateExpression:          aws.String("SET expiresAt = :keep"),
			ConditionExpression:       aws.String("expiresAt < :keep"),
			ExpressionAttributeValues: item{":keep": dynamo.Number(keep)},
		})
		return err
	})
	if _, later := errors.AsType[*types.ConditionalCheckFailedException](err); later {
		return nil // another revocation keeps it even longer
	}
	return err
}
