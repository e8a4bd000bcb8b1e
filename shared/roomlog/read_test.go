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

// reads returns a read of each kind.
func reads(t *testing.T, l *Log) map[string]func() (Page, error) {
	t.Helper()
	return map[string]func() (Page, error){
		"after":  func() (Page, error) { return l.After(t.Context(), lobby, 0) },
		"before": func() (Page, error) { return l.Before(t.Context(), lobby, epoch.Add(24*time.Hour).UnixMilli(), 50) },
		"last":   func() (Page, error) { return l.Last(t.Context(), lobby, 50) },
	}
}

// show is a page as "first to last of head, flags", with numbers relative to base.
func show(p Page, base int64) string {
	var text strings.Builder
	relative := func(seq int64) string {
		if seq == 0 {
			return "0"
		}
		return fmt.Sprintf("+%d", seq-base)
	}
	if len(p.Entries) > 0 {
		text.WriteString(relative(p.Entries[0].Seq) + " to " + relative(p.Entries[len(p.Entries)-1].Seq))
	} else {
		text.WriteString("none")
	}
	text.WriteString(" of " + relative(p.Head))
	if p.Complete {
		text.WriteString(", complete")
	}
	if p.More {
		text.WriteString(", more")
	}
	return text.String()
}

func expectPage(t *testing.T, what, want string, base int64) func(Page, error) {
	t.Helper()
	return func(p Page, err error) {
		t.Helper()
		if got := show(p, base); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", what, got, err, want)
		}
		for i, e := range p.Entries {
			if e.Seq != p.Entries[0].Seq+int64(i) {
				t.Errorf("%s: a jump to %d", what, e.Seq)
			}
		}
	}
}

func TestPagesOfALog(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	expectPage(t, "an empty room", "none of 0, complete", 0)(l.After(t.Context(), lobby, 0))
	expectPage(t, "an empty room that had messages", "none of 0", 0)(l.After(t.Context(), lobby, 7))
	expectPage(t, "the last of an empty room", "none of 0", 0)(l.Last(t.Context(), lobby, 50))
	base := epoch.UnixMilli()
	tb.fill(t, l, "m", 100)
	after := func(what string, n int64, want string) {
		t.Helper()
		expectPage(t, what, want, base)(l.After(t.Context(), lobby, base+n))
	}
	expectPage(t, "from an empty room", "+0 to +99 of +99, complete", base)(l.After(t.Context(), lobby, 0))
	after("up to date", 99, "none of +99, complete")
	after("one behind", 98, "+99 to +99 of +99, complete")
	after("in the middle of a block", 37, "+38 to +99 of +99, complete")
	after("in front of the log", -5, "+0 to +99 of +99")
	after("above the log", 150, "none of +99")
	if _, err := l.After(t.Context(), lobby, base+time.Hour.Milliseconds()); !errors.Is(err, ErrAhead) {
		t.Errorf("from the future: %v", err)
	}
	expectPage(t, "the last 10", "+90 to +99 of +99, more", base)(l.Last(t.Context(), lobby, 10))
	expectPage(t, "the last 100", "+0 to +99 of +99", base)(l.Last(t.Context(), lobby, 100))
	expectPage(t, "10 before", "+80 to +89 of +99, more", base)(l.Before(t.Context(), lobby, base+90, 10))
	expectPage(t, "the beginning", "+0 to +4 of +99", base)(l.Before(t.Context(), lobby, base+5, 10))
	expectPage(t, "before the beginning", "none of +99", base)(l.Before(t.Context(), lobby, base, 10))
	last, err := l.Last(t.Context(), lobby, 1)
	if err != nil || len(last.Entries) != 1 {
		t.Fatal(last, err)
	}
	want := short(tb, "m99")
	want.Seq, want.At = base+99, last.Entries[0].At
	same(t, "entry", want, last.Entries[0])
	if !last.Entries[0].At.Equal(epoch) {
		t.Errorf("at = %s", last.Entries[0].At)
	}
}

func TestLongPagesEndWithTheirBlocks(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	base := epoch.UnixMilli()
	e := tb.message("")
	e.Text = strings.Repeat("x", maxBytes)
	for i := range blocksPerPage + 3 {
		e.ID = fmt.Sprint(i)
		tb.place(t, l, l.Look(t.Context(), lobby, NotKnown), e, false)
	}
	expectPage(t, "after", "+0 to +21 of +24, complete, more", base)(l.After(t.Context(), lobby, 0))
	expectPage(t, "the next", "+22 to +24 of +24, complete", base)(l.After(t.Context(), lobby, base+21))
	expectPage(t, "last", "+14 to +24 of +24, more", base)(l.Last(t.Context(), lobby, 50))
	expectPage(t, "before", "+3 to +13 of +24, more", base)(l.Before(t.Context(), lobby, base+14, 50))
}

func TestExpiredMessagesAreNotAnsweredWhileTheTableHasThem(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(1, 0)
	base := tb.send(t, l, "a")
	tb.pass(12 * time.Hour)
	tb.sendMany(t, l, "b", "c")
	tb.pass(13 * time.Hour) // a has expired, in the block of the others
	expectPage(t, "after a", "+1 to +2 of +2, complete", base)(l.After(t.Context(), lobby, base))
	expectPage(t, "after the one before", "+1 to +2 of +2", base)(l.After(t.Context(), lobby, base-1))
	expectPage(t, "from an empty room", "+1 to +2 of +2, complete", base)(l.After(t.Context(), lobby, 0))
	expectPage(t, "last", "+1 to +2 of +2", base)(l.Last(t.Context(), lobby, 50))
	expectPage(t, "before", "+1 to +1 of +2", base)(l.Before(t.Context(), lobby, base+2, 50))
	tb.pass(12 * time.Hour) // all have
	expectPage(t, "after a, later", "none of 0", base)(l.After(t.Context(), lobby, base))
	expectPage(t, "after the newest, later", "none of 0, complete", base)(l.After(t.Context(), lobby, base+2))
	expectPage(t, "last, later", "none of 0", base)(l.Last(t.Context(), lobby, 50))
	expectPage(t, "with more days", "+0 to +2 of +2", base)(tb.log(7, 0).Last(t.Context(), lobby, 50))
}

