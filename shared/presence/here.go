package presence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"

	"signedsocket/shared/dynamo"
)

// partition is the partition key of all items.
const partition = "HERE"

// Watched is a room that a client has asked for, as its item describes it.
type Watched struct {
	Room     string
	state    state // without users in what Watched returns
	n        int64
	digest   string
	readAt   time.Time // the zero time for never
	pushedAt time.Time // the zero time for never
	wanted   int64
}

func key(room string) dynamo.Item {
	return dynamo.Item{"pk": dynamo.Text(partition), "sk": dynamo.Text(room)}
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// names has a placeholder for every attribute: DynamoDB reserves some of the words.
func names() map[string]string {
	all := make(map[string]string)
	for _, name := range []string{
		"sk", "n", "users", "count", "connections", "digest", "readAt", "pushedAt", "wanted", "expiresAt",
	} {
		all["#"+name] = name
	}
	return all
}

// namesIn returns those of names that the expressions use. DynamoDB refuses others.
func namesIn(expressions ...string) map[string]string {
	used := names()
	for placeholder := range used {
		if !strings.Contains(strings.Join(expressions, " "), placeholder) {
			delete(used, placeholder)
		}
	}
	return used
}

// get reads the item of a room. Of a room without one, only Room is set.
func (r *Rooms) get(ctx context.Context, room string) (Watched, error) {
	out, err := r.API.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &r.Table, Key: key(room), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return Watched{}, fmt.Errorf("read who is there: %w", err)
	}
	return decode(room, out.Item)
}

func decode(room string, from dynamo.Item) (w Watched, err error) {
	w.Room, w.digest = room, dynamo.TextOf(from, "digest")
	w.n, _ = dynamo.NumberOf(from, "n")
	w.wanted, _ = dynamo.NumberOf(from, "wanted")
	w.readAt, w.pushedAt = timeOf(from, "readAt"), timeOf(from, "pushedAt")
	count, _ := dynamo.NumberOf(from, "count")
	members, _ := dynamo.NumberOf(from, "connections")
	w.state = state{encoded: dynamo.TextOf(from, "users"), count: int(count), connections: int(members)}
	if w.state.encoded != "" {
		if err := json.Unmarshal([]byte(w.state.encoded), &w.state.users); err != nil {
			return Watched{}, fmt.Errorf("decode users of a room: %w", err)
		}
	}
	return w, nil
}

func timeOf(from dynamo.Item, name string) time.Time {
	if at, ok := dynamo.NumberOf(from, name); ok {
		return time.UnixMilli(at)
	}
	return time.Time{}
}

// isWatched reports whether a client has asked for the room within the last hours.
func (w Watched) isWatched(now time.Time) bool { return w.wanted >= hourOf(now)-watchedHours }

// mayRead reports whether a client that asks makes the room be read.
func (w Watched) mayRead(now time.Time) bool {
	if w.n > 0 && w.state.users == nil && w.isWatched(now) { // mutate:presence-crowd-unread
		return false
	}
	return !now.Before(w.readAt.Add(Pace(w.state.connections))) // mutate:presence-read-pace => return true
}

// mayPush reports whether a push to so many connections is within the pace of the room.
func (w Watched) mayPush(connections int, now time.Time) bool {
	return !now.Before(w.pushedAt.Add(Pace(connections))) // mutate:presence-pace => return true
}

// claimRead notes that the caller reads the room, and that it is wanted. It returns false when another caller was
// faster.
func (r *Rooms) claimRead(ctx context.Context, w Watched, now time.Time) (bool, error) {
	values := dynamo.Item{":now": dynamo.Number(now.UnixMilli()), ":zero": dynamo.Number(0)}
	condition := "attribute_not_exists(#readAt)"
	if !w.readAt.IsZero() {
		condition = "#readAt = :seen" // mutate:presence-read-claim => condition = "#readAt >= :seen"
		values[":seen"] = dynamo.Number(w.readAt.UnixMilli())
	}
	changes := "SET #readAt = :now, #n = if_not_exists(#n, :zero)" + wanted(values, now)
	_, done, err := r.update(ctx, w.Room, changes, condition, values)
	return done, err
}

// noteWanted notes that a client has asked for the room.
func (r *Rooms) noteWanted(ctx context.Context, room string, now time.Time) error {
	values := dynamo.Item{":zero": dynamo.Number(0)}
	_, _, err := r.update(ctx, room, "SET #n = if_not_exists(#n, :zero)"+wanted(values, now), "", values)
	return err
}

