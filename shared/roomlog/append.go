package roomlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
)

const (
	blocksBehind = 64 // that a writer reads when the sender names its position
	blocksNewest = 4  // that it reads when the sender does not
	hops         = 4  // closed blocks that a writer tries before it looks again
)

// Look is the end of a log as a writer has read it.
type Look struct {
	room   string
	after  int64
	blocks []block // ascending
	err    error
}

// Look reads the end of a room's log for Append, and may do so while the caller still checks the sender. after is the
// number up to which the sender has seen every entry without finding the message. It is 0 if the room was empty, or
// NotKnown. Append returns the error of Look.
func (l *Log) Look(ctx context.Context, room string, after int64) Look {
	look := Look{room: room, after: after}
	if l.days > 0 {
		look.blocks, look.err = l.lookBehind(ctx, room, after)
	}
	return look
}

func (l *Log) lookBehind(ctx context.Context, room string, after int64) ([]block, error) {
	if l.isAhead(after) {
		return nil, ErrAhead
	}
	more := false
	if after >= 0 {
		blocks, newer, err := l.behind(ctx, room, after, blocksBehind)
		switch {
		case err != nil:
			return nil, err
		case newer:
			more = true
		case reaches(blocks, after): // mutate:log-after-gone => case true:
			return blocks, nil
		}
	}
	blocks, _, err := l.newest(ctx, room, blocksNewest)
	// When all entries have expired, the sender can read none of them. It would be far behind until TTL deletes them.
	if more &&
		l.head(blocks) > 0 { // mutate:log-far-behind-expired
		return nil, ErrFarBehind // mutate:log-far-behind
	}
	return blocks, err
}

// isAhead reports whether a position is one that no client can have seen, not even with another clock.
func (l *Log) isAhead(after int64) bool {
	return after > l.now().Add(time.Minute).UnixMilli() // mutate:log-ahead => return false
}

// reaches reports whether the newest of the blocks has a number, or a greater one. If not, the block of the number may
// be deleted.
func reaches(blocks []block, seq int64) bool {
	return len(blocks) > 0 && blocks[len(blocks)-1].last() >= seq
}

// Append gives a message the next number of its room, unless a stored entry has its id. It returns the stored entry,
// and whether that was there before: the message as it was sent first, or its tombstone. Members see no message older
// than HistoryDays, so Append returns such a message as a tombstone. Append ignores the Seq of e. The error is ErrOff,
// ErrBusy, ErrAhead, ErrFarBehind, or a fault. After ErrBusy and faults the message may be stored nevertheless; then a
// resend with the same id finds it.
func (l *Log) Append(ctx context.Context, look Look, e Entry) (stored Entry, duplicate bool, err error) {
	if l.days <= 0 { // mutate:log-off
		return Entry{}, false, ErrOff
	}
	again := false
	err = retry(ctx, func() (err error) {
		if again {
			look = l.Look(ctx, look.room, look.after)
		}
		again = true
		stored, duplicate, err = l.place(ctx, look, e)
		return err
	})
	if err != nil {
		return Entry{}, false, fmt.Errorf("append to log: %w", err)
	}
	if l.expired(stored, l.now()) { // mutate:log-expired-resend
		stored.Text, stored.Deleted = "", true
	}
	return stored, duplicate, nil
}

