package roomlog

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"signedsocket/shared/dynamo"
)

const (
	// blocksPerPage is how many blocks a page has at most: about as many as fit into the answer to a client.
	blocksPerPage = 22
	// entriesPerBlock is how many entries a block of ordinary messages has.
	entriesPerBlock = 5
)

// Page is a part of a log.
type Page struct {
	Entries  []Entry // with consecutive numbers, ascending
	Head     int64   // newest number that is kept, at the time of reading, or 0
	Complete bool    // of After: no entry is missing between the position and Entries
	More     bool    // there are newer entries, or, of Before and Last, older ones
}

// After returns the entries behind a position: the number up to which the client has seen every entry. 0 is the
// position of a client that found the room empty.
func (l *Log) After(ctx context.Context, room string, after int64) (Page, error) {
	if l.days <= 0 {
		return Page{Complete: true}, nil
	}
	if l.isAhead(after) {
		return Page{}, ErrAhead
	}
	blocks, more, err := l.behind(ctx, room, after, blocksPerPage)
	if err == nil && !reaches(blocks, after) { // mutate:log-after-gone-reader
		blocks, _, err = l.newest(ctx, room, blocksNewest)
	}
	if err != nil {
		return Page{}, readError(err)
	}
	page, newest := l.pageBehind(blocks, after), blocks
	if more {
		if newest, _, err = l.newest(ctx, room, 1); err != nil {
			return Page{}, readError(err)
		}
	}
	head := l.head(newest)
	more = more && head > 0
	// All entries of the blocks have expired. An empty page would not move the client's position, so After goes on.
	for len(page.Entries) == 0 && !page.More && more { // mutate:log-expired-pages => for false {
		blocks, more, err = l.firstKept(ctx, room, blocks[len(blocks)-1].next(), newest[0].first)
		if err != nil {
			return Page{}, readError(err)
		}
		page = l.pageBehind(blocks, after)
	}
	page.Head = head
	page.More = page.More || more
	return page, nil
}

// firstKept returns a page of blocks from the first one on that ends with an entry that is kept. Such a block begins at
// from, at to, or between them. Months of expired blocks may lie in front of it when HistoryDays was lowered. So
// firstKept halves the numbers between, and does not read these blocks.
func (l *Log) firstKept(ctx context.Context, room string, from, to int64) ([]block, bool, error) {
	const behind = "pk = :pk AND sk > :sk"
	for from < to { // mutate:log-expired-halves => for false {
		middle := from + (to-from)/2
		blocks, _, err := l.query(ctx, room, behind, pad(middle-1), true, 1)
		switch {
		case err != nil:
			return nil, false, err
		case len(blocks) > 0 && l.head(blocks) == 0:
			from = blocks[0].next()
		default:
			to = middle
		}
	}
	return l.query(ctx, room, behind, pad(from-1), true, blocksPerPage)
}

// pageBehind returns the entries behind a position that are kept. It ends at the first missing block behind an entry. A
// missing block before all entries ends it only if the answer is incomplete: then a later answer has the block.
func (l *Log) pageBehind(blocks []block, after int64) (page Page) {
	now := l.now()
	for i, b := range blocks {
		if i > 0 && b.first != blocks[i-1].next() { // mutate:log-missing-reader
			if len(page.Entries) > 0 || incomplete(blocks[i-1], b, now) { // mutate:log-incomplete-reader
				page.More = true
				break
			}
		}
		for _, e := range b.entries {
			switch {
			case e.Seq <= after:
			case l.expired(e, now): // mutate:log-expired
				page.Entries = nil
			default:
				page.Entries = append(page.Entries, e)
			}
		}
	}
	switch {
	case after == 0:
		page.Complete = true
	case len(page.Entries) > 0:
		page.Complete = page.Entries[0].Seq == after+1
	case len(blocks) > 0: // the answer is incomplete, or the position is the newest number
		page.Complete = page.More || blocks[len(blocks)-1].last() == after
	}
	return page
}

// Before returns up to limit entries in front of a number.
func (l *Log) Before(ctx context.Context, room string, before int64, limit int) (Page, error) {
	if l.days <= 0 {
		return Page{}, nil
	}
	blocks, more, err := l.query(ctx, room, "pk = :pk AND sk < :sk", pad(before), false, blocksFor(limit))
	if err != nil {
		return Page{}, readError(err)
	}
	newest, _, err := l.newest(ctx, room, 1)
	if err != nil {
		return Page{}, readError(err)
	}
	return l.pageInFront(blocks, newest, before, limit, more), nil
}

