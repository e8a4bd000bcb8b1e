// Package connections is the table of live connections, of their users and rooms, and of used tickets. Its main type is
// Store.
//
// # Words
//
// To remove a connection is to remove its records. To expel it is to remove it and schedule the close. To close it is
// to close its socket, which package callback does. To refuse is to turn away a frame or a handshake. A strike is a
// refusal that counts, and the third strike kicks the connection. A connection gives way when a newer one of its user
// takes its place. A gone connection is one for which API Gateway answers 410. A young one may still be in its
// handshake.
//
// # Items
//
// The table of connections has the string keys pk and sk and no index:
//
//	pk                     sk              attributes
//	CONN#<connection id>   CONN            sub, nm, rooms, sx, connectedAt, expiresAt, v, md, ci, si, base, w<n>,
//	                                       h<n>, s<n>, kicked, due
//	ROOM#<room>#<shard>    <connection id> sub, nm, sx, connectedAt, expiresAt, v, slow
//	TICKET#<jti>           TICKET          expiresAt
//	USER#<sub>             USER            n, c_<connection id>, i_<connection id>, o<minute>, expiresAt
//	RATE#<sub>             RATE            w<n>, h<n>, s<n>, expiresAt
//	KICK#<sub>             KICK            until, times, at, expiresAt
//	SIGN#<sub>             SIGN            m<minute>, expiresAt
//	SWEEP#<minute>#<0-3>   <connection id> reason, due, connectedAt, expiresAt
//	REAPER                 REAPER          minute
//
// The table Bans has the string key id, a user id or "signin#" and a sign-in, and holds notBefore, bannedUntil, by,
// why, at and expiresAt.
//
//	sub           S  user id
//	nm            S  display name, at most 128 bytes; ROOM items of versions before presence have none
//	rooms         L  of M {room S, shard N, ro N}: where the membership items are; ro is 1 where the
//	                 connection may only read, else absent
//	md            N  1 when the user is a moderator, else absent
//	sx            N  end of the session, Unix seconds
//	connectedAt   N  when the connection was opened, Unix milliseconds, from API Gateway's event
//	slow          N  when a broadcast could not post to the member, which does not read; Unix
//	                 milliseconds, removed when the member reads again
//	v             N  2 when the client speaks chat.v2, else absent
//	ci            S  the client object that opened the connection
//	si            S  the sign-in by which a trusted caller vouched for the user
//	w<n>          N  messages sent in window n, which is Unix seconds divided by 10
//	h<n>          N  requests for messages of the past in window n
//	s<n>          N  violations of the rules in minute n, which is Unix seconds divided by 60
//	base          M  the w<n>, h<n> and s<n> with which the connection started: counted by earlier connections
//	kicked        N  when the connection broke the rules once too often
//	n             N  live connections of the user: always the number of c_ attributes
//	c_<id>        N  sx of that connection and, behind the decimal point, its connectedAt: so entries
//	                 sort by age even when sessions end in the same second
//	i_<id>        S  ci of that connection; in the pool a hash of the guest's id and ci
//	o<minute>     N  connections that guests have opened in a minute; in the pool only
//	until         N  until this second the user may not connect, because of a kick
//	times         N  kicks without a day between them
//	at            N  when the item was written, or the last kick was
//	m<minute>     N  URLs signed for the user in a minute
//	notBefore     N  a user who authenticated at or before this second is revoked
//	bannedUntil   N  until this second the user may not connect, or the sign-in is over
//	by, why       S  the operator or rule that wrote a ban, and the reason
//	reason        S  why a connection must be closed, see Reason
//	due           N  the time of the close; in SWEEP its minute is part of the key. In CONN: there is a
//	                 SWEEP item for this time
//	minute        N  up to this minute the reaper has finished everything
//	expiresAt     N  Unix seconds, the tables' TTL attribute
//
// All guests share one USER item, that of the user id userid.Pool. All other items of a guest have the guest's own id.
// USER items of older versions may hold notBefore and bannedUntil, which still count.
//
// # Invariants
//
// A connection's CONN item, its memberships, its entry in USER and its SWEEP item are written together and removed
// together, each time in one transaction. A connection id belongs to one connection only. Expelling a connection leaves
// one SWEEP item, until the socket is closed.
//
// The transaction that removes a connection adds its own recent counts to RATE, on condition that they have not changed
// since. The transaction that admits a connection starts it with the counts of RATE, on condition that these have not
// changed since. So a window of a user counts each message once, however often the user reconnects: at most
// (ConnectionsPerUser + 1) times MessagesPerWindow pass. The same holds for requests and their 20 in a window.
//
// TTL removes items up to days late, so the presence of an item proves nothing: past its sx a connection counts as
// absent. All reads are strongly consistent, except NamedMembers if its caller wants that, and no function scans.
//
// The number of shards per room may be raised, readers before writers, and never lowered: a reader looks at the shards
// 0 to n-1.
package connections

