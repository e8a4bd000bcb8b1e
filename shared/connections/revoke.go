package connections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"signedsocket/shared/userid"
)

// notRevoked is the condition on an item of the table Bans, or on a USER item that holds marks of the version before,
// that revoked spells out in Go.
const notRevoked = "(attribute_not_exists(notBefore) OR notBefore < :ait) AND " +
	"(attribute_not_exists(bannedUntil) OR bannedUntil <= :now)"

// revoked returns ErrRevoked or ErrBanned when the condition notRevoked does not hold for an item.
func revoked(marks item, authenticatedAt, now time.Time) error {
	if notBefore, ok := numberOf(marks, "notBefore"); ok && notBefore >= authenticatedAt.Unix() {
		return ErrRevoked
	}
	if until, ok := numberOf(marks, "bannedUntil"); ok && until > now.Unix() {
		if isSignIn(textOf(marks, "id")) {
			return ErrRevoked // the user may sign in again at once
		}
		return ErrBanned
	}
	return nil
}

// bannedIDs returns the keys of the items in the table Bans that concern a user and a sign-in. What an operator says
// of the pool concerns each guest.
func bannedIDs(subject, signIn string) []string {
	ids := []string{subject}
	if userid.IsGuest(subject) {
		ids = append(ids, userid.Pool)
	}
	if signIn != "" {
		ids = append(ids, signInID(signIn))
	}
	return ids
}

// checkBans returns the actions by which the transaction of Connect is cancelled for a user who may not connect.
func (s *Store) checkBans(a Admission, now time.Time) (actions []types.TransactWriteItem) {
	for _, id := range bannedIDs(a.Subject, a.SignIn) {
		actions = append(actions, types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName:                           aws.String(s.tables.Bans),
			Key:                                 banKey(id),
			ConditionExpression:                 aws.String(notRevoked),
			ExpressionAttributeValues:           item{":ait": number(a.AuthenticatedAt.Unix()), ":now": number(now.Unix())},
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}})
	}
	return actions
}

// Applicant is a user who asks whether Connect would admit a connection.
type Applicant struct {
	UserID          string
	OldUserID       string // the id that the version before gave the user, if it is another one
	SignIn          string // the sign-in that a trusted caller named, or ""
	ClientInstance  string // the client object that asks, or ""
	AuthenticatedAt time.Time
}

// MayConnect returns the error with which Connect would refuse an applicant at now: ErrRevoked, ErrBanned,
// ErrGuestsFull or a *KickedError. It is nil when Connect would admit the user, an own connection giving way if need
// be. Any other error is a fault. The answer holds for this moment only: Connect decides.
func (s *Store) MayConnect(ctx context.Context, a Applicant, now time.Time) error {
	var (
		reads      errgroup.Group
		user, kick item
		marks      = make([]item, 0, 6)
	)
	read := func(into *item, table string, key item, projection *string) {
		reads.Go(func() (err error) {
			*into, err = s.getFrom(ctx, table, key, projection)
			return err
		})
	}
	mark := func(table string, key item, projection *string) {
		marks = append(marks, nil)
		read(&marks[len(marks)-1], table, key, projection)
	}
	old := aws.String("notBefore, bannedUntil")
	if userid.IsGuest(a.UserID) {
		read(&user, s.tables.Connections, userKey(a.UserID), nil) // all of it: the guests' connections have to be counted
	} else {
		mark(s.tables.Connections, userKey(a.UserID), old)
	}
	read(&kick, s.tables.Connections, kickKey(a.UserID), nil)
	ids := bannedIDs(a.UserID, a.SignIn)
	if a.OldUserID != "" {
		ids = append(ids, a.OldUserID)
		mark(s.tables.Connections, userKey(a.OldUserID), old)
	}
	for _, id := range ids {
		mark(s.tables.Bans, banKey(id), nil)
	}
	if err := reads.Wait(); err != nil {
		return fmt.Errorf("read user: %w", err)
	}
	for _, found := range append(marks, user) {
		if err := revoked(found, a.AuthenticatedAt, now); err != nil {
			return err
		}
	}
	if err := kickedOut(kick, now); err != nil {
		return err
	}
	if userid.IsGuest(a.UserID) {
		_, err := s.choose(a.UserID, a.ClientInstance, user, now)
		return err
	}
	return nil
}

// Revocation says who is shut out, by whom and why.
type Revocation struct {
	Subject string
	// BannedUntil keeps the user out even after authenticating anew. Zero leaves an earlier ban as it
	// is; a time in the past lifts it.
	BannedUntil time.Time
	AtLeast     bool   // an earlier ban that lasts longer than BannedUntil stays as it is
	By, Why     string // for the record
}

// Revoke shuts a user out at now, and returns the ids of the connections that the user has. From then
// on Connect refuses a user who authenticated in the second of now or before. Times of authentication are whole
// seconds, so this includes an authentication later in that same second: that user has to sign in once
// more. Each connection that Connect admitted before is among those returned, and the caller has to
// Expel it.
func (s *Store) Revoke(ctx context.Context, r Revocation, now time.Time) (connectionIDs []string, err error) {
	err = s.revoke(ctx, r, now)
	if err == nil {
		err = s.liftOldBan(ctx, r, now)
	}
	if err == nil {
		connectionIDs, err = s.connectionsOf(ctx, r.Subject, func(c Connection) bool {
			return r.Subject == userid.Pool || c.Subject == r.Subject
		})
	}
	if err != nil {
		return nil, fmt.Errorf("revoke user: %w", err)
	}
	return connectionIDs, nil
}