func TestManyExpiredBlocksHideNoMessage(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(1, 0)
	e := tb.message("")
	e.Text = strings.Repeat("x", maxBytes)
	for i := range blocksPerPage + 3 {
		e.ID = fmt.Sprint(i)
		tb.place(t, l, l.Look(t.Context(), lobby, NotKnown), e, false)
	}
	base := epoch.UnixMilli()
	tb.pass(25 * time.Hour)
	expectPage(t, "nothing is kept", "none of 0", base)(l.After(t.Context(), lobby, base))
	tb.send(t, l, "kept")
	expectPage(t, "one is kept", "+25 to +25 of +25", base)(l.After(t.Context(), lobby, base))
}

// TestATombstoneIsAnEntryLikeOthers: it has the time of its deletion, and not that of the message.
func TestATombstoneIsAnEntryLikeOthers(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	base := epoch.UnixMilli()
	tb.fill(t, l, "m", 5)
	tb.pass(time.Hour)
	for _, place := range []int64{2, 4} {
		_, err := tb.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &tb.name, Key: blockKey(lobby, base),
			UpdateExpression: aws.String(fmt.Sprintf("SET e[%d] = :tombstone", place)),
			ExpressionAttributeValues: dynamo.Item{":tombstone": &types.AttributeValueMemberM{Value: dynamo.Item{
				"id": dynamo.Text(fmt.Sprint("m", place)), "del": dynamo.Number(tb.now().UnixMilli()),
			}}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	expectPage(t, "after", "+1 to +4 of +4, complete", base)(l.After(t.Context(), lobby, base))
	expectPage(t, "last", "+0 to +4 of +4", base)(l.Last(t.Context(), lobby, 50))
	expectPage(t, "before", "+0 to +2 of +4", base)(l.Before(t.Context(), lobby, base+3, 50))
	tb.pass(7*day + time.Second)
	expectPage(t, "later", "none of 0", base)(l.Last(t.Context(), lobby, 50))
}

// TestExpiredBlocksCostFewQueries: after HistoryDays was lowered, TTL deletes blocks much later than they expire.
func TestExpiredBlocksCostFewQueries(t *testing.T) {
	t.Parallel()
	const blocks = 1000
	tb := newTable(t)
	tb.putBlocks(t, blocks)
	tb.pass(30 * day)
	base := epoch.UnixMilli()
	after := func(what, want string, most int) {
		t.Helper()
		api := &script{API: tb.client}
		expectPage(t, what, want, base)(tb.logOver(api, 7, 0).After(t.Context(), lobby, base))
		if api.calls > most {
			t.Errorf("%s: %d queries, want at most %d", what, api.calls, most)
		}
	}
	after("nothing is kept", "none of 0", 2)
	tb.fill(t, tb.log(7, 0), "kept", 3)
	after("three are kept", "+1000 to +1002 of +1002", 13) // ten of them halve the numbers
	tb.pass(7*day + time.Second)
	tb.fill(t, tb.log(7, 0), "later", 3)
	after("the first three have expired", "+1003 to +1005 of +1005", 13)
}

// TTL may delete a block before the older ones.
func TestPagesEndAtMissingBlocks(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	base := epoch.UnixMilli()
	tb.fill(t, l, "m", 2*maxEntries)
	tb.pass(2 * time.Minute)
	tb.fill(t, l, "n", 8)
	tb.pass(2 * time.Minute)
	tb.remove(t, base+16)
	expectPage(t, "before the missing", "+3 to +15 of +39, complete, more", base)(l.After(t.Context(), lobby, base+2))
	expectPage(t, "at the missing block", "+32 to +39 of +39", base)(l.After(t.Context(), lobby, base+15))
	expectPage(t, "in the missing block", "+32 to +39 of +39", base)(l.After(t.Context(), lobby, base+20))
	expectPage(t, "at its end", "+32 to +39 of +39, complete", base)(l.After(t.Context(), lobby, base+31))
	expectPage(t, "last", "+32 to +39 of +39, more", base)(l.Last(t.Context(), lobby, 50))
	expectPage(t, "before", "+0 to +15 of +39", base)(l.Before(t.Context(), lobby, base+32, 50))
}

func TestPagesEndInIncompleteAnswers(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	writer := tb.log(7, 0)
	base := epoch.UnixMilli()
	tb.fill(t, writer, "m", 2*maxEntries+8)
	reader := func() *Log {
		api := &script{API: tb.client}
		api.answer = map[int]func(*dynamodb.QueryOutput){1: without(base + 16)}
		return tb.logOver(api, 7, 0)
	}
	expectPage(t, "after", "+0 to +15 of +39, complete, more", base)(reader().After(t.Context(), lobby, 0))
	expectPage(t, "nothing in front", "none of +39, complete, more", base)(reader().After(t.Context(), lobby, base+15))
	expectPage(t, "last", "+32 to +39 of +39, more", base)(reader().Last(t.Context(), lobby, 50))
}