// retry repeats an attempt that conflicts with another write or is throttled. The error is ErrBusy when the budget is
// over.
func retry(ctx context.Context, attempt func() error) error {
	err := dynamo.Retry(ctx, func() error {
		err := attempt()
		if dynamo.IsThrottled(err) {
			return fmt.Errorf("%w: %w", dynamo.ErrChanged, err)
		}
		return err
	})
	if errors.Is(err, dynamo.ErrStillInConflict) {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}

// place tries once to store an entry behind the blocks of a look.
func (l *Log) place(ctx context.Context, look Look, e Entry) (stored Entry, duplicate bool, err error) {
	if look.err != nil {
		return Entry{}, false, look.err
	}
	for _, b := range look.blocks {
		if stored, duplicate := b.find(e.ID); duplicate { // mutate:log-seen-id
			return stored, true, nil // mutate:log-stored => stored.Text = e.Text; return stored, true, nil
		}
	}
	now := l.now()
	tail := tailOf(look.blocks, now)
	switch {
	case tail == nil, tail.stale(now):
		return l.begin(ctx, look.room, tail, e)
	case now.Sub(tail.opened) >= day, // mutate:log-age => case false,
		tail.keep != l.days: // mutate:log-other-keep => false:
		if !tail.closed() { // mutate:log-seal
			sealed, err := l.seal(ctx, look.room, tail.first)
			if err != nil {
				return Entry{}, false, err
			}
			if stored, duplicate := sealed.find(e.ID); duplicate { // mutate:log-sealed-id
				return stored, true, nil
			}
			tail = &sealed
		}
		return l.begin(ctx, look.room, tail, e)
	case tail.closed():
		return l.add(ctx, look.room, tail.next(), mayBeNew, e)
	}
	// mutate:log-deleted-tail => return l.add(ctx, look.room, tail.first, mayBeNew, e)
	return l.add(ctx, look.room, tail.first, mustExist, e)
}

// tailOf returns the newest block of an answer, or nil. If the answer is incomplete, it returns the last block before
// the missing one, because the missing block may still take entries.
func tailOf(blocks []block, now time.Time) *block {
	for i := range blocks {
		if i > 0 && incomplete(blocks[i-1], blocks[i], now) { // mutate:log-incomplete-writer
			return &blocks[i-1]
		}
	}
	if len(blocks) == 0 {
		return nil
	}
	return &blocks[len(blocks)-1]
}

// open is the condition of a block that takes the entry.
const open = "b < :full" + // mutate:log-full-bytes
	" AND size(e) < :most" + // mutate:log-full-entries
	" AND keep = :days" + // mutate:log-keep
	" AND attribute_not_exists(sealed)" + // mutate:log-sealed
	" AND NOT contains(ids, :id)" // mutate:log-id => " AND (contains(ids, :id) OR NOT contains(ids, :id))"

// The conditions of add.
const (
	mustExist = "attribute_exists(pk) AND " + open
	mayBeNew  = "attribute_not_exists(pk) OR (" + open + ")"
)

// add appends the entry to the block of a number, or to the first block behind it that takes entries.
func (l *Log) add(ctx context.Context, room string, first int64, condition string, e Entry) (Entry, bool, error) {
	for range hops {
		out, err := l.api.UpdateItem(ctx, l.addition(room, first, condition, e))
		if err == nil {
			b, err := decodeBlock(out.Attributes)
			e.Seq = b.last()
			return e, false, err
		}
		failed, refused := errors.AsType[*types.ConditionalCheckFailedException](err)
		switch {
		case !refused:
			return Entry{}, false, err
		case failed.Item == nil:
			return Entry{}, false, dynamo.ErrChanged
		}
		found, err := decodeBlock(failed.Item)
		if err != nil {
			return Entry{}, false, err
		}
		if stored, duplicate := found.find(e.ID); duplicate { // mutate:log-refused-id
			return stored, true, nil
		}
		if found.keep != l.days || !found.closed() { // mutate:log-refused-keep
			return Entry{}, false, dynamo.ErrChanged
		}
		first, condition = found.next(), mayBeNew
	}
	return Entry{}, false, dynamo.ErrChanged
}

func (l *Log) addition(room string, first int64, condition string, e Entry) *dynamodb.UpdateItemInput {
	values := l.written(e)
	values[":none"] = elements()
	values[":zero"] = dynamo.Number(0)
	values[":full"], values[":most"] = dynamo.Number(maxBytes), dynamo.Number(maxEntries)
	values[":id"] = dynamo.Text(e.ID)
	return &dynamodb.UpdateItemInput{
		TableName: aws.String(l.table),
		Key:       blockKey(room, first),
		UpdateExpression: aws.String("SET e = list_append(if_not_exists(e, :none), :entries)" +
			", b = if_not_exists(b, :zero) + :size, t = if_not_exists(t, :now), keep = if_not_exists(keep, :days)" +
			", expiresAt = :until ADD ids :ids"),
		ConditionExpression:                 aws.String(condition),
		ExpressionAttributeValues:           values,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}

// written returns the values that every write of an entry has.
func (l *Log) written(e Entry) dynamo.Item {
	now := l.now()
	return dynamo.Item{
		":entries": elements(e.value()),
		":ids":     &types.AttributeValueMemberSS{Value: []string{e.ID}},
		":size":    dynamo.Number(e.size()),
		":now":     dynamo.Number(now.UnixMilli()),
		":days":    dynamo.Number(l.days),
		// mutate:log-until => ":until": dynamo.Number(now.Add(time.Duration(l.days) * day).Unix()),
		":until": dynamo.Number(now.Add(time.Duration(l.days+2) * day).Unix()),
	}
}

// elements returns a list of entries, or of none.
func elements(entries ...types.AttributeValue) types.AttributeValue {
	return &types.AttributeValueMemberL{Value: append([]types.AttributeValue{}, entries...)}
}
