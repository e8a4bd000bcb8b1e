package roomlog

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Delete removes a text with two calls, Query and UpdateItem. Each of the first tests here lets something happen
// between them.

// deleteWhile deletes as a moderator, and calls do between the two.
func (tb *table) deleteWhile(t *testing.T, seq int64, do func()) error {
	t.Helper()
	l := tb.logOver(&script{API: tb.client, before: map[int]func(){2: do}}, 7, 0)
	_, err := l.Delete(t.Context(), lobby, tb.note("mod", seq), true)
	return err
}

func TestDeleteLosesNoMessageThatIsAppendedMeanwhile(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	seq := tb.send(t, l, "a")
	if err := tb.deleteWhile(t, seq, func() { tb.send(t, l, "b") }); err != nil {
		t.Error(err)
	}
	tb.expect(t, "0 a", "1 b", fmt.Sprintf("2 m on %d", seq))
	if got := names(tb.element(t, seq)) + ", " + names(tb.element(t, seq+1)); got != "del id sub, at id nm sub x" {
		t.Errorf("entries with %s", got)
	}
}

func TestDeleteMakesNoBlockThatTTLHasDeleted(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	seq := tb.send(t, tb.log(7, 0), "a")
	if err := tb.deleteWhile(t, seq, func() { tb.remove(t, seq) }); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if blocks := tb.blocks(t); len(blocks) > 0 {
		t.Errorf("%+v", blocks)
	}
}

func TestDeleteBringsNoErasedUserBack(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	seq := tb.send(t, l, "a")
	if err := tb.deleteWhile(t, seq, func() { tb.erase(t, l, RemoveTexts, RemoveNames) }); err != nil {
		t.Error(err)
	}
	if got := names(tb.element(t, seq)); got != "del id" {
		t.Errorf("the tombstone has %s", got)
	}
}

// A number never gets another message, unless the table is restored from a backup in between.
func TestATombstoneHasTheIDOfItsMessage(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	seq := tb.send(t, tb.log(7, 0), "a")
	err := tb.deleteWhile(t, seq, func() {
		item := tb.item(t, seq)
		item["e"] = &types.AttributeValueMemberL{Value: []types.AttributeValue{tb.message("another").value()}}
		item["ids"] = &types.AttributeValueMemberSS{Value: []string{"another"}}
		_, err := tb.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &tb.name, Item: item})
		if err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Error(err)
	}
	tb.expect(t, "0 another", fmt.Sprintf("1 m on %d", seq))
}

// TestADeleteThatDiedIsCompletedByItsRepetition lets the process die before each call.
func TestADeleteThatDiedIsCompletedByItsRepetition(t *testing.T) {
	t.Parallel()
	died := errors.New("killed")
	for call := 1; call <= 4; call++ { // Query, UpdateItem; Query, UpdateItem
		t.Run(fmt.Sprint("before call ", call), func(t *testing.T) {
			t.Parallel()
			tb := newTable(t)
			l := tb.log(7, 0)
			seq := tb.send(t, l, "a")
			func() {
				defer func() { _ = recover() }()
				dying := tb.logOver(&script{API: tb.client, before: map[int]func(){call: func() { panic(died) }}}, 7, 0)
				_, _ = dying.Delete(t.Context(), lobby, tb.note("alice", seq), false)
			}()
			tb.delete(t, l, seq)
			tb.expect(t, "0 a", fmt.Sprintf("1 a on %d", seq))
			if got := names(tb.element(t, seq)); got != "del id sub" {
				t.Errorf("the tombstone has %s", got)
			}
		})
	}
}

func TestADeleteWhoseAnswerWasLostHappensOnce(t *testing.T) {
	t.Parallel()
	for call := int32(1); call <= 4; call++ {
		t.Run(fmt.Sprint("call ", call), func(t *testing.T) {
			t.Parallel()
			transport := &losing{}
			tb := newTableOver(t, transport)
			l := tb.log(7, 0)
			seq := tb.send(t, l, "a")
			transport.countdown.Store(call)
			tb.delete(t, l, seq)
			tb.expect(t, "0 a", fmt.Sprintf("1 a on %d", seq))
		})
	}
}

func TestADeleteThatConflictsIsTriedAgain(t *testing.T) {
	t.Parallel()
	api := &failing{updates: []error{&types.TransactionConflictException{}, nil}}
	l := New(api, "table", 7)
	api.tail = itemOf(l, Entry{ID: "a", Subject: "alice", Text: "x", At: l.now()})
	_, err := l.Delete(t.Context(), lobby, Entry{ID: "n", Subject: "alice", Of: 7}, false)
	if err != nil || api.calls != 3 {
		t.Errorf("%v after %d calls", err, api.calls)
	}
}

func TestADeleteOnAThrottledTableIsToldBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, err := New(throttledQuery{}, "table", 7).Delete(t.Context(), lobby, Entry{Of: 7}, false)
		if !errors.Is(err, ErrBusy) {
			t.Error(err)
		}
	})
}
