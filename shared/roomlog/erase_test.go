package roomlog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// erase does steps of the erasure of alice, each for the whole log, and returns the sum of the last one.
func (tb *table) erase(t *testing.T, l *Log, steps ...Step) (total Erased) {
	t.Helper()
	for _, step := range steps {
		total = Erased{}
		for page, more := (Erased{}), true; more; more = page.More {
			var err error
			if page, err = l.Erase(t.Context(), lobby, "alice", page.Next, step); err != nil {
				t.Fatal(err)
			}
			total.Messages, total.Entries = total.Messages+page.Messages, total.Entries+page.Entries
		}
	}
	return total
}

// expectErased fails the test when a step found another number of messages or entries.
func expectErased(t *testing.T, what string, got Erased, messages, entries int) {
	t.Helper()
	if got.Messages != messages || got.Entries != entries {
		t.Errorf("%s: %d messages and %d entries, want %d and %d", what, got.Messages, got.Entries, messages, entries)
	}
}

// sendAs appends a message of a user whose text and name have the user's id in them.
func (tb *table) sendAs(t *testing.T, l *Log, user, id string) int64 {
	t.Helper()
	e := Entry{ID: id, Subject: user, Name: "name of " + user, Text: "text of " + user, At: tb.now()}
	return tb.place(t, l, l.Look(t.Context(), lobby, NotKnown), e, false)
}

func TestAnErasedUserIsInNoItem(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	old := tb.sendAs(t, l, "alice", "old")
	tb.pass(8 * day) // expired, and still in the table
	first := tb.sendAs(t, l, "alice", "m0")
	for i := range 2 * maxEntries {
		tb.sendAs(t, l, []string{"bob", "alice", "mod"}[i%3], fmt.Sprint("m", i+1))
	}
	tb.delete(t, l, first)                                                                   // with a note
	if _, err := l.Delete(t.Context(), lobby, tb.note("alice", first+1), true); err != nil { // of bob, by alice
		t.Fatal(err)
	}
	before, all := tb.blocks(t), tb.dump(t)
	// 12 messages, of which one is deleted, the expired one, and two notes
	expectErased(t, "counted", tb.erase(t, l, Count), 12, 15)
	same(t, "table", all, tb.dump(t))
	expectErased(t, "texts", tb.erase(t, l, RemoveTexts), 12, 15)
	expectErased(t, "names", tb.erase(t, l, RemoveNames), 0, 15)
	expectErased(t, "left", tb.erase(t, l, Count), 0, 0)
	if all = tb.dump(t); strings.Contains(all, "alice") || !strings.Contains(all, "text of bob") {
		t.Errorf("the table holds %s", all)
	}
	for seq, want := range map[int64]string{old: "del id", first: "del id", first + 2: "del id"} {
		if got := names(tb.element(t, seq)); got != want {
			t.Errorf("entry +%d has %s, want %s", seq-first, got, want)
		}
	}
	for i, b := range tb.blocks(t) {
		for n, e := range b.entries {
			was := before[i].entries[n]
			if e.Seq != was.Seq || e.ID != was.ID || e.Of != was.Of || was.Subject != "alice" && e != was {
				t.Errorf("%+v became %+v", was, e)
			}
		}
	}
}

// dump returns all items of the table as one text.
func (tb *table) dump(t *testing.T) string {
	t.Helper()
	out, err := tb.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &tb.name})
	if err != nil {
		t.Fatal(err)
	}
	return spell(t, out.Items)
}

// TestAnErasureThatEndedEarlyIsFoundAgain: only RemoveNames, which follows the note, takes the user's id away.
func TestAnErasureThatEndedEarlyIsFoundAgain(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	tb.sendMany(t, l, "a", "b")
	tb.erase(t, l, RemoveTexts)
	expectErased(t, "counted", tb.erase(t, l, Count), 0, 2)
	if all := tb.dump(t); strings.Contains(all, "text of") {
		t.Errorf("the table holds %s", all)
	}
}

func TestALongLogIsReadPageByPage(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(365, 0)
	tb.putBlocks(t, blocksPerErasure+3)
	page, err := l.Erase(t.Context(), lobby, "a", 0, Count)
	expectErased(t, "the first page", page, blocksPerErasure, blocksPerErasure)
	if err != nil || !page.More || page.Next != epoch.UnixMilli()+blocksPerErasure-1 {
		t.Errorf("%+v, %v", page, err)
	}
	page, err = l.Erase(t.Context(), lobby, "a", page.Next, Count)
	expectErased(t, "the second", page, 3, 3)
	if err != nil || page.More {
		t.Errorf("%+v, %v", page, err)
	}
}

// Each step reads with one Query, and then writes each block.
func TestEraseAgreesWithWhatHappensMeanwhile(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		do   func(*testing.T, *table, int64)
		want []string
	}{
		"a message is appended": {
			func(t *testing.T, tb *table, _ int64) { tb.sendAs(t, tb.log(7, 0), "bob", "late") },
			[]string{"del id sub", "at id nm sub x"},
		},
		"the author deletes the message": {
			func(t *testing.T, tb *table, seq int64) { tb.delete(t, tb.log(7, 0), seq) },
			[]string{"del id sub", "at id nm of sub"},
		},
		"TTL deletes the block": {func(t *testing.T, tb *table, seq int64) { tb.remove(t, seq) }, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			seq := tb.send(t, tb.log(7, 0), "a")
			api := &script{API: tb.client, before: map[int]func(){2: func() { test.do(t, tb, seq) }}}
			tb.erase(t, tb.logOver(api, 7, 0), RemoveTexts)
			var got []string
			for _, b := range tb.blocks(t) {
				for _, e := range b.entries {
					got = append(got, names(tb.element(t, e.Seq)))
				}
			}
			same(t, "entries", test.want, got)
		})
	}
}

func TestRoomsAreListedByName(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	for _, room := range []string{"news", "lobby", "ops"} {
		if _, _, err := l.Append(t.Context(), l.Look(t.Context(), room, NotKnown), tb.message("a")); err != nil {
			t.Fatal(err)
		}
	}
	for after, want := range map[string]string{"": "lobby", "lobby": "news", "m": "news", "news": "ops", "ops": ""} {
		if room, err := l.NextRoom(t.Context(), after); err != nil || room != want {
			t.Errorf("behind %q comes %q, %v; want %q", after, room, err, want)
		}
	}
}
