package roomlog

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
)

func TestMessagesGetConsecutiveNumbersFromTheTimeOn(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	seqs := tb.sendMany(t, tb.log(7, 0), "a", "b", "c")
	same(t, "numbers", []int64{epoch.UnixMilli(), epoch.UnixMilli() + 1, epoch.UnixMilli() + 2}, seqs)
}

// The items are the contract between versions of the functions, and with operators' tools.
func TestItemsAreAsDocumented(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	tb.send(t, l, "a")
	tb.pass(time.Hour)
	tb.send(t, l, "b")
	out, err := tb.client.GetItem(t.Context(),
		&dynamodb.GetItemInput{TableName: &tb.name, Key: blockKey(lobby, epoch.UnixMilli())})
	if err != nil {
		t.Fatal(err)
	}
	entry := func(id, at string) string {
		return "map[at:" + at + " id:" + id + " nm:Alice Ä sub:alice x:text of " + id + "]"
	}
	want := map[string]string{
		"pk": "LOG#lobby", "sk": "0001777896000000",
		"e":   "[" + entry("a", "1777896000000") + " " + entry("b", "1777899600000") + "]",
		"ids": "[a b]", "b": "108", "t": "1777896000000", "keep": "7", "anew": "1",
		"expiresAt": fmt.Sprint(epoch.Add(time.Hour + 9*24*time.Hour).Unix()),
	}
	got := map[string]string{}
	for name, value := range out.Item {
		got[name] = fmt.Sprint(plain(value))
	}
	same(t, "block", want, got)
	start, err := l.start(t.Context(), lobby)
	if err != nil || start == nil || *start != epoch.UnixMilli() {
		t.Errorf("LOGS has %v, %v", start, err)
	}
	if got := pad(-5); got != "0000000000000000" {
		t.Errorf("a negative number is %q in a key", got)
	}
}

func plain(value types.AttributeValue) any {
	switch value := value.(type) {
	case *types.AttributeValueMemberS:
		return value.Value
	case *types.AttributeValueMemberN:
		return value.Value
	case *types.AttributeValueMemberSS:
		return value.Value
	case *types.AttributeValueMemberL:
		var list []any
		for _, element := range value.Value {
			list = append(list, plain(element))
		}
		return list
	case *types.AttributeValueMemberM:
		entries := map[string]any{}
		for name, value := range value.Value {
			entries[name] = plain(value)
		}
		return entries
	}
	return fmt.Sprintf("%T", value)
}

func TestHistoryOffStoresNothing(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.logOver(nil, 0, 0) // any call would panic
	if _, _, err := l.Append(t.Context(), l.Look(t.Context(), lobby, 0), tb.message("a")); !errors.Is(err, ErrOff) {
		t.Errorf("append: %v", err)
	}
	for name, read := range reads(t, l) {
		if page, err := read(); err != nil || page.Head != 0 || len(page.Entries) > 0 {
			t.Errorf("%s = %+v, %v", name, page, err)
		}
	}
	tb.expect(t)
}

func TestABlockTakesEntriesUntilItIsFull(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		text string
		want int // entries in the first of the blocks
	}{
		{"short texts", "x", maxEntries},
		{"long texts", strings.Repeat("x", 500), 3},
		{"a text longer than a block", strings.Repeat("é", 2000), 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			l := tb.log(7, 0)
			for i := range test.want + 1 {
				e := Entry{ID: fmt.Sprint(i), Subject: "a", Text: test.text, At: epoch}
				seq := tb.place(t, l, l.Look(t.Context(), lobby, NotKnown), e, false)
				if seq != epoch.UnixMilli()+int64(i) {
					t.Errorf("message %d has the number %d", i, seq)
				}
			}
			blocks := tb.blocks(t)
			if len(blocks) != 2 || len(blocks[0].entries) != test.want || len(blocks[1].entries) != 1 {
				t.Errorf("%d blocks, the first with %d entries", len(blocks), len(blocks[0].entries))
			}
		})
	}
}

