package roomlog

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
)

const (
	maxBytes   = 1400 // from this size on a block is full
	maxEntries = 16
	entrySize  = 30 // of an entry without its texts, about

	day = 24 * time.Hour
	// newBlock is the age up to which a block is new: TTL cannot have deleted the block before it yet.
	newBlock = time.Minute
)

// block is one item of a log.
type block struct {
	first        int64 // number of its first entry
	entries      []Entry
	bytes        int64
	opened       time.Time
	keep         int64 // HistoryDays with which it was opened
	anew, sealed bool
	expiresAt    time.Time
}

// next returns the number behind the block.
func (b block) next() int64 { return b.first + int64(len(b.entries)) }

// last returns the number of the newest entry.
func (b block) last() int64 { return b.next() - 1 }

func (b block) closed() bool {
	return b.sealed || b.bytes >= maxBytes || len(b.entries) >= maxEntries
}

// stale reports whether TTL may soon delete the block, or may have deleted a newer one.
func (b block) stale(now time.Time) bool {
	return now.After(b.expiresAt.Add(-day)) // mutate:log-stale-own => return now.After(b.opened.Add(8 * day))
}

// find returns the entry with an id.
func (b block) find(id string) (Entry, bool) {
	for _, e := range b.entries {
		if e.ID == id {
			return e, true
		}
	}
	return Entry{}, false
}

// incomplete reports whether an answer with these neighbours is incomplete: a block is missing between them, and newer
// is so new that the missing block must exist.
func incomplete(older, newer block, now time.Time) bool {
	return newer.first != older.next() &&
		!newer.anew && // mutate:log-anew
		now.Sub(newer.opened) <= newBlock // mutate:log-deleted-block
}

func partition(room string) string { return "LOG#" + room }

func blockKey(room string, first int64) dynamo.Item {
	return dynamo.Item{"pk": dynamo.Text(partition(room)), "sk": dynamo.Text(pad(first))}
}

func startKey(room string) dynamo.Item {
	return dynamo.Item{"pk": dynamo.Text("LOGS"), "sk": dynamo.Text(room)}
}

// pad returns a number so that texts sort as numbers do.
func pad(n int64) string { return fmt.Sprintf("%016d", max(n, 0)) }

func (e Entry) size() int64 {
	return int64(len(e.Text) + len(e.Name) + len(e.Subject) + 2*len(e.ID) + entrySize)
}

// isMessage reports whether the entry is a message that has its text.
func (e Entry) isMessage() bool { return !e.Deleted && e.Of == 0 && e.Erased == "" }

// value returns an entry as an element of e.
func (e Entry) value() types.AttributeValue {
	value, at := dynamo.Item{"id": dynamo.Text(e.ID)}, dynamo.Number(e.At.UnixMilli())
	if e.Subject != "" {
		value["sub"] = dynamo.Text(e.Subject)
	}
	switch {
	case e.Deleted:
		value["del"] = at
	case e.Erased != "":
		value["era"], value["at"] = dynamo.Text(e.Erased), at
	case e.Of != 0:
		value["nm"], value["of"], value["at"] = dynamo.Text(e.Name), dynamo.Number(e.Of), at
	default:
		value["nm"], value["x"], value["at"] = dynamo.Text(e.Name), dynamo.Text(e.Text), at
	}
	return &types.AttributeValueMemberM{Value: value}
}

// decodeBlock reads an item of a log. An item without an attribute that every block has is a fault.
func decodeBlock(from dynamo.Item) (block, error) {
	key := dynamo.TextOf(from, "sk")
	first, err := strconv.ParseInt(key, 10, 64)
	list, isList := from["e"].(*types.AttributeValueMemberL)
	bytes, hasBytes := dynamo.NumberOf(from, "b")
	opened, hasOpened := dynamo.NumberOf(from, "t")
	keep, hasKeep := dynamo.NumberOf(from, "keep")
	expiresAt, hasEnd := dynamo.NumberOf(from, "expiresAt")
	if err != nil || !isList || len(list.Value) == 0 || !hasBytes || !hasOpened || !hasKeep || !hasEnd {
		return block{}, fmt.Errorf("block %q of a log is incomplete", key)
	}
	_, anew := dynamo.NumberOf(from, "anew")
	_, sealed := dynamo.NumberOf(from, "sealed")
	b := block{
		first: first, entries: make([]Entry, len(list.Value)), bytes: bytes, opened: time.UnixMilli(opened), keep: keep,
		anew: anew, sealed: sealed, expiresAt: time.Unix(expiresAt, 0),
	}
	earlier := b.opened
	for i, element := range list.Value {
		entry, ok := element.(*types.AttributeValueMemberM)
		if !ok {
			return block{}, fmt.Errorf("block %q of a log holds something else than maps", key)
		}
		e := decodeEntry(first+int64(i), entry.Value)
		if e.Deleted { // mutate:log-tombstone-expires
			e.At = earlier
		}
		b.entries[i], earlier = e, e.At
	}
	return b, nil
}

func decodeEntry(seq int64, from dynamo.Item) Entry {
	at, _ := dynamo.NumberOf(from, "at")
	_, deleted := dynamo.NumberOf(from, "del")
	of, _ := dynamo.NumberOf(from, "of")
	return Entry{
		Seq: seq, ID: dynamo.TextOf(from, "id"), Subject: dynamo.TextOf(from, "sub"), Name: dynamo.TextOf(from, "nm"),
		Text: dynamo.TextOf(from, "x"), At: time.UnixMilli(at), Deleted: deleted, Of: of,
		Erased: dynamo.TextOf(from, "era"),
	}
}
