package roomlog

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"signedsocket/shared/dynamo"
	"signedsocket/shared/dynamo/dynamotest"
)

// epoch is when the tests begin.
var epoch = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

const lobby = "lobby"

// table is the table of one test, with a clock that all writers follow.
type table struct {
	client *dynamodb.Client
	name   string

	mu   sync.Mutex
	time time.Time
}

func newTable(t *testing.T) *table { return newTableOver(t, http.DefaultTransport) }

// newTableOver creates the table, reached over the given transport.
func newTableOver(t *testing.T, transport http.RoundTripper) *table {
	t.Helper()
	client := dynamotest.Client(transport)
	return &table{client: client, name: dynamotest.CreateTable(t, client, "pk", "sk"), time: epoch}
}

func (tb *table) now() time.Time {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return tb.time
}

// pass lets time pass.
func (tb *table) pass(d time.Duration) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.time = tb.time.Add(d)
}

// log returns a Log of a process whose clock is wrong by skew.
func (tb *table) log(days int, skew time.Duration) *Log { return tb.logOver(tb.client, days, skew) }

func (tb *table) logOver(api API, days int, skew time.Duration) *Log {
	l := New(api, tb.name, days)
	l.now = func() time.Time { return tb.now().Add(skew) }
	return l
}

// message returns a message of alice with a short text.
func (tb *table) message(id string) Entry {
	return Entry{ID: id, Subject: "alice", Name: "Alice Ä", Text: "text of " + id, At: tb.now()}
}

// send appends a message whose sender does not know its position, and returns its number. The message must be new.
func (tb *table) send(t *testing.T, l *Log, id string) int64 {
	t.Helper()
	return tb.sendSeen(t, l, l.Look(t.Context(), lobby, NotKnown), id)
}

// sendSeen is send by a writer that has looked before.
func (tb *table) sendSeen(t *testing.T, l *Log, look Look, id string) int64 {
	t.Helper()
	return tb.place(t, l, look, tb.message(id), false)
}

func (tb *table) place(t *testing.T, l *Log, look Look, e Entry, duplicate bool) int64 {
	t.Helper()
	stored, was, err := l.Append(t.Context(), look, e)
	if err != nil || was != duplicate || stored.ID != e.ID {
		t.Fatalf("append of %s = %+v, duplicate %t, %v; want duplicate %t", e.ID, stored, was, err, duplicate)
	}
	return stored.Seq
}

// sendMany appends messages with these ids.
func (tb *table) sendMany(t *testing.T, l *Log, ids ...string) (seqs []int64) {
	t.Helper()
	for _, id := range ids {
		seqs = append(seqs, tb.send(t, l, id))
	}
	return seqs
}

// fill appends n short messages, and returns the number of the last.
func (tb *table) fill(t *testing.T, l *Log, prefix string, n int) (last int64) {
	t.Helper()
	for i := range n {
		last = tb.sendShort(t, l, fmt.Sprint(prefix, i))
	}
	return last
}

// sendShort appends a message of so few bytes that a block is full by its number of entries.
func (tb *table) sendShort(t *testing.T, l *Log, id string) int64 {
	t.Helper()
	return tb.place(t, l, l.Look(t.Context(), lobby, NotKnown), short(tb, id), false)
}

func short(tb *table, id string) Entry { return Entry{ID: id, Subject: "a", Text: "x", At: tb.now()} }

// putBlocks writes n full blocks of one short message each, with the HistoryDays of a year.
func (tb *table) putBlocks(t *testing.T, n int) {
	t.Helper()
	values, most := tb.log(365, 0).written(short(tb, "old")), 25 // in one call
	for from := 0; from < n; from += most {
		var puts []types.WriteRequest
		for i := from; i < min(from+most, n); i++ {
			block := blockKey(lobby, epoch.UnixMilli()+int64(i))
			block["e"], block["ids"], block["b"] = values[":entries"], values[":ids"], dynamo.Number(maxBytes)
			block["t"], block["keep"], block["expiresAt"] = values[":now"], values[":days"], values[":until"]
			puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: block}})
		}
		_, err := tb.client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{tb.name: puts},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// blocks returns all blocks in the table, whatever TTL should have done.
func (tb *table) blocks(t *testing.T) []block {
	t.Helper()
	pages := dynamodb.NewQueryPaginator(tb.client, &dynamodb.QueryInput{
		TableName: &tb.name, KeyConditionExpression: aws.String("pk = :pk"), ConsistentRead: aws.Bool(true),
		ExpressionAttributeValues: dynamo.Item{":pk": dynamo.Text("LOG#" + lobby)},
	})
	var found []block
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			b, err := decodeBlock(item)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, b)
		}
	}
	return found
}

// blockOf returns the block with the entry of a number.
func (tb *table) blockOf(t *testing.T, seq int64) block {
	t.Helper()
	for _, b := range tb.blocks(t) {
		if b.first <= seq && seq <= b.last() {
			return b
		}
	}
	t.Fatalf("no block has %d", seq)
	return block{}
}

// remove removes the block of a number, as TTL does.
func (tb *table) remove(t *testing.T, seq int64) {
	t.Helper()
	_, err := tb.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: &tb.name, Key: blockKey(lobby, tb.blockOf(t, seq).first),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// expect fails the test when the entries in the table are not these, "number relative to the first: id".
func (tb *table) expect(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	var first int64
	for _, b := range tb.blocks(t) {
		for _, e := range b.entries {
			if first == 0 {
				first = e.Seq
			}
			got = append(got, fmt.Sprintf("%d %s", e.Seq-first, e.ID))
		}
	}
	same(t, "entries", want, got)
}

// script is an API that does something before calls of its choice, and may change or lose answers.
type script struct {
	API
	calls  int
	before map[int]func()                      // by the number of the call, from 1 on
	answer map[int]func(*dynamodb.QueryOutput) // changes the answer to a Query
	names  []string
}

func (s *script) call(name string) int {
	s.calls++
	s.names = append(s.names, name)
	if do := s.before[s.calls]; do != nil {
		do()
	}
	return s.calls
}

func (s *script) GetItem(
	ctx context.Context, in *dynamodb.GetItemInput, o ...func(*dynamodb.Options),
) (*dynamodb.GetItemOutput, error) {
	s.call("GetItem")
	return s.API.GetItem(ctx, in, o...)
}

func (s *script) UpdateItem(
	ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options),
) (*dynamodb.UpdateItemOutput, error) {
	s.call("UpdateItem")
	return s.API.UpdateItem(ctx, in, o...)
}

func (s *script) TransactWriteItems(
	ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	s.call("TransactWriteItems")
	return s.API.TransactWriteItems(ctx, in, o...)
}

func (s *script) Query(
	ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options),
) (*dynamodb.QueryOutput, error) {
	n := s.call("Query")
	out, err := s.API.Query(ctx, in, o...)
	if change := s.answer[n]; change != nil && err == nil {
		change(out)
	}
	return out, err
}

// without returns a change that removes a block from the answer to a Query, which is incomplete then.
func without(first int64) func(*dynamodb.QueryOutput) {
	return func(out *dynamodb.QueryOutput) {
		out.Items = slices.DeleteFunc(out.Items, func(item dynamo.Item) bool {
			return strings.TrimLeft(dynamo.TextOf(item, "sk"), "0") == fmt.Sprint(first)
		})
	}
}

// same fails the test when got differs from want.
func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