// Both writers looked when the block had one place left.
func TestAFullBlockTakesNoMore(t *testing.T) {
	t.Parallel()
	t.Run("entries", func(t *testing.T) {
		t.Parallel()
		tb := newTable(t)
		l := tb.log(7, 0)
		tb.fill(t, l, "m", maxEntries-1)
		look := l.Look(t.Context(), lobby, NotKnown)
		last := tb.sendShort(t, l, "last")
		if seq := tb.sendSeen(t, l, look, "late"); seq != last+1 || tb.blockOf(t, seq).first != seq {
			t.Errorf("number %d, the one before is %d", seq, last)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		t.Parallel()
		tb := newTable(t)
		l := tb.log(7, 0)
		first := tb.send(t, l, "a")
		look := l.Look(t.Context(), lobby, NotKnown)
		e := tb.message("long")
		e.Text = strings.Repeat("x", maxBytes)
		tb.place(t, l, look, e, false)
		if seq := tb.sendSeen(t, l, look, "late"); seq != first+2 || tb.blockOf(t, seq).first != seq {
			t.Errorf("number %d, the first is %d", seq, first)
		}
	})
}

func TestAResendKeepsItsNumber(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	before := tb.send(t, l, "before")
	seq := tb.send(t, l, "a")
	tb.fill(t, l, "m", 2*maxEntries) // the message is in a block that takes no more
	e := tb.message("a")
	e.Text, e.Name = "another text", "Another Name"
	want := tb.message("a")
	want.Seq = seq
	for name, after := range map[string]int64{
		"its position": before, "an empty room": 0, "not known": NotKnown, "its own number": seq,
	} {
		stored, duplicate, err := l.Append(t.Context(), l.Look(t.Context(), lobby, after), e)
		if err != nil || !duplicate || stored.Seq != want.Seq || stored.Text != want.Text || stored.Name != want.Name {
			t.Errorf("%s: %+v, duplicate %t, %v", name, stored, duplicate, err)
		}
	}
}

func TestAResendOfAnExpiredMessageHasNoText(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(1, 0)
	seq := tb.send(t, l, "a")
	tb.pass(47 * time.Hour) // the table has it for longer
	stored, duplicate, err := l.Append(t.Context(), l.Look(t.Context(), lobby, 0), tb.message("a"))
	if err != nil || !duplicate || stored.Seq != seq || stored.Text != "" || !stored.Deleted {
		t.Errorf("%+v, duplicate %t, %v; want a tombstone", stored, duplicate, err)
	}
}

// Deletion and erasure write these tombstones (docs/decisions).
func TestAResendAfterItsDeletionFindsTheTombstone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"delete", "erase"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			l := tb.log(7, 0)
			first := tb.sendMany(t, l, "before", "a")[0]
			value := dynamo.Item{"id": dynamo.Text("a"), "del": dynamo.Number(1)}
			if name == "delete" {
				value["sub"] = dynamo.Text("alice")
			}
			_, err := tb.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
				TableName: &tb.name, Key: blockKey(lobby, first), UpdateExpression: aws.String("SET e[1] = :tombstone"),
				ExpressionAttributeValues: dynamo.Item{":tombstone": &types.AttributeValueMemberM{Value: value}},
			})
			if err != nil {
				t.Fatal(err)
			}
			stored, duplicate, err := l.Append(t.Context(), l.Look(t.Context(), lobby, first), tb.message("a"))
			if err != nil || !duplicate || !stored.Deleted || stored.Text != "" || stored.Seq != first+1 {
				t.Errorf("%+v, duplicate %t, %v", stored, duplicate, err)
			}
		})
	}
}

// Two invocations for one message have looked before either wrote.
func TestTwinsGetOneNumber(t *testing.T) {
	t.Parallel()
	for name, entries := range map[string]int{"in a block that takes more": 1, "in a block that is full then": 15} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			l := tb.log(7, 0)
			last := tb.fill(t, l, "m", entries)
			look := l.Look(t.Context(), lobby, last)
			seq := tb.place(t, l, look, short(tb, "twin"), false)
			if again := tb.place(t, l, look, short(tb, "twin"), true); again != seq {
				t.Errorf("numbers %d and %d", seq, again)
			}
			if blocks := tb.blocks(t); len(blocks) != 1 {
				t.Errorf("%d blocks", len(blocks))
			}
		})
	}
}

func TestAMessageWithAnImpossiblePositionIsRefused(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	first := tb.send(t, l, "first")
	try := func(after int64) error {
		_, _, err := l.Append(t.Context(), l.Look(t.Context(), lobby, after), tb.message("a"))
		return err
	}
	if err := try(epoch.Add(time.Minute).UnixMilli() + 1); !errors.Is(err, ErrAhead) {
		t.Errorf("from the future: %v", err)
	}
	e := tb.message("")
	e.Text = strings.Repeat("x", maxBytes)
	for i := range blocksBehind + 1 {
		e.ID = fmt.Sprint("long", i)
		tb.place(t, l, l.Look(t.Context(), lobby, NotKnown), e, false)
	}
	if err := try(first); !errors.Is(err, ErrFarBehind) {
		t.Errorf("from %d blocks ago: %v", blocksBehind, err)
	}
	if err := try(epoch.Add(time.Minute).UnixMilli()); err != nil {
		t.Errorf("within a minute: %v", err)
	}
}

// TestExpiredMessagesPutNoSenderFarBehind: for its readers the room is empty, so a sender has seen it up to 0.
func TestExpiredMessagesPutNoSenderFarBehind(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	tb.putBlocks(t, blocksBehind+1)
	tb.pass(7*day + time.Second)
	l := tb.log(7, 0)
	expectPage(t, "an empty room", "none of 0, complete", 0)(l.After(t.Context(), lobby, 0))
	e := short(tb, "a")
	first := tb.place(t, l, l.Look(t.Context(), lobby, 0), e, false)
	if again := tb.place(t, l, l.Look(t.Context(), lobby, first-1), e, true); again != first {
		t.Errorf("sent again as %d, want %d", again, first)
	}
	_, _, err := l.Append(t.Context(), l.Look(t.Context(), lobby, 0), short(tb, "b"))
	if !errors.Is(err, ErrFarBehind) {
		t.Errorf("from the empty room, when there is a message: %v", err)
	}
}

// TestAnAnswerWithoutItsFirstBlockIsAskedForAgain: no block of the answer is in front of the missing one.
func TestAnAnswerWithoutItsFirstBlockIsAskedForAgain(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	base := epoch.UnixMilli()
	tb.fill(t, tb.log(7, 0), "m", maxEntries+8)
	l := func() *Log {
		return tb.logOver(&script{API: tb.client, answer: map[int]func(*dynamodb.QueryOutput){1: without(base)}}, 7, 0)
	}
	expectPage(t, "after", "+0 to +23 of +23, complete", base)(l().After(t.Context(), lobby, 0))
	writer := l()
	if seq := tb.place(t, writer, writer.Look(t.Context(), lobby, 0), short(tb, "m3"), true); seq != base+3 {
		t.Errorf("sent again as +%d, want +3", seq-base)
	}
}