// Last returns the newest entries, up to limit.
func (l *Log) Last(ctx context.Context, room string, limit int) (Page, error) {
	if l.days <= 0 {
		return Page{}, nil
	}
	blocks, more, err := l.newest(ctx, room, blocksFor(limit))
	if err != nil {
		return Page{}, readError(err)
	}
	return l.pageInFront(blocks, blocks, math.MaxInt64, limit, more), nil
}

// pageInFront returns the newest entries in front of a number. It stops at the first entry that has expired, and at a
// missing block: if that exists, the next page has its entries.
func (l *Log) pageInFront(blocks, newest []block, before int64, limit int, more bool) Page {
	now := l.now()
	page := Page{Head: l.head(newest), More: more}
collect:
	for i, b := range slices.Backward(blocks) {
		if i+1 < len(blocks) && b.next() != blocks[i+1].first { // mutate:log-missing-before
			page.More = true
			break
		}
		for _, e := range slices.Backward(b.entries) {
			switch {
			case e.Seq >= before:
			case l.expired(e, now): // mutate:log-expired-before
				page.More = false
				break collect
			case len(page.Entries) == limit:
				page.More = true
				break collect
			default:
				page.Entries = append(page.Entries, e)
			}
		}
	}
	slices.Reverse(page.Entries)
	return page
}

// blocksFor returns how many blocks to read for a number of entries, in one Query. Blocks of long texts have fewer.
func blocksFor(entries int) int32 {
	return int32(min(entries/entriesPerBlock+1, blocksPerPage)) //nolint:gosec // at most blocksPerPage
}

// head returns the newest number, if its entry has not expired.
func (l *Log) head(blocks []block) int64 {
	if len(blocks) == 0 {
		return 0
	}
	entries := blocks[len(blocks)-1].entries
	if last := entries[len(entries)-1]; !l.expired(last, l.now()) { // mutate:log-expired-head
		return last.Seq
	}
	return 0
}

// expired reports whether an entry is older than HistoryDays.
func (l *Log) expired(e Entry, now time.Time) bool {
	return e.At.Before(now.Add(-time.Duration(l.days) * day))
}

// behind returns the block with a number and newer ones, and whether there are more. A block has at most 16 entries, so
// that block begins above the number minus 16. If the answer lacks the first of these blocks, behind asks once more.
func (l *Log) behind(ctx context.Context, room string, after int64, limit int32) ([]block, bool, error) {
	const condition = "pk = :pk AND sk > :sk"
	blocks, more, err := l.query(ctx, room, condition, pad(after-maxEntries), true, limit)
	if err == nil && len(blocks) > 0 && blocks[0].first > after &&
		incomplete(block{first: after + 1}, blocks[0], l.now()) { // mutate:log-incomplete-first => false {
		return l.query(ctx, room, condition, pad(after-maxEntries), true, limit)
	}
	return blocks, more, err
}

// newest returns the newest blocks, and whether there are older ones.
func (l *Log) newest(ctx context.Context, room string, limit int32) ([]block, bool, error) {
	return l.query(ctx, room, "pk = :pk", "", false, limit)
}

// query returns blocks in ascending order, and whether there are more in the direction of the query.
func (l *Log) query(
	ctx context.Context, room, condition, sk string, forward bool, limit int32,
) (blocks []block, more bool, err error) {
	values := dynamo.Item{":pk": dynamo.Text(partition(room))}
	if sk != "" {
		values[":sk"] = dynamo.Text(sk)
	}
	out, err := l.api.Query(ctx, &dynamodb.QueryInput{
		TableName:                 aws.String(l.table),
		KeyConditionExpression:    aws.String(condition),
		ExpressionAttributeValues: values,
		ConsistentRead:            aws.Bool(true),
		ScanIndexForward:          aws.Bool(forward),
		Limit:                     aws.Int32(limit),
	})
	if err != nil {
		return nil, false, err
	}
	blocks = make([]block, len(out.Items))
	for i, item := range out.Items {
		if blocks[i], err = decodeBlock(item); err != nil {
			return nil, false, err
		}
	}
	if !forward {
		slices.Reverse(blocks)
	}
	return blocks, len(out.LastEvaluatedKey) > 0, nil
}

func readError(err error) error {
	if dynamo.IsThrottled(err) {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return fmt.Errorf("read log: %w", err)
}
