// Package roomlog keeps the messages of rooms, in order, each under a number of its own. Its main type is Log.
//
// # Words
//
// The log of a room is a chain of blocks, and a block holds up to 16 entries. An entry is a message, a tombstone, or a
// note about a deletion or an erasure. The tail is the newest block. A full or sealed block is closed: it takes no more
// entries. To begin is to open a block in one transaction with the room's LOGS item. A writer begins the first block of
// a log, of a day and of another HistoryDays, and opens all others without LOGS.
//
// A block is missing between two blocks of an answer of DynamoDB when their numbers do not join. Either TTL has deleted
// it, or the log began anew there, or the answer is incomplete. An incomplete answer lacks a block that exists:
// DynamoDB looked for the block before a writer opened it, and then read a newer block.
//
// # Items
//
// The blocks are items of the table of connections (package connections):
//
//	pk             sk                                   attributes
//	LOG#<room>     <number of its first, 16 digits>     e, ids, b, t, keep, anew, sealed, expiresAt
//	LOGS           <room>                               first
//
//	e            L  entries; the number of an entry is that of the first plus its place in the list
//	ids          SS ids of the entries
//	b            N  sizes of the entries together
//	t            N  when the block was opened, Unix milliseconds
//	keep         N  HistoryDays of the writer that opened it
//	anew         N  1 when the block was begun at the time, and not behind a tail
//	sealed       N  1 when the block takes no more entries
//	expiresAt    N  Unix seconds, the table's TTL attribute: the last write, keep days and two more
//	first        N  number with which the last begin began
//
// An entry is a map. All have id (S); a message has sub, nm, x (S: user id, display name, text) and at (N, Unix
// milliseconds). A tombstone has id, del (N, when the message was deleted) and, unless its user was erased, sub. A note
// about a deletion has of (N) instead of a text, and no sub and nm if its user was erased. A note about an erasure has
// id, era (S) and at.
//
// # Invariants
//
// DynamoDB applies the writes to one item one after the other. So the place in the list, and with it the number, is
// given by the write itself; text, number and the protection against repetition are one write.
//
// The numbers of a room rise by one with each entry, and jump only where a log begins anew: then to the time in
// milliseconds, which is above every number that was given before. No number is given twice, not even after blocks were
// deleted in any order. An id that a writer can see, or that is in the block that the writer appends to, gets no
// second number.
//
// A tombstone keeps the number and the id of its message, and nothing takes an entry out of a block. So a resend finds
// the tombstone, and no number changes. A tombstone expires with the entry before it in its block, or with the block's
// first writer. It must not outlive newer entries: readers stop at the first entry that has expired.
//
// TTL deletes blocks days late and in any order, so readers leave out entries older than HistoryDays, whatever the
// table holds. All reads are strongly consistent. With HistoryDays 0 nothing is written and nothing is read.
//
// Clocks of writers may differ by seconds, not by hours.
package roomlog

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Errors that callers distinguish. Every other error of a Log is a fault of the table or of the network.
var (
	// ErrOff is returned by Append when HistoryDays is 0.
	ErrOff = errors.New("history is off")
	// ErrBusy is returned when the log, or the table, was too busy for the whole budget. The caller may try again.
	ErrBusy = errors.New("log is busy")
	// ErrAhead is returned by Append and After for a position that no client can have seen.
	ErrAhead = errors.New("after is in the future")
	// ErrFarBehind is returned by Append when there is more behind after than a writer looks through.
	ErrFarBehind = errors.New("after is too far behind")
	// ErrNotFound is returned by Delete: no message has the number, or the message has expired.
	ErrNotFound = errors.New("no such message")
	// ErrNotYours is returned by Delete: another user has sent the message.
	ErrNotYours = errors.New("message of another user")
)

// NotKnown is the after of a message whose sender does not know how far it has seen the room.
const NotKnown = -1

// Entry is one entry of a log.
type Entry struct {
	Seq     int64 // its number, which Append gives
	ID      string
	Subject string    // user id of the sender
	Name    string    // display name of the sender
	Text    string    // of a message
	At      time.Time // of a tombstone that was read: a time of its block, not after that of its message
	Deleted bool      // a tombstone: the text is gone
	Of      int64     // of a note about a deletion: number of the deleted message
	Erased  string    // of a note about an erasure: hash of the erased user
}

// API is the part of the DynamoDB client that a Log uses.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	UpdateItem(
		context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.UpdateItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	TransactWriteItems(
		context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options),
	) (*dynamodb.TransactWriteItemsOutput, error)
}

// Log reads and writes the logs of all rooms. It is safe for concurrent use.
type Log struct {
	api   API
	table string
	days  int64 // HistoryDays
	now   func() time.Time
}

// New returns a Log on the table of that name. It keeps messages for days days.
func New(api API, table string, days int) *Log {
	return &Log{api: api, table: table, days: int64(days), now: time.Now}
}
