package connections

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	// ticketMargin is how long a ticket outlives its grant: longer than any Lambda invocation that
	// may still be looking at that grant.
	ticketMargin = 10 * time.Minute
	// sessionMargin is how long the items of a connection outlive its session, so that a message
	// after its end gets the right answer, and disconnect finds what to remove.
	sessionMargin = time.Hour
	// userRetention is how long a USER item outlives the user's last session. A revocation in it
	// must be kept longer than the longest life of an access token.
	userRetention = 30 * 24 * time.Hour
)

// Admission is a connection that asks to be let in.
type Admission struct {
	ConnectionID    string
	ConnectedAt     time.Time
	Subject         string
	Name            string
	Rooms           []string
	SessionEndsAt   time.Time
	AuthenticatedAt time.Time // revocations up to this time do not concern the user any more
	Ticket          string    // used up by the admission
	TicketExpiresAt time.Time
}

// The order of the actions in the transactions of Connect, by which the reasons for a cancellation
// are told apart.
const (
	ticketAction = iota
	userAction
)

// Connect admits a connection: it uses up the ticket, checks that the user is neither revoked nor
// banned at now, counts the connection, and writes its items, all in one transaction. When the user
// has as many connections as allowed, the oldest gives way: its items are removed in the same
// transaction that writes the new ones, and it is due to be closed. Among guests, who share one limit, only a connection whose
// session is over gives way. Connect returns how many gave way. The error is ErrTicketUsed,
// ErrRevoked, ErrBanned, ErrGuestsFull, or a fault; then nothing was written, unless a fault hides
// that the transaction took place. What is left in that case is not reachable, and is forgotten like
// any connection that is gone.
func (s *Store) Connect(ctx context.Context, a Admission, now time.Time) (evicted int, err error) {
	err = retry(ctx, func() error {
		user, full, err := s.admit(ctx, a, now)
		if err != nil || !full {
			return err
		}
		evicted, err = s.replaceOldest(ctx, a, user, now)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("admit connection: %w", err)
	}
	return evicted, nil
}

// admit tries the transaction without eviction. When the user has no connection left to open, it
// returns the USER item and true.
func (s *Store) admit(ctx context.Context, a Admission, now time.Time) (user item, full bool, err error) {
	update := s.userUpdate(a, now)
	update.UpdateExpression = aws.String("SET #entry = :entry, expiresAt = :keep ADD n :one")
	update.ConditionExpression = aws.String(notRevoked +
		" AND (attribute_not_exists(n) OR n < :max)") // mutate:user-cap
	update.ExpressionAttributeValues[":one"] = number(1)
	update.ExpressionAttributeValues[":max"] = number(int64(s.maxConnections(a.Subject)))
	actions := append([]types.TransactWriteItem{s.useTicket(a), {Update: update}}, s.insert(a)...)
	reasons, err := s.transact(ctx, actions)
	if err == nil {
		return nil, false, nil
	}
	if _, used := conditionFailed(reasons, ticketAction); used {
		return nil, false, ErrTicketUsed
	}
	user, failed := conditionFailed(reasons, userAction)
	if !failed {
		return nil, false, err
	}
	if err := revoked(user, a.AuthenticatedAt, now); err != nil {
		return nil, false, err
	}
	return user, true, nil
}

// transact executes actions in one transaction, and returns the reasons when it was cancelled.
func (s *Store) transact(ctx context.Context, actions []types.TransactWriteItem) ([]types.CancellationReason, error) {
	_, err := s.api.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: actions})
	return cancellation(err), err
}

func (s *Store) useTicket(a Admission) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{
		TableName:           aws.String(s.table),
		Item:                with(ticketKey(a.Ticket), item{"expiresAt": number(a.TicketExpiresAt.Add(ticketMargin).Unix())}),
		ConditionExpression: aws.String("attribute_not_exists(pk)"), // mutate:ticket-once
	}}
}

// notRevoked is the condition on a USER item that revoked spells out in Go.
const notRevoked = "(attribute_not_exists(notBefore) OR notBefore < :ait)" + // mutate:revocation-connect
	" AND (attribute_not_exists(bannedUntil) OR bannedUntil <= :now)" // mutate:ban-connect

// revoked returns ErrRevoked or ErrBanned when the condition notRevoked does not hold for a USER item.
func revoked(user item, authenticatedAt, now time.Time) error {
	if notBefore, ok := numberOf(user, "notBefore"); ok && notBefore >= authenticatedAt.Unix() {
		return ErrRevoked
	}
	if until, ok := numberOf(user, "bannedUntil"); ok && until > now.Unix() {
		return ErrBanned
	}
	return nil
}

// userUpdate returns what the updates of the USER item have in common: all but the expressions.
func (s *Store) userUpdate(a Admission, now time.Time) *types.Update {
	return &types.Update{
		TableName:                aws.String(s.table),
		Key:                      userKey(a.Subject),
		ExpressionAttributeNames: map[string]string{"#entry": entryName(a.ConnectionID)},
		ExpressionAttributeValues: item{
			":entry": entry{a.SessionEndsAt.Unix(), a.ConnectedAt.UnixMilli()}.value(),
			":keep":  number(a.SessionEndsAt.Add(userRetention).Unix()),
			":ait":   number(a.AuthenticatedAt.Unix()), ":now": number(now.Unix()),
		},
		// The item tells why the condition was not met, without another read.
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}

// insert returns the actions that write the connection and its memberships, and that it is to be
// closed in time.
func (s *Store) insert(a Admission) []types.TransactWriteItem {
	shared := item{
		"sub": text(a.Subject), "sx": number(a.SessionEndsAt.Unix()), "connectedAt": number(a.ConnectedAt.UnixMilli()),
		"expiresAt": number(a.SessionEndsAt.Add(sessionMargin).Unix()),
	}
	rooms := make([]Membership, len(a.Rooms))
	for i, room := range a.Rooms {
		rooms[i] = Membership{Room: room, Shard: shardOf(a.ConnectionID, s.limits.RoomShards)}
	}
	conn := with(connectionKey(a.ConnectionID), shared)
	conn["nm"], conn["rooms"] = text(a.Name), encodeRooms(rooms)
	actions := []types.TransactWriteItem{s.put(conn)}
	for _, membership := range rooms {
		actions = append(actions, s.put(with(membershipKey(membership, a.ConnectionID), shared)))
	}
	return append(actions, s.sweepLater(a)...)
}

func (s *Store) put(item item) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: aws.String(s.table), Item: item}}
}

func (s *Store) remove(key item) types.TransactWriteItem {
	return types.TransactWriteItem{Delete: &types.Delete{TableName: aws.String(s.table), Key: key}}
}
