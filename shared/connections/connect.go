package connections

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"signedsocket/shared/dynamo"
	"signedsocket/shared/userid"
)

const (
	// ticketMargin is how long a ticket outlives its grant: longer than a Lambda invocation that still checks the
	// grant.
	ticketMargin = 10 * time.Minute
	// sessionMargin is how long the items of a connection outlive its session. So a message after its end gets the
	// right answer, and disconnect finds the items to remove.
	sessionMargin = time.Hour
	// userRetention is how long a USER item outlives the user's last session.
	userRetention = 30 * 24 * time.Hour
)

// Admission is a connection to admit.
type Admission struct {
	ConnectionID    string
	ConnectedAt     time.Time
	Subject         string
	Name            string
	Rooms           []string
	ReadOnly        []string // those of Rooms in which the connection may not write
	SessionEndsAt   time.Time
	AuthenticatedAt time.Time // revocations before this time do not apply to the user
	Ticket          string    // used up by the admission
	TicketExpiresAt time.Time
	Protocol        int    // which the client speaks, see Connection
	ClientInstance  string // the client object that connects, or ""
	SignIn          string // the sign-in that a trusted caller named, or ""
	Moderator       bool   // the user may delete messages of others
}

// Admitted has the other connections of the user that end because of an admission.
type Admitted struct {
	// Removed gave way: their items are removed. The caller closes each, and then calls RemoveSweep.
	Removed []Sweep
	// Replaced is how many older connections of the same client are due to be closed a little later.
	Replaced int
}

// The order of the actions in the transaction of Connect. By it the reasons for a cancellation are told apart. The
// checks of bans follow.
const (
	ticketAction = iota
	userAction
	firstBanAction
)

// Connect admits a connection. It uses up the ticket and checks that the user is neither revoked, banned nor kicked at
// now. It counts the connection and writes its items, all in one transaction. The connection starts with the messages
// and strikes that earlier connections of the user have counted lately.
//
// An older connection of the same client becomes due to be closed when the user has a place left. When the user has
// none, connections give way: those of the same client first, then the oldest. Their items are removed in the same
// transaction that writes the new ones. Among guests, who share one limit, only the guest's own predecessor gives way,
// or a connection whose session is over.
//
// The error is ErrTicketUsed, ErrRevoked, ErrBanned, ErrGuestsFull, a *KickedError, or a fault; then nothing was
// written, unless a fault hides that the transaction took place. The records of such a connection are removed like
// those of any gone connection.
func (s *Store) Connect(ctx context.Context, a Admission, now time.Time) (done Admitted, err error) {
	err = dynamo.Retry(ctx, func() error {
		seen, err := s.readState(ctx, a.Subject)
		if err != nil {
			return err
		}
		if err := kickedOut(seen.kick, now); err != nil { // mutate:kick-connect
			return err
		}
		plan, err := s.planPlaces(ctx, a, seen.user, now)
		if err != nil {
			return err
		}
		done, err = s.admit(ctx, a, seen, plan, now)
		return err
	})
	if err != nil {
		return Admitted{}, fmt.Errorf("admit connection: %w", err)
	}
	return done, nil
}

// state holds the items of a user that Connect reads first.
type state struct{ user, rate, kick item }

func (s *Store) readState(ctx context.Context, subject string) (found state, err error) {
	var reads errgroup.Group
	for into, key := range map[*item]item{
		&found.user: userKey(subject), &found.rate: rateKey(subject), &found.kick: kickKey(subject),
	} {
		reads.Go(func() (err error) {
			*into, err = s.get(ctx, key, nil)
			return err
		})
	}
	return found, reads.Wait()
}

// admit writes a connection, if the user's items are still as they were read.
func (s *Store) admit(ctx context.Context, a Admission, seen state, plan places, now time.Time) (Admitted, error) {
	actions := []types.TransactWriteItem{s.useTicket(a), {Update: s.userUpdate(a, seen.user, plan, now)}}
	bans := s.checkBans(a, now)
	actions = append(actions, bans...)
	base := recent(seen.rate, now) // mutate:rate-reconnect => base := recent(nil, now)
	base.add(plan.counts[a.Subject])
	actions = append(actions, s.checkRate(a.Subject, seen.rate, plan.counts[a.Subject], now))
	for subject, add := range plan.counts {
		if subject != a.Subject && len(add) > 0 {
			actions = append(actions, types.TransactWriteItem{Update: s.addRate(subject, add, nil, now)})
		}
	}
	actions = append(append(actions, s.insert(a, base)...), plan.actions...)
	reasons, err := s.transact(ctx, actions)
	if err == nil {
		return plan.Admitted, nil
	}
	return Admitted{}, whyNotAdmitted(a, reasons, len(bans), err, now)
}

// whyNotAdmitted finds the condition of the transaction that was not met. dynamo.ErrChanged asks for another attempt.
func whyNotAdmitted(a Admission, reasons []types.CancellationReason, bans int, err error, now time.Time) error {
	if _, used := dynamo.ConditionFailed(reasons, ticketAction); used {
		return ErrTicketUsed
	}
	for i := range bans {
		if ban, failed := dynamo.ConditionFailed(reasons, firstBanAction+i); failed {
			return cmp.Or(revoked(ban, a.AuthenticatedAt, now), dynamo.ErrChanged)
		}
	}
	if user, failed := dynamo.ConditionFailed(reasons, userAction); failed {
		// If the user is not revoked, the item has changed: another connection took the place, or the old one left.
		return cmp.Or(revoked(user, a.AuthenticatedAt, now), dynamo.ErrChanged)
	}
	if dynamo.AnyConditionFailed(reasons) {
		return dynamo.ErrChanged
	}
	return err
}