// wanted returns the part of an update that notes that a client has asked.
func wanted(values dynamo.Item, now time.Time) string {
	values[":hour"] = dynamo.Number(hourOf(now))
	values[":until"] = dynamo.Number(now.Add(kept).Unix())
	return ", #wanted = :hour, #expiresAt = :until"
}

// change is a new state of a room.
type change struct {
	state
	at      time.Time
	pushes  bool // the state is about to be pushed
	isNews  bool // members may know something else from now on
	isKnown bool // all members that can be told know it when the client has its answer
}

// write stores a new state, if n is still as it was seen, and returns the new n. If another caller was faster, it
// returns false, and the item as it is.
func (r *Rooms) write(ctx context.Context, seen Watched, c change) (now Watched, done bool, err error) {
	values := dynamo.Item{
		":one": dynamo.Number(1), ":seen": dynamo.Number(seen.n), ":now": dynamo.Number(c.at.UnixMilli()),
		":count": dynamo.Number(int64(c.count)), ":connections": dynamo.Number(int64(c.connections)),
	}
	set, remove := "SET #n = #n + :one, #readAt = :now, #count = :count, #connections = :connections", ""
	if c.users != nil {
		set, values[":users"] = set+", #users = :users", dynamo.Text(c.encoded)
	} else {
		remove += ", #users"
	}
	if c.pushes {
		set += ", #pushedAt = :now"
	}
	switch {
	case c.isKnown:
		set, values[":digest"] = set+", #digest = :digest", dynamo.Text(c.digest())
	case c.isNews: // mutate:presence-untold
		remove += ", #digest"
	}
	if remove != "" {
		set += " REMOVE " + strings.TrimPrefix(remove, ", ")
	}
	condition := "#n = :seen" // mutate:presence-claim => condition := "attribute_exists(#n) OR #n = :seen"
	return r.update(ctx, seen.Room, set, condition, values)
}

// noteKnown notes that all members know the state with that n, unless another state was told meanwhile.
func (r *Rooms) noteKnown(ctx context.Context, room string, n int64, digest string) error {
	values := dynamo.Item{":digest": dynamo.Text(digest), ":n": dynamo.Number(n)}
	condition := "#n = :n" // mutate:presence-known => condition := "#n >= :n"
	_, _, err := r.update(ctx, room, "SET #digest = :digest", condition, values)
	return err
}

// update updates the item of a room and returns it. If the condition is not met, it returns false, and the item as it
// is.
func (r *Rooms) update(
	ctx context.Context, room, changes, condition string, values dynamo.Item,
) (now Watched, done bool, err error) {
	input := &dynamodb.UpdateItemInput{
		TableName: &r.Table, Key: key(room), UpdateExpression: &changes,
		ExpressionAttributeNames: namesIn(changes, condition), ExpressionAttributeValues: values,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if condition != "" {
		input.ConditionExpression = &condition
	}
	out, err := r.API.UpdateItem(ctx, input)
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		now, err = decode(room, failed.Item)
		return now, false, err
	}
	if err != nil {
		return Watched{}, false, fmt.Errorf("note who is there: %w", err)
	}
	now, err = decode(room, out.Attributes)
	return now, true, err
}

// Watched returns the rooms that clients have asked for within the last day.
func (r *Rooms) Watched(ctx context.Context) ([]Watched, error) {
	const attributes = "#sk, #n, #count, #connections, #digest, #readAt, #pushedAt, #wanted"
	var found []Watched
	var start dynamo.Item
	for {
		out, err := r.API.Query(ctx, &dynamodb.QueryInput{
			TableName: &r.Table, KeyConditionExpression: aws.String("pk = :pk"),
			ExpressionAttributeValues: dynamo.Item{":pk": dynamo.Text(partition)},
			ProjectionExpression:      aws.String(attributes), ExpressionAttributeNames: namesIn(attributes),
			ExclusiveStartKey: start,
		})
		if err != nil {
			return nil, fmt.Errorf("list watched rooms: %w", err)
		}
		for _, item := range out.Items {
			w, err := decode(dynamo.TextOf(item, "sk"), item)
			if err != nil {
				return nil, err
			}
			found = append(found, w)
		}
		if start = out.LastEvaluatedKey; len(start) == 0 {
			return found, nil
		}
	}
}