// revoke writes the marks of a revocation.
func (s *Store) revoke(ctx context.Context, r Revocation, now time.Time) error {
	change := banChange{set: "SET notBefore = :now", values: item{":now": number(now.Unix())}}
	if r.BannedUntil.IsZero() {
		return s.ban(ctx, r.Subject, change, record{r.By, r.Why}, now)
	}
	change.set += ", bannedUntil = :until"
	change.values[":until"] = number(r.BannedUntil.Unix())
	if r.AtLeast {
		change.condition = aws.String("attribute_not_exists(bannedUntil) OR bannedUntil < :until")
	}
	err := s.ban(ctx, r.Subject, change, record{r.By, r.Why}, now)
	if _, longer := errors.AsType[*types.ConditionalCheckFailedException](err); longer {
		r.BannedUntil = time.Time{}
		return s.revoke(ctx, r, now)
	}
	return err
}

// SignOut is the end of a sign-in.
type SignOut struct {
	Subject string
	SignIn  string
	Until   time.Time // until then the sign-in would have lasted
	By      string    // for the record
}

// SignOut shuts out what was signed in with one sign-in of a user, and returns the ids of the connections that it has
// opened. The caller has to Expel each of them. The user's other connections are not concerned.
func (s *Store) SignOut(ctx context.Context, o SignOut, now time.Time) (connectionIDs []string, err error) {
	if o.SignIn == "" {
		return nil, errors.New("sign out: no sign-in is named")
	}
	change := banChange{set: "SET bannedUntil = :until", values: item{":until": number(o.Until.Unix())}}
	err = s.ban(ctx, signInID(o.SignIn), change, record{o.By, "signed out"}, now)
	if err == nil {
		connectionIDs, err = s.connectionsOf(ctx, o.Subject, func(c Connection) bool {
			return c.Subject == o.Subject && c.SignIn == o.SignIn
		})
	}
	if err != nil {
		return nil, fmt.Errorf("sign out: %w", err)
	}
	return connectionIDs, nil
}

// record says who did something about a user, and why.
type record struct{ by, why string }

// banChange is what changes in an item of the table Bans.
type banChange struct {
	set       string // the beginning of an update expression
	values    item
	condition *string
}

// ban changes an item of the table Bans, and keeps it for as long as it means something. An update cannot take the
// greater of two numbers, so that is a second one, for the few items that need it.
func (s *Store) ban(ctx context.Context, id string, change banChange, why record, now time.Time) error {
	retention := time.Duration(s.limits.RevocationDays) * 24 * time.Hour
	values := change.values
	values[":at"], values[":by"], values[":why"] = number(now.Unix()), text(why.by), text(why.why)
	values[":keep"] = number(now.Add(retention).Unix())
	var ban item
	err := retry(ctx, func() error {
		out, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String(s.tables.Bans), Key: banKey(id),
			ConditionExpression:       change.condition,
			UpdateExpression:          aws.String(change.set + ", #at = :at, #by = :by, why = :why, expiresAt = if_not_exists(expiresAt, :keep)"),
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
	until, _ := numberOf(ban, "bannedUntil")
	keep := max(now.Unix(), until) + int64(retention/time.Second)
	if expiresAt, _ := numberOf(ban, "expiresAt"); expiresAt >= keep {
		return nil
	}
	err = retry(ctx, func() error {
		_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String(s.tables.Bans), Key: banKey(id),
			UpdateExpression:          aws.String("SET expiresAt = :keep"),
			ConditionExpression:       aws.String("expiresAt < :keep"),
			ExpressionAttributeValues: item{":keep": number(keep)},
		})
		return err
	})
	if _, later := errors.AsType[*types.ConditionalCheckFailedException](err); later {
		return nil // another revocation keeps it even longer
	}
	return err
}

// liftOldBan lifts the ban that the version before has written into the USER item, when the operator lifts bans.
func (s *Store) liftOldBan(ctx context.Context, r Revocation, now time.Time) error {
	if r.BannedUntil.IsZero() || r.BannedUntil.After(now) {
		return nil
	}
	err := retry(ctx, func() error {
		_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String(s.tables.Connections), Key: userKey(r.Subject),
			UpdateExpression:    aws.String("REMOVE bannedUntil"),
			ConditionExpression: aws.String("attribute_exists(bannedUntil)"),
		})
		return err
	})
	if _, none := errors.AsType[*types.ConditionalCheckFailedException](err); none {
		return nil
	}
	return err
}

// connectionsOf returns the ids of those connections in the USER item of a user that match, the first to end in front.
// It reads in transactions: a connection that Connect has admitted is never overlooked.
func (s *Store) connectionsOf(ctx context.Context, subject string, match func(Connection) bool) ([]string, error) {
	users, err := s.transactGet(ctx, userKey(subject))
	if err != nil {
		return nil, err
	}
	ids := entriesByAge(users[0])
	keys := make([]item, len(ids))
	for i, id := range ids {
		keys[i] = connectionKey(id)
	}
	conns, err := s.transactGet(ctx, keys...)
	if err != nil {
		return nil, err
	}
	matching := make([]string, 0, len(ids))
	for i, conn := range conns {
		if conn == nil {
			continue
		}
		connection, err := decodeConnection(ids[i], conn)
		if err != nil {
			return nil, err
		}
		if match(connection) {
			matching = append(matching, ids[i])
		}
	}
	return matching, nil
}