func (s *Store) useTicket(a Admission) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{
		TableName: aws.String(s.tables.Connections),
		Item: with(ticketKey(a.Ticket), item{
			"expiresAt": dynamo.Number(a.TicketExpiresAt.Add(ticketMargin).Unix()),
		}),
		ConditionExpression: aws.String("attribute_not_exists(pk)"), // mutate:ticket-once
	}}
}

// userUpdate returns the update that counts the connection instead of those that give way, if the USER item is still as
// it was seen.
func (s *Store) userUpdate(a Admission, user item, plan places, now time.Time) *types.Update {
	update := &types.Update{
		TableName:                aws.String(s.tables.Connections),
		Key:                      userKey(a.Subject),
		ExpressionAttributeNames: map[string]string{"#entry": entryName(a.ConnectionID)},
		ExpressionAttributeValues: item{
			":entry": entry{a.SessionEndsAt.Unix(), a.ConnectedAt.UnixMilli()}.value(),
			":keep":  dynamo.Number(a.SessionEndsAt.Add(userRetention).Unix()),
			":ait":   dynamo.Number(a.AuthenticatedAt.Unix()), ":now": dynamo.Number(now.Unix()),
			":change": dynamo.Number(int64(1 - len(plan.givingWay))),
		},
		// The item shows why the condition was not met, without another read.
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	set, add, remove, condition := "SET #entry = :entry, expiresAt = :keep", "ADD n :change", []string(nil), notRevoked
	if a.ClientInstance != "" {
		set += ", #instance = :instance"
		update.ExpressionAttributeNames["#instance"] = instanceName(a.ConnectionID)
		update.ExpressionAttributeValues[":instance"] = dynamo.Text(instanceOf(a.Subject, a.ClientInstance))
	}
	if len(plan.givingWay) == 0 {
		condition += " AND (attribute_not_exists(n) OR n < :max)" // mutate:user-cap
		update.ExpressionAttributeValues[":max"] = dynamo.Number(int64(s.maxConnections(a.Subject)))
	} else {
		count, _ := dynamo.NumberOf(user, "n")
		condition += " AND n = :seen"
		update.ExpressionAttributeValues[":seen"] = dynamo.Number(count)
	}
	for i, connectionID := range plan.givingWay {
		old, instance := "#old"+strconv.Itoa(i), "#was"+strconv.Itoa(i)
		update.ExpressionAttributeNames[old] = entryName(connectionID)
		update.ExpressionAttributeNames[instance] = instanceName(connectionID)
		remove = append(remove, old, instance)
		condition += " AND attribute_exists(" + old + ")"
	}
	if userid.IsGuest(a.Subject) {
		opened := openingsName(minuteOf(now))
		add += ", #opened :one"
		condition += " AND (attribute_not_exists(#opened) OR #opened < :openings)"
		update.ExpressionAttributeNames["#opened"] = opened
		update.ExpressionAttributeValues[":one"] = dynamo.Number(1)
		update.ExpressionAttributeValues[":openings"] = dynamo.Number(int64(s.limits.GuestConnections))
		for i, name := range staleOpenings(user, now) {
			stale := "#stale" + strconv.Itoa(i)
			update.ExpressionAttributeNames[stale] = name
			remove = append(remove, stale)
		}
	}
	changes := set + " " + add
	if len(remove) > 0 {
		changes += " REMOVE " + strings.Join(remove, ", ")
	}
	update.UpdateExpression, update.ConditionExpression = aws.String(changes), aws.String(condition)
	return update
}

// insert returns the actions that write the connection, its memberships and its SWEEP item. base are the counts that
// the connection starts with.
func (s *Store) insert(a Admission, base counts) []types.TransactWriteItem {
	shared := item{
		"sub": dynamo.Text(a.Subject), "nm": dynamo.Text(a.Name), "sx": dynamo.Number(a.SessionEndsAt.Unix()),
		"connectedAt": dynamo.Number(a.ConnectedAt.UnixMilli()),
		"expiresAt":   dynamo.Number(a.SessionEndsAt.Add(sessionMargin).Unix()),
	}
	if a.Protocol > 1 {
		shared["v"] = dynamo.Number(int64(a.Protocol))
	}
	rooms := make([]Membership, len(a.Rooms))
	for i, room := range a.Rooms {
		rooms[i] = Membership{
			Room: room, Shard: shardOf(a.ConnectionID, s.limits.RoomShards),
			ReadOnly: slices.Contains(a.ReadOnly, room),
		}
	}
	conn := with(connectionKey(a.ConnectionID), with(shared, base.item()))
	conn["rooms"] = encodeRooms(rooms)
	if len(base) > 0 {
		conn["base"] = &types.AttributeValueMemberM{Value: base.item()}
	}
	if a.ClientInstance != "" {
		conn["ci"] = dynamo.Text(a.ClientInstance)
	}
	if a.SignIn != "" {
		conn["si"] = dynamo.Text(a.SignIn)
	}
	if a.Moderator {
		conn["md"] = dynamo.Number(1)
	}
	actions := []types.TransactWriteItem{s.put(conn)}
	for _, membership := range rooms {
		actions = append(actions, s.put(with(membershipKey(membership, a.ConnectionID), shared)))
	}
	return append(actions, s.sweepLater(a)...)
}
