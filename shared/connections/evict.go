package connections

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// maxEvicted keeps the transaction below DynamoDB's 100 actions. More than one connection has to
// give way only after the limit was lowered; who has even more loses them over several connects.
const maxEvicted = 8

// errNoEntries is returned when a user has no place left, but no connection that could give way
// either: the item breaks the package's invariant.
var errNoEntries = errors.New("user counts connections that are not listed")

// replaceOldest admits a connection in the place of the user's oldest. user is the USER item as the
// failed admission found it. It returns how many connections gave way.
func (s *Store) replaceOldest(ctx context.Context, a Admission, user item, now time.Time) (evicted int, err error) {
	count, _ := numberOf(user, "n")
	entries, err := s.replaceable(a.Subject, user, now)
	if err != nil {
		return 0, err
	}
	surplus := int(count) - s.maxConnections(a.Subject) + 1
	oldest := entries[:min(surplus, len(entries), maxEvicted)]
	if len(oldest) == 0 {
		return 0, errNoEntries
	}
	actions := append([]types.TransactWriteItem{s.useTicket(a), {Update: s.takeOver(a, oldest, count, now)}}, s.insert(a)...)
	for _, connectionID := range oldest {
		removals, err := s.removals(ctx, connectionID, now)
		if err != nil {
			return 0, err
		}
		actions = append(actions, removals...)
	}
	reasons, err := s.transact(ctx, actions)
	if err == nil {
		return len(oldest), nil
	}
	if _, used := conditionFailed(reasons, ticketAction); used {
		return 0, ErrTicketUsed
	}
	if user, failed := conditionFailed(reasons, userAction); failed {
		// When it is not revoked, it changed: somebody else took the place, or the old one left.
		return 0, cmp.Or(revoked(user, a.AuthenticatedAt, now), errChanged)
	}
	return 0, err
}

// takeOver returns the update of the USER item that replaces entries by the new one, if it is still
// as it was seen.
func (s *Store) takeOver(a Admission, oldest []string, count int64, now time.Time) *types.Update {
	update := s.userUpdate(a, now)
	condition, remove := notRevoked+" AND n = :seen", make([]string, len(oldest))
	for i, connectionID := range oldest {
		remove[i] = "#old" + strconv.Itoa(i)
		update.ExpressionAttributeNames[remove[i]] = entryName(connectionID)
		condition += " AND attribute_exists(" + remove[i] + ")"
	}
	update.ConditionExpression = aws.String(condition)
	update.UpdateExpression = aws.String("SET #entry = :entry, expiresAt = :keep REMOVE " + strings.Join(remove, ", ") + " ADD n :change")
	update.ExpressionAttributeValues[":seen"] = number(count)
	update.ExpressionAttributeValues[":change"] = number(int64(1 - len(oldest)))
	return update
}

// entriesByAge returns the ids of a user's connections, the one whose session ends first in front.
func entriesByAge(user item) []string {
	entries := make(map[string]entry)
	ids := make([]string, 0, len(user))
	for name := range user {
		if id, ok := strings.CutPrefix(name, entryPrefix); ok {
			entries[id] = entryOf(user, name)
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(entries[a].compare(entries[b]), strings.Compare(a, b))
	})
	return ids
}

// removals returns the actions that remove a connection's items and have it closed. A connection
// without CONN item, which TTL may have taken, has memberships no longer than that either.
func (s *Store) removals(ctx context.Context, connectionID string, now time.Time) ([]types.TransactWriteItem, error) {
	conn, err := s.get(ctx, connectionKey(connectionID), aws.String("rooms, connectedAt"))
	if err != nil {
		return nil, err
	}
	connectedAt, _ := numberOf(conn, "connectedAt")
	sweep := newSweep(connectionID, time.UnixMilli(connectedAt), Evicted, now)
	actions := []types.TransactWriteItem{s.remove(connectionKey(connectionID)), s.put(sweep.item(now))}
	if conn == nil {
		return actions, nil
	}
	rooms, err := decodeRooms(conn)
	if err != nil {
		return nil, err
	}
	for _, membership := range rooms {
		actions = append(actions, s.remove(membershipKey(membership, connectionID)))
	}
	return actions, nil
}

// get reads an item, or only the attributes of a projection, strongly consistent. The item is nil
// when there is none.
func (s *Store) get(ctx context.Context, key item, projection *string) (item, error) {
	out, err := s.api.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(s.table), Key: key, ConsistentRead: aws.Bool(true), ProjectionExpression: projection,
	})
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}
