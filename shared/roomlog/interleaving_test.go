package roomlog

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Each test here plays one interleaving of two writers, or of a writer and TTL. Without its protection in
// tools/mutate/protections.yaml, two messages get one number, a number is lost, or one message gets two numbers.

// The second writer's clock is 5 ms ahead, so that it would begin a chain of its own.
func TestTwoFirstMessagesBeginOneLog(t *testing.T) {
	t.Parallel()
	for _, earlier := range []string{"no log", "a log that is gone"} {
		for call := 1; call <= 4; call++ { // Query; GetItem, Query, TransactWriteItems
			t.Run(fmt.Sprintf("%s, before call %d", earlier, call), func(t *testing.T) {
				t.Parallel()
				tb := newTable(t)
				if earlier != "no log" {
					tb.remove(t, tb.send(t, tb.log(7, 0), "old"))
					tb.pass(time.Hour)
				}
				tb.meet(t, call, tb.log(7, 0), 7, 5*time.Millisecond)
				tb.expect(t, "0 first", "1 second")
			})
		}
	}
}

// A log is continued each day in a block of its own, which only begin opens.
func TestTwoWritersContinueALogOnce(t *testing.T) {
	t.Parallel()
	for call := 1; call <= 5; call++ { // Query, UpdateItem; GetItem, Query, TransactWriteItems
		t.Run(fmt.Sprint("before call ", call), func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			tb.send(t, tb.log(7, 0), "old")
			tb.pass(day + time.Hour)
			tb.meet(t, call, tb.log(7, 0), 7, 5*time.Millisecond)
			tb.expect(t, "0 old", "1 first", "2 second")
		})
	}
}

// meet lets first append a message before the given call of a second writer.
func (tb *table) meet(t *testing.T, call int, first *Log, days int, skew time.Duration) {
	t.Helper()
	api := &script{API: tb.client}
	api.before = map[int]func(){call: func() { tb.send(t, first, "first") }}
	tb.send(t, tb.logOver(api, days, skew), "second")
	if api.calls < call {
		t.Errorf("the second writer made %d calls: %v", api.calls, api.names)
	}
}

// One clock says that the block's day is over, the other one says that it is not.
func TestASealedBlockTakesNoMore(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	tb.send(t, tb.log(7, 0), "old")
	tb.pass(day)
	slow := tb.log(7, -2*time.Second)
	look := slow.Look(t.Context(), lobby, NotKnown)
	tb.send(t, tb.log(7, 0), "fast")
	tb.sendSeen(t, slow, look, "slow")
	tb.expect(t, "0 old", "1 fast", "2 slow")
}

func TestTheSealShowsAMessageThatCameBefore(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	tb.send(t, tb.log(7, 0), "old")
	tb.pass(day)
	l := tb.log(7, 0)
	look := l.Look(t.Context(), lobby, NotKnown)
	seq := tb.send(t, tb.log(7, -2*time.Second), "twin")
	if again := tb.place(t, l, look, tb.message("twin"), true); again != seq {
		t.Errorf("numbers %d and %d", seq, again)
	}
	tb.expect(t, "0 old", "1 twin")
}

// The slow writer opens the block that the other one is about to begin.
func TestBeginReplacesNoBlock(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	tb.fill(t, tb.log(7, 0), "m", maxEntries)
	tb.pass(day)
	tb.meet(t, 4, tb.log(7, -2*time.Second), 7, 0)
	blocks := tb.blocks(t)
	if len(blocks) != 2 || len(blocks[1].entries) != 2 || blocks[1].entries[0].ID != "first" {
		t.Errorf("blocks: %+v", blocks)
	}
}

// A block would otherwise keep an expired message for as long as somebody writes into it.
func TestEachDayHasABlockOfItsOwn(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	for n := range 3 {
		tb.send(t, l, fmt.Sprint("day ", n))
		tb.pass(day)
	}
	if blocks := tb.blocks(t); len(blocks) != 3 {
		t.Errorf("%d blocks", len(blocks))
	}
	tb.expect(t, "0 day 0", "1 day 1", "2 day 2")
}

func TestADeletedTailIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	for name, age := range map[string]time.Duration{"to append to": time.Hour, "to seal": day + time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			l := tb.log(7, 0)
			last := tb.sendMany(t, l, "a", "b")[1]
			tb.pass(age)
			look := l.Look(t.Context(), lobby, NotKnown)
			tb.remove(t, last)
			if seq := tb.sendSeen(t, l, look, "c"); seq != tb.now().UnixMilli() {
				t.Errorf("number %d, want the time", seq)
			}
			tb.expect(t, "0 c")
		})
	}
}

// The newest block was opened on the day of the one before, which is still there. HistoryDays may have been raised.
func TestNothingContinuesAStaleTail(t *testing.T) {
	t.Parallel()
	for _, days := range []int{1, 7} {
		t.Run(fmt.Sprint(days, " days"), func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			tb.fill(t, tb.log(1, 0), "m", maxEntries+1)
			tb.pass(3*day + time.Second)
			tb.remove(t, tb.blocks(t)[1].last())
			if seq := tb.send(t, tb.log(days, 0), "new"); seq != tb.now().UnixMilli() {
				t.Errorf("number %d, want the time", seq)
			}
		})
	}
}

