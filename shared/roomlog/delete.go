package roomlog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
)

// Delete removes the text of a message, and then appends a note for members that are away. The note's Of is the number
// of the message, and its Subject the user who deletes: the author, or a moderator. Delete returns the stored note. A
// message that is deleted already gets the note all the same: the first Delete may have failed between the two steps. A
// note that is near the end of the log is not appended again. A second note about one message changes nothing.
//
// The error is ErrNotFound, ErrNotYours, ErrBusy, or a fault. After ErrBusy and faults the text may be gone, and the
// note may be missing; then the same Delete completes it.
func (l *Log) Delete(ctx context.Context, room string, note Entry, moderator bool) (stored Entry, err error) {
	if l.days <= 0 {
		return Entry{}, fmt.Errorf("delete from log: %w", ErrNotFound)
	}
	err = retry(ctx, func() error { return l.removeText(ctx, room, note, moderator) })
	if err != nil {
		return Entry{}, fmt.Errorf("delete from log: %w", err)
	}
	stored, _, err = l.Append(ctx, l.Look(ctx, room, NotKnown), note)
	return stored, err
}

// removeText tries once to replace the message that a note is about by a tombstone.
func (l *Log) removeText(ctx context.Context, room string, note Entry, moderator bool) error {
	b, err := l.blockOf(ctx, room, note.Of)
	if err != nil {
		return err
	}
	place := int(note.Of - b.first)
	message := b.entries[place]
	switch {
	case !message.isMessage() && !message.Deleted: // mutate:log-delete-note
		return ErrNotFound
	case l.expired(message, l.now()): // mutate:log-delete-expired
		return ErrNotFound
	case message.Subject != note.Subject && !moderator: // mutate:log-delete-author
		return ErrNotYours
	case message.Deleted: // mutate:log-delete-again
		return nil // mutate:log-delete-repeat => return ErrNotFound
	}
	message.Deleted, message.At = true, l.now()
	return l.change(ctx, room, b, []change{{place: place, to: &message}})
}

// blockOf returns the block with a number, or ErrNotFound.
func (l *Log) blockOf(ctx context.Context, room string, seq int64) (block, error) {
	blocks, _, err := l.query(ctx, room, "pk = :pk AND sk <= :sk", pad(seq), false, 1)
	if err != nil {
		return block{}, err
	}
	if len(blocks) == 0 || blocks[0].last() < seq {
		return block{}, ErrNotFound
	}
	return blocks[0], nil
}

// change is what happens to one entry of a block.
type change struct {
	place int
	to    *Entry // the new entry, or nil to remove the user's id and name from it
}

// change changes entries of a block as it was read, in one write that leaves all other entries as they are. Each of the
// changed entries must still have its id and name its user. If not, the error is dynamo.ErrChanged, and nothing was
// written. Appends to the block may happen meanwhile: they change no place.
func (l *Log) change(ctx context.Context, room string, b block, changes []change) error {
	var set, remove, condition []string
	values := dynamo.Item{}
	for _, c := range changes {
		at, n := fmt.Sprintf("e[%d]", c.place), strconv.Itoa(c.place)
		was := b.entries[c.place]
		values[":id"+n], values[":sub"+n] = dynamo.Text(was.ID), dynamo.Text(was.Subject)
		sameID, sameUser := at+".id = :id"+n, at+".#sub = :sub"+n
		condition = append(condition,
			sameID,   // mutate:log-change-id => "("+sameID+" OR NOT "+sameID+")",
			sameUser, // mutate:log-change-user => "("+sameUser+" OR NOT "+sameUser+")",
		)
		if c.to == nil {
			remove = append(remove, at+".#sub", at+".nm")
			continue
		}
		values[":entry"+n] = c.to.value()
		// mutate:log-change-place => set, values[":entry"+n] = []string{"e = :entry" + n}, elements(c.to.value())
		set = append(set, at+" = :entry"+n)
	}
	_, err := l.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 aws.String(l.table),
		Key:                       blockKey(room, b.first),
		UpdateExpression:          aws.String(clause("SET", set) + clause(" REMOVE", remove)),
		ConditionExpression:       aws.String(strings.Join(condition, " AND ")),
		ExpressionAttributeNames:  map[string]string{"#sub": "sub"},
		ExpressionAttributeValues: values,
	})
	if _, changed := errors.AsType[*types.ConditionalCheckFailedException](err); changed { // mutate:log-change-again
		return dynamo.ErrChanged
	}
	return err
}

// clause returns a part of an update expression, or "" when it has no actions.
func clause(keyword string, actions []string) string {
	if len(actions) == 0 {
		return ""
	}
	return keyword + " " + strings.Join(actions, ", ")
}
