package connections

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
	"signedsocket/shared/userid"
)

const (
	// maxEvicted keeps the transaction of Connect below DynamoDB's 100 actions. More than one connection has to give
	// way only after the limit was lowered; a user with even more loses them over several connects.
	maxEvicted = 7
	// replacedAfter is how long a connection stays open beside a newer one of the same client. The client closes it
	// earlier, as soon as the newer one works.
	replacedAfter = 10 * time.Second
	// instanceLength is how many characters of a hash stand for a guest's client in the pool, whose size matters: 72
	// bits.
	instanceLength = 12
)

// ErrGuestsFull is returned by Connect and MayConnect: guests have all the connections that they may have together, or
// have opened as many in this minute. A guest never takes the place of another one: otherwise one client in a loop
// would evict all other guests.
var ErrGuestsFull = errors.New("no connection left for guests")

// errNoEntries is returned when a user has no place left, but no connection that could give way either: the item breaks
// the package's invariant.
var errNoEntries = errors.New("user counts connections that are not listed")

// maxConnections returns how many connections there may be under the USER item of a user: the user's own, or those of
// all guests.
func (s *Store) maxConnections(subject string) int {
	if userid.IsGuest(subject) {
		return s.limits.GuestConnections
	}
	return s.limits.ConnectionsPerUser
}

// instanceOf returns how the USER item names a client. In the pool a client is matched within one guest only.
func instanceOf(subject, clientInstance string) string {
	if clientInstance == "" || !userid.IsGuest(subject) {
		return clientInstance
	}
	// mutate:instance-guest => digest := sha256.Sum256([]byte(clientInstance))
	digest := sha256.Sum256([]byte(subject + "\x00" + clientInstance))
	return base64.RawURLEncoding.EncodeToString(digest[:])[:instanceLength]
}

// choice has the ids of a user's connections that end when one more opens.
type choice struct {
	givingWay []string // now: their places are needed
	replaced  []string // a little later: the same client has opened a newer one
}

// choose returns which connections end for one more of a user and a client. user is the USER item.
func (s *Store) choose(subject, clientInstance string, user item, now time.Time) (choice, error) {
	limit, guest := s.maxConnections(subject), userid.IsGuest(subject)
	opened, _ := dynamo.NumberOf(user, openingsName(minuteOf(now)))
	if guest && int(opened) >= limit { // mutate:guest-openings
		return choice{}, ErrGuestsFull
	}
	predecessors, others := byClient(user, instanceOf(subject, clientInstance))
	count, _ := dynamo.NumberOf(user, "n")
	surplus := int(count) - limit + 1 // mutate:user-gives-way => surplus := min(int(count)-limit, 0)
	if surplus <= 0 {
		return choice{replaced: predecessors[:min(len(predecessors), maxEvicted)]}, nil
	}
	if guest { // another guest's connection gives way only when its session is over
		others = slices.DeleteFunc(others, func(id string) bool { return entryOf(user, entryName(id)).sx > now.Unix() })
	}
	order := slices.Concat(predecessors, others)
	if guest && len(order) < surplus { // mutate:guest-cap
		return choice{}, ErrGuestsFull
	}
	if len(order) == 0 {
		return choice{}, errNoEntries
	}
	return choice{givingWay: order[:min(surplus, len(order), maxEvicted)]}, nil
}

// byClient returns the ids of the connections that a client has opened before, and those of the user's others. Each
// list begins with the connection whose session ends first.
func byClient(user item, instance string) (predecessors, others []string) {
	for _, id := range entriesByAge(user) {
		if instance != "" && dynamo.TextOf(user, instanceName(id)) == instance {
			predecessors = append(predecessors, id)
		} else {
			others = append(others, id)
		}
	}
	return predecessors, others
}

// places holds the actions of Connect for the connections that end.
type places struct {
	Admitted
	choice
	actions []types.TransactWriteItem
	counts  map[string]counts // added to the RATE items of users whose connections give way
}

