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

	"signedsocket/shared/dynamo"
	"signedsocket/shared/userid"
)

// notRevoked is the condition on an item of the table Bans, or on a USER item that holds marks of older versions.
// revoked is the same condition in Go.
const notRevoked = "(attribute_not_exists(notBefore) OR notBefore < :ait)" + // mutate:revocation-connect
	" AND (attribute_not_exists(bannedUntil) OR bannedUntil <= :now)" // mutate:ban-connect

// revoked returns ErrRevoked or ErrBanned when the condition notRevoked does not hold for an item.
func revoked(marks item, authenticatedAt, now time.Time) error {
	if notBefore, ok := dynamo.NumberOf(marks, "notBefore"); ok && notBefore >= authenticatedAt.Unix() {
		return ErrRevoked
	}
	if until, ok := dynamo.NumberOf(marks, "bannedUntil"); ok && until > now.Unix() {
		if isSignIn(dynamo.TextOf(marks, "id")) {
			return ErrRevoked // the user may sign in again at once
		}
		return ErrBanned
	}
	return nil
}

// Applicant describes a user for MayConnect.
type Applicant struct {
	UserID          string
	OldUserID       string // the user's id in older versions, if it is another one
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
		// All of it: the guests' connections have to be counted.
		read(&user, s.tables.Connections, userKey(a.UserID), nil)
	} else {
		mark(s.tables.Connections, userKey(a.UserID), old)
	}
	read(&kick, s.tables.Connections, kickKey(a.UserID), nil)
	if a.OldUserID != "" {
		// Only marks of older versions apply to the user: in Bans this id is that of another user, whose sub it is.
		mark(s.tables.Connections, userKey(a.OldUserID), old)
	}
	for _, id := range bannedIDs(a.UserID, a.SignIn) {
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

// Revocation names a user to revoke, the operator and the reason.
type Revocation struct {
	Subject string
	// BannedUntil keeps the user out even after authenticating anew. Zero leaves an earlier ban as it is; a time in the
	// past lifts it.
	BannedUntil time.Time
	AtLeast     bool   // an earlier ban that lasts longer than BannedUntil stays as it is
	By, Why     string // for the record
}

// Revoke revokes a user at now, and returns the ids of the user's connections. From then on Connect refuses a user who
// authenticated in the second of now or before. Times of authentication are whole seconds, so a user who authenticated
// later in the same second must sign in once more. The result has each connection that Connect admitted before, and the
// caller must Expel them.
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
	// mutate:revocation-written => change := banChange{set: "SET e = :now", values: item{":now": dynamo.Number(1)}}
	change := banChange{set: "SET notBefore = :now", values: item{":now": dynamo.Number(now.Unix())}}
	if r.BannedUntil.IsZero() {
		return s.ban(ctx, r.Subject, change, record{r.By, r.Why}, now)
	}
	change.set += ", bannedUntil = :until"
	change.values[":until"] = dynamo.Number(r.BannedUntil.Unix())
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

// SignOut is an order to end a sign-in.
type SignOut struct {
	Subject string
	SignIn  string
	Until   time.Time // until then the sign-in would have lasted
	By      string    // for the record
}

// SignOut ends one sign-in of a user, and returns the ids of the connections that it has opened. The caller must Expel
// each of them. The user's other connections stay.
func (s *Store) SignOut(ctx context.Context, o SignOut, now time.Time) (connectionIDs []string, err error) {
	if o.SignIn == "" {
		return nil, errors.New("sign out: no sign-in is named")
	}
	change := banChange{set: "SET bannedUntil = :until", values: item{":until": dynamo.Number(o.Until.Unix())}}
	err = s.ban(ctx, signInID(o.SignIn), change, record{o.By, "signed out"}, now)
	if err == nil {
		connectionIDs, err = s.connectionsOf(ctx, o.Subject, func(c Connection) bool {
			return c.Subject == o.Subject &&
				c.SignIn == o.SignIn // mutate:sign-out-one
		})
	}
	if err != nil {
		return nil, fmt.Errorf("sign out: %w", err)
	}
	return connectionIDs, nil
}

// liftOldBan lifts the ban that an older version has written into the USER item, when the operator lifts bans.
func (s *Store) liftOldBan(ctx context.Context, r Revocation, now time.Time) error {
	if r.BannedUntil.IsZero() || r.BannedUntil.After(now) {
		return nil
	}
	err := dynamo.Retry(ctx, func() error {
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
