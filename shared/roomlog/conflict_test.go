package roomlog

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"signedsocket/shared/dynamo"
)

// failing is an API on a log of one block, whose updates end as a list says; the last entry repeats. Its transactions
// fail as its updates do.
type failing struct {
	API
	tail    dynamo.Item
	updates []error
	calls   int
}

func (f *failing) next() error {
	err := f.updates[min(f.calls, len(f.updates)-1)]
	f.calls++
	return err
}

func (f *failing) UpdateItem(
	context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options),
) (*dynamodb.UpdateItemOutput, error) {
	return &dynamodb.UpdateItemOutput{Attributes: f.tail}, f.next()
}

func (f *failing) TransactWriteItems(
	context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	return &dynamodb.TransactWriteItemsOutput{}, f.next()
}

func (f *failing) GetItem(
	context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options),
) (*dynamodb.GetItemOutput, error) {
	return &dynamodb.GetItemOutput{}, nil
}

func (f *failing) Query(
	context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options),
) (*dynamodb.QueryOutput, error) {
	if f.tail == nil {
		return &dynamodb.QueryOutput{}, nil
	}
	return &dynamodb.QueryOutput{Items: []dynamo.Item{f.tail}}, nil
}

// itemOf returns a block that was opened now, with one entry.
func itemOf(l *Log, e Entry) dynamo.Item {
	item := blockKey(lobby, 7)
	values := l.written(e)
	for attribute, name := range map[string]string{
		"e": ":entries", "ids": ":ids", "b": ":size", "t": ":now", "keep": ":days", "expiresAt": ":until",
	} {
		item[attribute] = values[name]
	}
	return item
}

func TestConflictsAreTriedAgain(t *testing.T) {
	t.Parallel()
	conflict := &types.TransactionConflictException{}
	throttled := &smithy.GenericAPIError{Code: "ThrottlingException"}
	canceled := &types.TransactionCanceledException{
		CancellationReasons: []types.CancellationReason{{Code: aws.String("TransactionConflict")}},
	}
	broken := errors.New("connection reset")
	tests := []struct {
		name    string
		updates []error
		calls   int
		want    error
	}{
		{"free", []error{nil}, 1, nil},
		{"an update meets begin", []error{conflict, conflict, nil}, 3, nil},
		{"throttled", []error{throttled, nil}, 2, nil},
		{"a transaction meets an update", []error{canceled, nil}, 2, nil},
		{"a fault", []error{broken}, 1, broken},
	}
	for _, test := range tests {
		for _, begin := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					api := &failing{updates: test.updates}
					l := New(api, "table", 7)
					if !begin {
						api.tail = itemOf(l, Entry{ID: "old", At: time.Now()})
					}
					stored, _, err := l.Append(t.Context(), l.Look(t.Context(), lobby, NotKnown), Entry{ID: "new"})
					if !errors.Is(err, test.want) || api.calls != test.calls || (err == nil) != (stored.Seq != 0) {
						t.Errorf("%+v, %v after %d calls", stored, err, api.calls)
					}
				})
			})
		}
	}
}

func TestABusyLogIsToldAfterTwoSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api := &failing{updates: []error{&types.TransactionConflictException{}}}
		l := New(api, "table", 7)
		api.tail = itemOf(l, Entry{ID: "old", At: time.Now()})
		start := time.Now()
		_, _, err := l.Append(t.Context(), l.Look(t.Context(), lobby, NotKnown), Entry{ID: "new"})
		if took := time.Since(start); !errors.Is(err, ErrBusy) || took > dynamo.ConflictBudget || api.calls < 5 {
			t.Errorf("%v after %s and %d calls", err, took, api.calls)
		}
	})
}

func TestAThrottledReadIsBusy(t *testing.T) {
	t.Parallel()
	l := New(throttledQuery{}, "table", 7)
	for name, read := range reads(t, l) {
		if _, err := read(); !errors.Is(err, ErrBusy) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type throttledQuery struct{ API }

func (throttledQuery) Query(
	context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options),
) (*dynamodb.QueryOutput, error) {
	return nil, &smithy.GenericAPIError{Code: "ProvisionedThroughputExceededException"}
}

// losing is a transport on which one answer is lost after the request was done; the SDK repeats the request.
type losing struct{ countdown atomic.Int32 }

func (l *losing) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil || l.countdown.Add(-1) != 0 {
		return response, err
	}
	_, err = io.Copy(io.Discard, response.Body) // a body that is closed early would take its connection with it
	return nil, errors.Join(io.ErrUnexpectedEOF, err, response.Body.Close())
}

func TestAMessageWhoseAnswerWasLostIsStoredOnce(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		days  int // since the message before; none when negative
		calls int32
	}{
		{"first of all", -1, 4},
		{"in a block", 0, 2},
		{"on the next day", 1, 5},
		{"after silence", 9, 4},
	}
	for _, test := range tests {
		for call := int32(1); call <= test.calls; call++ {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				transport := &losing{}
				tb := newTableOver(t, transport)
				l := tb.log(7, 0)
				var want []string
				if test.days >= 0 {
					tb.send(t, l, "old")
					tb.pass(time.Duration(test.days) * day)
					want = append(want, "old")
				}
				transport.countdown.Store(call)
				stored, _, err := l.Append(t.Context(), l.Look(t.Context(), lobby, NotKnown), tb.message("new"))
				if err != nil || transport.countdown.Load() > 0 {
					t.Fatal(stored, err, transport.countdown.Load())
				}
				var got []string
				for _, b := range tb.blocks(t) {
					for _, e := range b.entries {
						got = append(got, e.ID)
					}
				}
				if tb.blockOf(t, stored.Seq).entries == nil {
					t.Error("the number is not in the log")
				}
				same(t, "log", strings.Join(append(want, "new"), " "), strings.Join(got, " "))
			})
		}
	}
}
