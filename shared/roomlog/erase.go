package roomlog

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"signedsocket/shared/dynamo"
)

// blocksPerErasure is how many blocks Erase reads at a time, about half of what one Query may return.
const blocksPerErasure = 400

// Step is a step of the erasure of a user from the log of a room.
type Step int

// The steps, in their order. Between RemoveTexts and RemoveNames the caller appends a note about the erasure. So
// whenever the erasure ends early, either the log has that note, or entries still name the user and a later erasure
// finds them.
const (
	Count       Step = iota // changes nothing
	RemoveTexts             // turns the user's messages into tombstones, which still have the user's id
	RemoveNames             // removes the user's id and name from tombstones, and from notes that the user has deleted
)

// Erased is the result of one step on some blocks.
type Erased struct {
	Messages int   // of the user, with their text before the step
	Entries  int   // that name the user, the messages among them
	Next     int64 // position behind which the same step goes on
	More     bool  // there are newer blocks
}

// Erase does a step for some blocks of a log behind a position, which is 0 or the Next of the call before. It changes
// all blocks of the table, whatever their HistoryDays, and repeating it changes nothing more. The user must not write
// meanwhile. After an error the same call goes on.
func (l *Log) Erase(ctx context.Context, room, subject string, behind int64, step Step) (erased Erased, err error) {
	blocks, more, err := l.query(ctx, room, "pk = :pk AND sk > :sk", pad(behind), true, blocksPerErasure)
	if err != nil {
		return Erased{}, readError(err)
	}
	erased = Erased{Next: behind, More: more}
	for _, b := range blocks {
		for _, e := range b.entries {
			if e.Subject != subject {
				continue
			}
			erased.Entries++
			if e.isMessage() {
				erased.Messages++
			}
		}
		if err := l.eraseFrom(ctx, room, subject, b, step); err != nil {
			return Erased{}, fmt.Errorf("erase from log: %w", err)
		}
		erased.Next = b.first
	}
	return erased, nil
}

// eraseFrom does a step for one block.
func (l *Log) eraseFrom(ctx context.Context, room, subject string, b block, step Step) error {
	again := false
	return retry(ctx, func() (err error) {
		if again {
			b, err = l.blockOf(ctx, room, b.first)
			if errors.Is(err, ErrNotFound) { // TTL has deleted it
				return nil
			}
		}
		again = true
		changes := l.changesOf(b, subject, step)
		if err != nil || len(changes) == 0 {
			return err
		}
		return l.change(ctx, room, b, changes)
	})
}

// changesOf returns the changes of a step to the entries of a block.
func (l *Log) changesOf(b block, subject string, step Step) (changes []change) {
	for i, e := range b.entries {
		switch {
		case e.Subject != subject: // mutate:log-erase-user
		case step == RemoveTexts && e.isMessage():
			e.Deleted, e.At = true, l.now() // mutate:log-erase-steps => e = Entry{ID: e.ID, Deleted: true, At: l.now()}
			changes = append(changes, change{place: i, to: &e})
		case step == RemoveNames && !e.isMessage(): // mutate:log-erase-names
			changes = append(changes, change{place: i})
		}
	}
	return changes
}

// NextRoom returns the room that comes behind another one by name, of those that have had messages, or "" for none. The
// first room comes behind "".
func (l *Log) NextRoom(ctx context.Context, room string) (string, error) {
	input := &dynamodb.QueryInput{
		TableName:                 aws.String(l.table),
		KeyConditionExpression:    aws.String("pk = :pk"),
		ExpressionAttributeValues: dynamo.Item{":pk": startKey("")["pk"]},
		ConsistentRead:            aws.Bool(true),
		Limit:                     aws.Int32(1),
	}
	if room != "" {
		input.ExclusiveStartKey = startKey(room)
	}
	out, err := l.api.Query(ctx, input)
	if err != nil {
		return "", fmt.Errorf("list logs: %w", readError(err))
	}
	if len(out.Items) == 0 {
		return "", nil
	}
	return dynamo.TextOf(out.Items[0], "sk"), nil
}