func TestALogThatIsGoneBeginsAboveAllItsNumbers(t *testing.T) {
	t.Parallel()
	for name, skew := range map[string]time.Duration{"with the same clock": 0, "with a slow clock": -time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			seqs := tb.sendMany(t, tb.log(7, 0), "a", "b", "c")
			tb.remove(t, seqs[0])
			tb.pass(time.Second)
			seq := tb.send(t, tb.log(7, skew), "d")
			if want := seqs[0] + 1; skew < 0 && seq != want {
				t.Errorf("number %d, want %d: a clock does not go back", seq, want)
			}
			if skew == 0 && seq != tb.now().UnixMilli() {
				t.Errorf("number %d, want the time", seq)
			}
		})
	}
}

// HistoryDays changes, and TTL deletes the newest block first.
func TestNumbersSurviveChangesOfHistoryDays(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		days []int         // of the writers one after the other, an hour apart
		then time.Duration // passes until the newest block is deleted
		last int           // days of the writer after that
	}{
		{"raise", []int{1, 7}, 9 * day, 7},
		{"lower", []int{7, 1}, 3 * day, 1},
		{"lower, then raise", []int{7, 1}, 3 * day, 7},
		{"lower, then raise higher", []int{7, 1}, 3 * day, 30},
		{"raise, then lower", []int{1, 7}, 9 * day, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			var seqs []int64
			for i, days := range test.days {
				seqs = append(seqs, tb.send(t, tb.log(days, 0), fmt.Sprint("m", i)))
				tb.pass(time.Hour)
			}
			if blocks := tb.blocks(t); len(blocks) != 2 || blocks[1].keep != int64(test.days[1]) {
				t.Fatalf("blocks %+v", blocks)
			}
			tb.pass(test.then)
			tb.remove(t, seqs[1])
			if seq := tb.send(t, tb.log(test.last, 0), "new"); seq != tb.now().UnixMilli() {
				t.Errorf("number %d, want the time; before: %d", seq, seqs)
			}
		})
	}
}

// During an update writers of two values run at the same time.
func TestABlockKeepsItsHistoryDays(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	before, after := tb.log(7, 0), tb.log(1, 0)
	tb.send(t, before, "a")
	early := before.Look(t.Context(), lobby, NotKnown)
	tb.send(t, after, "b")
	second := after.Look(t.Context(), lobby, NotKnown)
	tb.sendSeen(t, before, early, "c")
	tb.sendSeen(t, after, second, "d")
	tb.expect(t, "0 a", "1 b", "2 c", "3 d")
	var keep []int64
	for _, b := range tb.blocks(t) {
		keep = append(keep, b.keep)
		if want := tb.now().Add(time.Duration(b.keep+2) * day); b.expiresAt.Before(want) {
			t.Errorf("a block for %d days ends at %s", b.keep, b.expiresAt)
		}
	}
	same(t, "days", []int64{7, 1, 7, 1}, keep)
}

// The sender's position is in the newest block, which TTL has deleted before the older one.
func TestAPositionInADeletedBlockIsLookedForFromTheEnd(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	tb.fill(t, l, "m", 3*maxEntries)
	position := tb.blocks(t)[2].last()
	tb.pass(9 * day)
	tb.remove(t, position)
	tb.remove(t, position-maxEntries)
	page, err := l.After(t.Context(), lobby, position)
	expectPage(t, "the reader", "none of 0", 0)(page, err)
	seq := tb.place(t, l, l.Look(t.Context(), lobby, position), tb.message("new"), false)
	if seq != tb.now().UnixMilli() {
		t.Errorf("number %d, want the time", seq)
	}
	page, err = l.After(t.Context(), lobby, seq+20)
	expectPage(t, "a reader from elsewhere", "none of +0", seq)(page, err)
}

// The twin is in the block that is missing from the answer.
func TestAWriterDoesNotTrustAnIncompleteAnswer(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	first := tb.fill(t, l, "m", maxEntries)
	twin := tb.sendShort(t, l, "twin")
	tb.fill(t, l, "n", maxEntries)
	api := &script{API: tb.client}
	l = tb.logOver(api, 7, 0)
	api.answer = map[int]func(*dynamodb.QueryOutput){1: without(twin)}
	if again := tb.place(t, l, l.Look(t.Context(), lobby, first), short(tb, "twin"), true); again != twin {
		t.Errorf("numbers %d and %d", twin, again)
	}
}

// TTL has deleted the missing block, so its numbers are not given again.
func TestAWriterDoesNotFillADeletedBlock(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	first := tb.fill(t, l, "m", maxEntries)
	tb.fill(t, l, "n", maxEntries)
	last := tb.fill(t, l, "o", 3)
	tb.pass(2 * time.Minute)
	tb.remove(t, first+1)
	if seq := tb.sendShort(t, l, "new"); seq != last+1 {
		t.Errorf("number %d, the last is %d", seq, last)
	}
}

func TestAnAnswerIsCompleteWhereTheLogBeganAnew(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(1, 0)
	tb.send(t, l, "old")
	tb.pass(3 * day) // TTL is late
	seqs := tb.sendMany(t, l, "a", "b")
	if !slices.Equal(seqs, []int64{tb.now().UnixMilli(), tb.now().UnixMilli() + 1}) {
		t.Errorf("numbers %d", seqs)
	}
	expectPage(t, "after the old one", "+0 to +1 of +1", seqs[0])(l.After(t.Context(), lobby, epoch.UnixMilli()))
}
