// Package presence tells the members of a room which users are there. Its main type is Rooms.
//
// # Words
//
// The state of a room is its users, each once however many connections it has, or only their number. A room with more
// users than the limit of the deployment is a crowd: only the number is told. A room is watched when a client has asked
// for its state within the last hours. To tell is to answer a client that asks, or to push: to post the state to all
// members that speak chat.v2. The pace of a room is 1.2 seconds for each of its connections. A tick is a look at a
// watched room that no client asked for.
//
// # Items
//
// A watched room has one item in the table of connections (package connections):
//
//	pk      sk       attributes
//	HERE    <room>   n, digest, users, count, connections, readAt, pushedAt, wanted, expiresAt
//
//	n            N  version of the state, which rises with each state that is told; 0 until the first is known
//	users        S  JSON of the users, at most 30,000 bytes; absent in a crowd
//	count        N  users
//	connections  N  connections, v1 and v2
//	digest       S  what the members know: a hash of users, or # and the number; absent while some of them may know
//	                something else
//	readAt       N  when the members were read last, or a reader claimed to read them; Unix milliseconds
//	pushedAt     N  when the last push began, Unix milliseconds
//	wanted       N  when a client asked last; hours since 1970
//	expiresAt    N  Unix seconds, the table's TTL attribute: a day after wanted was written
//
// # Invariants
//
// A state is told only after it was written, on condition that n is still that of the state before. So whatever is told
// with one n is one state, and of two states the one with the greater n is newer. One answer differs: the state that
// was read a while ago, to which the user that asks is added.
//
// The digest is removed before a state is told that differs from it, and written when all members have the state. So
// while it is there, no member knows anything else, and a tick whose state has that digest pushes nothing. A push that
// fails or is cut off leaves no digest, and the next tick pushes again.
//
// A push to N connections begins at the earliest 1.2·N seconds after the one before. So in any t minutes a room of N
// connections gets at most N + 50·t posts, whatever happens in it.
//
// Clients make a room be read at most once in its pace, and a crowd never: they get the state of the item.
package presence

import (
	"context"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"signedsocket/shared/broadcast"
	"signedsocket/shared/connections"
)

const (
	// smallRoom is up to how many users a join is pushed at once.
	smallRoom = 20
	// maxPushed is up to how many connections a room is pushed to at all.
	maxPushed = 2000
	// recount is how often a room of more connections is counted.
	recount = time.Hour
	// maxUsers is how many bytes the users of a frame have at most. API Gateway bills a frame by 32 KB.
	maxUsers = 30_000
	// watchedHours is for how many hours after the one in which a client asked a room is watched.
	watchedHours = 2
	// kept is how long an item outlives the last request.
	kept = 24 * time.Hour
	// withPresence is the protocol from which on clients know presence frames.
	withPresence = 2
)

// Pace returns how long after a push to so many connections, or a read of so many, the next one may follow.
func Pace(connections int) time.Duration {
	return time.Duration(max(connections, 1)) * 1200 * time.Millisecond
}

// API is the part of the DynamoDB client that Rooms uses.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	UpdateItem(
		context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.UpdateItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// Members lists the members of a room; connections.Store does.
type Members interface {
	NamedMembers(
		ctx context.Context, room string, now time.Time, consistent bool,
	) iter.Seq2[[]connections.Member, error]
}

// Poster posts a frame to members; broadcast.Broadcaster does.
type Poster interface {
	Deliver(
		ctx context.Context, origin broadcast.Origin, frame []byte, pages iter.Seq2[[]connections.Member, error],
	) (broadcast.Result, error)
}

// Rooms knows who is in the rooms. It is safe for concurrent use.
type Rooms struct {
	API     API
	Table   string
	Members Members
	Poster  Poster
	Limit   int // users of a room up to which they are named, at least 1
	Now     func() time.Time
}
