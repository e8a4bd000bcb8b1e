package roomlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
)

// note returns the note with which a user deletes the message of a number.
func (tb *table) note(user string, seq int64) Entry {
	id := fmt.Sprintf("%c on %d", user[0], seq)
	return Entry{ID: id, Subject: user, Name: "name of " + user, Of: seq, At: tb.now()}
}

// delete deletes a message of alice as herself, and returns the number of the note.
func (tb *table) delete(t *testing.T, l *Log, seq int64) int64 {
	t.Helper()
	stored, err := l.Delete(t.Context(), lobby, tb.note("alice", seq), false)
	if err != nil || stored.Of != seq {
		t.Fatalf("delete of %d = %+v, %v", seq, stored, err)
	}
	return stored.Seq
}

// item returns the block of a number as the table has it.
func (tb *table) item(t *testing.T, seq int64) dynamo.Item {
	t.Helper()
	out, err := tb.client.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &tb.name, Key: blockKey(lobby, tb.blockOf(t, seq).first), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item
}

// element returns an entry as the table has it.
func (tb *table) element(t *testing.T, seq int64) dynamo.Item {
	t.Helper()
	item := tb.item(t, seq)
	list := item["e"].(*types.AttributeValueMemberL).Value
	return list[seq-tb.blockOf(t, seq).first].(*types.AttributeValueMemberM).Value
}