import (
	"cmp"
	"errors"
	"time"
)

// Errors that callers distinguish. Every other error of a Store is a fault of the table or of the network.
var (
	// ErrTicketUsed is returned by Connect: the grant has opened a connection before.
	ErrTicketUsed = errors.New("ticket used before")
	// ErrRevoked is returned by Connect: the user was revoked after having authenticated, or the sign-in is over.
	ErrRevoked = errors.New("user revoked")
	// ErrBanned is returned by Connect: the user is banned for now.
	ErrBanned = errors.New("user banned")
	// ErrNotConnected is returned by Touch and CountRequests: the table does not know the connection.
	ErrNotConnected = errors.New("connection not known")
	// ErrKicked is returned by Touch, CountRequests and Strike: the connection has broken the rules too often.
	ErrKicked = errors.New("connection kicked")
	// ErrSessionEnded is returned by Touch and CountRequests: the connection's session is over.
	ErrSessionEnded = errors.New("session ended")
)

// RateLimitError is returned by Touch and CountRequests when the connection has used up this window. CountURL returns
// it when the user has used up the URLs of this minute.
type RateLimitError struct {
	RetryAfter time.Duration // how long until the next window
	Fewer      bool          // one request would have passed, and was counted: there were too many at once
}

// Error implements error.
func (e *RateLimitError) Error() string {
	return "limit reached, next window in " + e.RetryAfter.String()
}

// Connection is a connection as its CONN item describes it.
type Connection struct {
	ID            string
	Subject       string // user id
	Name          string // display name
	Rooms         []Membership
	SessionEndsAt time.Time // whole seconds
	ConnectedAt   time.Time // whole milliseconds
	Protocol      int       // which the client speaks: 1 for chat.v1, 2 for chat.v2
	SignIn        string    // by which a trusted caller vouched for the user, or ""
	Moderator     bool      // the user may delete messages of others
}

// Membership says which shard of a room lists the connection.
type Membership struct {
	Room     string
	Shard    int
	ReadOnly bool // the connection may not write in the room
}

// MayWrite reports whether the connection is in the room and may write there.
func (c Connection) MayWrite(room string) bool {
	for _, membership := range c.Rooms {
		if membership.Room == room {
			return !membership.ReadOnly // mutate:read-only => return true
		}
	}
	return false
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

// Tables are the names of the tables. A function that only lists, counts and removes needs no Bans.
type Tables struct{ Connections, Bans string }

// Limits are the numbers of a deployment. A zero stands for the default.
type Limits struct {
	ConnectionsPerUser int // default 5
	GuestConnections   int // of all guests together, and openings of them in a minute, default 100
	MessagesPerWindow  int // messages of one connection in 10 seconds, default 20
	RoomShards         int // partitions over which the members of a room are spread, default 1
	RevocationDays     int // for which a revocation is kept, default 400
}

// Store reads and writes the tables. It is safe for concurrent use.
type Store struct {
	api    API
	tables Tables
	limits Limits
	page   int32 // memberships per Query
	now    func() time.Time
}

// membersPerPage bounds the time until the first members of a large room are known, and the memory that a page takes; a
// room of fewer members takes one Query.
const membersPerPage = 250

// New returns a Store on the tables of those names.
func New(api API, tables Tables, limits Limits) *Store {
	limits.ConnectionsPerUser = cmp.Or(limits.ConnectionsPerUser, 5)
	limits.GuestConnections = cmp.Or(limits.GuestConnections, 100)
	limits.MessagesPerWindow = cmp.Or(limits.MessagesPerWindow, 20)
	limits.RoomShards = cmp.Or(limits.RoomShards, 1)
	limits.RevocationDays = cmp.Or(limits.RevocationDays, 400)
	return &Store{api: api, tables: tables, limits: limits, page: membersPerPage, now: time.Now}
}