// planPlaces reads the connections that end for one more, and returns the actions for them.
func (s *Store) planPlaces(ctx context.Context, a Admission, user item, now time.Time) (places, error) {
	chosen, err := s.choose(a.Subject, a.ClientInstance, user, now)
	plan := places{choice: chosen, counts: map[string]counts{a.Subject: {}}}
	if err != nil {
		return places{}, err
	}
	for _, id := range plan.givingWay {
		conn, err := s.get(ctx, connectionKey(id), nil)
		if err != nil {
			return places{}, err
		}
		if err := s.planRemoval(&plan, a, user, id, conn, now); err != nil {
			return places{}, err
		}
	}
	for _, id := range plan.replaced {
		conn, err := s.get(ctx, connectionKey(id), nil)
		if err != nil {
			return places{}, err
		}
		s.planReplacement(&plan, a, id, conn, now)
	}
	return plan, nil
}

// planRemoval adds the actions that remove a connection that gives way and schedule its close. A connection without a
// CONN item, which TTL may have removed, has no memberships any more.
func (s *Store) planRemoval(plan *places, a Admission, user item, id string, conn item, now time.Time) error {
	reason := Evicted
	if a.ClientInstance != "" && dynamo.TextOf(user, instanceName(id)) == instanceOf(a.Subject, a.ClientInstance) {
		reason = Replaced
	}
	if conn == nil {
		sweep := newSweep(id, time.UnixMilli(entryOf(user, entryName(id)).connectedAt), reason, now)
		plan.actions = append(plan.actions, s.put(sweep.item(now)))
		plan.Removed = append(plan.Removed, sweep)
		return nil
	}
	connection, err := decodeConnection(id, conn)
	if err != nil {
		return err
	}
	if reason == Evicted && !connection.SessionEndsAt.After(now) {
		// Evicted is final for a client, and this one may connect again.
		reason = SessionEnded
	}
	sweep := newSweep(id, connection.ConnectedAt, reason, now)
	pending := sweepsOf(connection, conn)
	if early := earlySweep(connection, conn); early != nil {
		sweep.partition = early.partition // it is due already: one item for it is enough
	} else {
		plan.actions = append(plan.actions, s.put(sweep.item(now)))
	}
	plan.actions = append(plan.actions, s.removalActions(connection, conn, pending, sweep.partition, now)...)
	plan.Removed = append(plan.Removed, sweep)
	if plan.counts[connection.Subject] == nil {
		plan.counts[connection.Subject] = make(counts)
	}
	plan.counts[connection.Subject].add(own(conn, now))
	return nil
}

// planReplacement makes the older connection of a client due a little later, unless it is due by then anyway.
func (s *Store) planReplacement(plan *places, a Admission, id string, conn item, now time.Time) {
	connection, err := decodeConnection(id, conn)
	due := now.Add(replacedAfter)
	if err != nil || connection.Subject != a.Subject || earlySweep(connection, conn) != nil ||
		!due.Before(connection.SessionEndsAt) {
		return
	}
	sweep := newSweep(id, connection.ConnectedAt, Replaced, due)
	plan.actions = append(plan.actions, s.put(sweep.item(due)), types.TransactWriteItem{Update: &types.Update{
		TableName:        aws.String(s.tables.Connections),
		Key:              connectionKey(id),
		UpdateExpression: aws.String("SET #due = :due"),
		ConditionExpression: aws.String("connectedAt = :seen AND attribute_not_exists(#due)" +
			" AND attribute_not_exists(kicked)"),
		ExpressionAttributeNames: map[string]string{"#due": "due"},
		ExpressionAttributeValues: item{
			":due": dynamo.Number(due.Unix()), ":seen": dynamo.Number(connection.ConnectedAt.UnixMilli()),
		},
	}})
	plan.Replaced++
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

// openingsPrefix begins the names of the pool's attributes that count openings, one for each minute.
const openingsPrefix = "o"

func openingsName(minute int64) string { return openingsPrefix + strconv.FormatInt(minute, 10) }

// staleOpenings returns the names of the counts of earlier minutes.
func staleOpenings(pool item, now time.Time) (stale []string) {
	for name := range pool {
		digits, ok := strings.CutPrefix(name, openingsPrefix)
		if minute, err := strconv.ParseInt(digits, 10, 64); ok && err == nil && minute < minuteOf(now)-1 &&
			len(stale) < maxRemoved {
			stale = append(stale, name)
		}
	}
	return stale
}