// spell returns a value of the table as one text.
func spell(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// names returns the names of the attributes of an entry, sorted.
func names(element dynamo.Item) string {
	var all []string
	for name := range element {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestDeleteLeavesATombstoneAndANote(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	seqs := tb.sendMany(t, l, "a", "b", "c")
	before := tb.item(t, seqs[1])
	tb.pass(time.Hour)
	if note := tb.delete(t, l, seqs[1]); note != seqs[2]+1 {
		t.Errorf("the note has the number %d, want %d", note, seqs[2]+1)
	}
	tb.expect(t, "0 a", "1 b", "2 c", fmt.Sprintf("3 a on %d", seqs[1]))
	tombstone := tb.element(t, seqs[1])
	if got := names(tombstone); got != "del id sub" || dynamo.TextOf(tombstone, "sub") != "alice" {
		t.Errorf("the tombstone has %s: %v", got, tombstone)
	}
	if del, _ := dynamo.NumberOf(tombstone, "del"); del != tb.now().UnixMilli() {
		t.Errorf("deleted at %d, want now", del)
	}
	if got := names(tb.element(t, seqs[2]+1)); got != "at id nm of sub" {
		t.Errorf("the note has %s", got)
	}
	size := tb.note("alice", seqs[1]).size()
	was, _ := dynamo.NumberOf(before, "b")
	if b, _ := dynamo.NumberOf(tb.item(t, seqs[1]), "b"); b != was+size {
		t.Errorf("%d bytes, want %d and %d for the note: the text counts on", b, was, size)
	}
	if stored := tb.place(t, l, l.Look(t.Context(), lobby, seqs[0]), tb.message("b"), true); stored != seqs[1] {
		t.Errorf("a resend has the number %d, want %d", stored, seqs[1])
	}
	page, err := l.Last(t.Context(), lobby, 4)
	if err != nil || !page.Entries[1].Deleted || page.Entries[1].Text+page.Entries[1].Name != "" ||
		page.Entries[3].Of != seqs[1] || page.Entries[3].Name != "name of alice" {
		t.Errorf("%+v, %v", page.Entries, err)
	}
}

func TestOnlyTheAuthorOrAModeratorDeletes(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	seq := tb.send(t, l, "a")
	for range 2 { // the second time there is a tombstone
		if _, err := l.Delete(t.Context(), lobby, tb.note("bob", seq), false); !errors.Is(err, ErrNotYours) {
			t.Errorf("another user: %v", err)
		}
		if stored, err := l.Delete(t.Context(), lobby, tb.note("mod", seq), true); err != nil || stored.Seq != seq+1 {
			t.Errorf("a moderator: %+v, %v", stored, err)
		}
	}
	if tombstone := tb.element(t, seq); dynamo.TextOf(tombstone, "sub") != "alice" {
		t.Errorf("the tombstone is %v, want one of alice", tombstone)
	}
	tb.expect(t, "0 a", fmt.Sprintf("1 m on %d", seq))
	// The author, too, gets a note: without it an author could not tell a success.
	tb.delete(t, l, seq)
	tb.expect(t, "0 a", fmt.Sprintf("1 m on %d", seq), fmt.Sprintf("2 a on %d", seq))
}

func TestOnlyMessagesAreDeleted(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(1, 0)
	old := tb.send(t, l, "old")
	tb.pass(12 * time.Hour)
	seq := tb.send(t, l, "a")
	note := tb.delete(t, l, seq)
	erasure := Entry{ID: "erasure", Erased: "hash", At: tb.now()}
	stored, _, err := l.Append(t.Context(), l.Look(t.Context(), lobby, NotKnown), erasure)
	if err != nil || names(tb.element(t, stored.Seq)) != "at era id" {
		t.Fatal(stored, err)
	}
	tb.pass(13 * time.Hour) // old has expired, in the block of the others
	before := spell(t, tb.item(t, seq))
	for name, number := range map[string]int64{
		"zero": 0, "in front of the log": old - 1, "behind the log": stored.Seq + 1, "expired": old, "a note": note,
		"a note about an erasure": stored.Seq, "far away": 1<<53 - 1,
	} {
		if _, err := l.Delete(t.Context(), lobby, tb.note("alice", number), true); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := l.Delete(t.Context(), "other", tb.note("alice", seq), true); !errors.Is(err, ErrNotFound) {
		t.Errorf("in another room: %v", err)
	}
	if _, err := tb.log(0, 0).Delete(t.Context(), lobby, tb.note("alice", seq), true); !errors.Is(err, ErrNotFound) {
		t.Errorf("without history: %v", err)
	}
	same(t, "block", before, spell(t, tb.item(t, seq)))
}

// A client repeats its frame when the answer is late. The second one changes nothing, not even the time.
func TestADeleteThatIsSentTwiceHappensOnce(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	seq := tb.send(t, l, "a")
	note := tb.delete(t, l, seq)
	before := spell(t, tb.item(t, seq))
	tb.pass(time.Second)
	if again := tb.delete(t, l, seq); again != note {
		t.Errorf("notes %d and %d", note, again)
	}
	same(t, "block", before, spell(t, tb.item(t, seq)))
}

// Beyond the blocks that a writer looks through, a repetition cannot find the note. A second one tells readers nothing
// new, and no number changes.
func TestASecondNoteIsHarmless(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	seq := tb.send(t, l, "a")
	first := tb.delete(t, l, seq)
	tb.fill(t, l, "m", (blocksNewest+1)*maxEntries)
	before := spell(t, tb.item(t, seq))
	if second := tb.delete(t, l, seq); second <= first || tb.element(t, second)["of"] == nil {
		t.Errorf("notes %d and %d", first, second)
	}
	same(t, "block", before, spell(t, tb.item(t, seq)))
	page, err := l.After(t.Context(), lobby, seq-1)
	expectPage(t, "from the message on", fmt.Sprintf("+0 to +%d of +%[1]d, complete", page.Head-seq), seq)(page, err)
}

// TestATombstoneExpiresWithItsNeighbours: one that lasted longer would show messages before it, and hide those behind.
func TestATombstoneExpiresWithItsNeighbours(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(1, 0)
	base := tb.send(t, l, "a")
	tb.pass(6 * time.Hour)
	tb.sendMany(t, l, "b", "c")
	tb.pass(6 * time.Hour)
	tb.delete(t, l, base)
	tb.delete(t, l, base+1)
	expectPage(t, "at first", "+0 to +4 of +4", base)(l.Last(t.Context(), lobby, 9))
	tb.pass(12 * time.Hour)
	expectPage(t, "after a day", "+0 to +4 of +4", base)(l.Last(t.Context(), lobby, 9))
	tb.pass(time.Second)
	expectPage(t, "when the block is a day old", "+2 to +4 of +4", base)(l.Last(t.Context(), lobby, 9))
	expectPage(t, "behind a, then", "+2 to +4 of +4", base)(l.After(t.Context(), lobby, base))
	if _, err := l.Delete(t.Context(), lobby, tb.note("alice", base), false); !errors.Is(err, ErrNotFound) {
		t.Errorf("again: %v", err)
	}
}
