// Package connections is the table of live connections: who is connected, in which rooms, and which
// tickets have been used. Its main type is Store.
//
// # Items
//
// One table with the string keys pk and sk and no index:
//
//	pk                     sk              attributes
//	CONN#<connection id>   CONN            sub, nm, rooms, sx, connectedAt, expiresAt, w<n>, s<n>, kicked
//	ROOM#<room>#<shard>    <connection id> sub, sx, connectedAt, slow, expiresAt
//	TICKET#<jti>           TICKET          expiresAt
//	USER#<sub>             USER            n, c_<connection id>, notBefore, bannedUntil, expiresAt
//
//	SWEEP#<minute>#<0-3>   <connection id> reason, due, connectedAt, expiresAt
//
//	sub           S  user id
//	nm            S  display name
//	rooms         L  of M {room S, shard N}: where the membership items are
//	sx            N  end of the session, Unix seconds
//	connectedAt   N  when the connection was opened, Unix milliseconds, from API Gateway's event
//	slow          N  when a broadcast was over that could not post to the member, which does not read; Unix
//	                 milliseconds, gone when the member reads again
//	w<n>          N  messages sent in window n, which is Unix seconds divided by 10
//	s<n>          N  violations of the rules in minute n, which is Unix seconds divided by 60
//	kicked        N  when the connection broke the rules once too often
//	n             N  live connections of the user: always the number of c_ attributes
//	c_<id>        N  sx of that connection and, behind the decimal point, its connectedAt: so entries
//	                 sort by age even when sessions end in the same second
//	notBefore     N  who authenticated at or before this second is revoked
//	bannedUntil   N  until this second the user may not connect
//	reason        S  why a connection is to be closed, see Reason
//	due           N  from when on; its minute is part of the key
//	expiresAt     N  Unix seconds, the table's TTL attribute
//
// All guests share one USER item, that of the user id guest.Pool.
//
// # Invariants
//
// A connection's CONN item, its memberships and its entry in USER are written together and removed
// together, each time in one transaction. A connection id belongs to one connection for ever.
//
// TTL removes items late, up to days, so an item is never trusted because it is there: past its sx a
// connection counts as absent. All reads are strongly consistent, and nobody scans.
//
// The number of shards per room may be raised, readers before writers, and never lowered: a reader
// looks at the shards 0 to n-1.
package connections

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"signedsocket/shared/awsclient"
)

// What a caller may have to tell apart. Every other error of a Store is a fault of the table or of
// the way to it.
var (
	// ErrTicketUsed is returned by Connect: the grant has opened a connection before.
	ErrTicketUsed = errors.New("ticket used before")
	// ErrRevoked is returned by Connect: the user was revoked after having authenticated.
	ErrRevoked = errors.New("user revoked")
	// ErrBanned is returned by Connect: the user may not connect for now.
	ErrBanned = errors.New("user banned")
	// ErrNotConnected is returned by Touch: the table does not know the connection.
	ErrNotConnected = errors.New("connection not known")
	// ErrKicked is returned by Touch and Strike: the connection has broken the rules too often.
	ErrKicked = errors.New("connection kicked")
	// ErrSessionEnded is returned by Touch: the connection's session is over.
	ErrSessionEnded = errors.New("session ended")
)

// RateLimitError is returned by Touch when the connection has sent all that it may in this window.
type RateLimitError struct {
	RetryAfter time.Duration // how long until the next window
}

// Error implements error.
func (e *RateLimitError) Error() string {
	return "too many messages, next window in " + e.RetryAfter.String()
}

// Connection is what the table holds of one connection.
type Connection struct {
	ID            string
	Subject       string // user id
	Name          string // display name
	Rooms         []Membership
	SessionEndsAt time.Time // whole seconds
	ConnectedAt   time.Time // whole milliseconds
}

// Membership says which shard of a room lists the connection.
type Membership struct {
	Room  string
	Shard int
}

// In reports whether the connection is in the room.
func (c Connection) In(room string) bool {
	for _, membership := range c.Rooms {
		if membership.Room == room {
			return true
		}
	}
	return false
}

// API is the part of the DynamoDB client that a Store uses.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// Limits are the numbers of a deployment. A zero stands for the default.
type Limits struct {
	ConnectionsPerUser int // default 5
	GuestConnections   int // of all guests together, default 100
	MessagesPerWindow  int // messages of one connection in 10 seconds, default 20
	RoomShards         int // partitions over which the members of a room are spread, default 1
}

// Store reads and writes the table. It is safe for concurrent use.
type Store struct {
	api    API
	table  string
	limits Limits
	page   int32 // memberships per Query
}

// membersPerPage bounds the time until the first members of a large room are known, and the memory that
// a page takes; a room of fewer members takes one Query.
const membersPerPage = 250

// Open returns a Store on the table of that name, with a client of its own.
func Open(config aws.Config, table string, limits Limits) *Store {
	return New(dynamodb.NewFromConfig(config, func(options *dynamodb.Options) {
		options.HTTPClient = awsclient.ForSDK(options.HTTPClient)
	}), table, limits)
}

// New returns a Store on the table of that name.
func New(api API, table string, limits Limits) *Store {
	if limits.ConnectionsPerUser == 0 {
		limits.ConnectionsPerUser = 5
	}
	if limits.GuestConnections == 0 {
		limits.GuestConnections = 100
	}
	if limits.MessagesPerWindow == 0 {
		limits.MessagesPerWindow = 20
	}
	if limits.RoomShards == 0 {
		limits.RoomShards = 1
	}
	return &Store{api: api, table: table, limits: limits, page: membersPerPage}
}
