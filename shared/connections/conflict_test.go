package connections

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
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

// canceled returns the error of a transaction that was cancelled for these reasons.
func canceled(reasons ...string) error {
	err := &types.TransactionCanceledException{}
	for _, reason := range reasons {
		err.CancellationReasons = append(err.CancellationReasons, types.CancellationReason{Code: aws.String(reason)})
	}
	return &smithy.OperationError{ServiceID: "DynamoDB", OperationName: "TransactWriteItems", Err: err}
}

// isolating is an API that executes one transaction after the other. DynamoDB isolates them from each other; moto
// executes them at the same time, and mixes them up.
type isolating struct {
	API
	mu sync.Mutex
}

func (i *isolating) TransactWriteItems(
	ctx context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.API.TransactWriteItems(ctx, in)
}

// conflicting is an API in which every n-th transaction meets another one.
type conflicting struct {
	API
	every int32
	calls atomic.Int32
}

func (c *conflicting) TransactWriteItems(
	ctx context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	if c.calls.Add(1)%c.every == 0 {
		return nil, canceled("None", "TransactionConflict")
	}
	return c.API.TransactWriteItems(ctx, in)
}

// scripted is an API whose transactions and updates end as the script says; the last entry repeats.
type scripted struct {
	API
	script []error
	calls  int
}

func (s *scripted) next() error {
	err := s.script[min(s.calls, len(s.script)-1)]
	s.calls++
	return err
}

func (s *scripted) TransactWriteItems(
	context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	return &dynamodb.TransactWriteItemsOutput{}, s.next()
}

func (s *scripted) UpdateItem(
	context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options),
) (*dynamodb.UpdateItemOutput, error) {
	return &dynamodb.UpdateItemOutput{Attributes: item{
		"sub": dynamo.Text("alice"), "sx": dynamo.Number(1), "connectedAt": dynamo.Number(1), "rooms": encodeRooms(nil),
	}}, s.next()
}

func (s *scripted) GetItem(
	context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options),
) (*dynamodb.GetItemOutput, error) {
	return &dynamodb.GetItemOutput{}, nil
}

func TestConflictsAreTriedAgain(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	tests := []struct {
		name   string
		script []error
		calls  int
		want   error
	}{
		{"no conflict", []error{nil}, 1, nil},
		{"conflict, then free", []error{canceled("None", "TransactionConflict"), nil}, 2, nil},
		{"throttled inside",
			[]error{canceled("ThrottlingError"), canceled("None", "ProvisionedThroughputExceeded"), nil}, 3, nil},
		{"conflict, then used",
			[]error{canceled("None", "TransactionConflict"), canceled("ConditionalCheckFailed", "None")}, 2,
			ErrTicketUsed},
		{"used, and in conflict elsewhere", []error{canceled("ConditionalCheckFailed", "TransactionConflict")}, 1,
			ErrTicketUsed},
		{"a fault", []error{broken}, 1, broken},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				api := &scripted{script: test.script}
				_, err := New(api, Tables{Connections: "table"}, Limits{}).Connect(t.Context(), admission("c1="), epoch)
				if !errors.Is(err, test.want) || api.calls != test.calls {
					t.Errorf("err = %v after %d calls; want %v after %d", err, api.calls, test.want, test.calls)
				}
			})
		})
	}
}

func TestConflictsEndWithTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api, start := &scripted{script: []error{canceled("TransactionConflict")}}, time.Now()
		_, err := New(api, Tables{Connections: "table"}, Limits{}).Connect(t.Context(), admission("c1="), epoch)
		if took := time.Since(start); !dynamo.IsConflict(err) || took > dynamo.ConflictBudget || api.calls < 5 {
			t.Errorf("err = %v after %s and %d calls", err, took, api.calls)
		}
	})
}

func TestConflictsEndWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		api := &scripted{script: []error{canceled("TransactionConflict")}}
		if _, err := New(api, Tables{Connections: "table"}, Limits{}).Connect(ctx, admission("c1="),
			epoch); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestTouchIsTriedAgainDuringATransaction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api := &scripted{script: []error{&types.TransactionConflictException{}, nil}}
		if _, err := New(api, Tables{Connections: "table"}, Limits{}).Touch(t.Context(), "c1=", epoch); err != nil ||
			api.calls != 2 {
			t.Errorf("err = %v after %d calls", err, api.calls)
		}
	})
}

// losing is a transport on which the answer to the first transaction is lost after it was applied. DynamoDB answers a
// repeated ClientRequestToken with the first result; moto does not know tokens, so this transport does.
type losing struct {
	mu     sync.Mutex
	tokens map[string]int
}

func (l *losing) RoundTrip(request *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(request.Header.Get("X-Amz-Target"), ".TransactWriteItems") {
		return http.DefaultTransport.RoundTrip(request)
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	_, token, _ := strings.Cut(string(body), `"ClientRequestToken":"`)
	token, _, _ = strings.Cut(token, `"`)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tokens[token]++; l.tokens[token] > 1 {
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{},
			Body: io.NopCloser(strings.NewReader("{}")), Request: request,
		}, nil
	}
	request.Body = io.NopCloser(strings.NewReader(string(body)))
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return response, nil
	}
	return nil, errors.Join(io.ErrUnexpectedEOF, response.Body.Close())
}

func TestLostAnswerOfATransactionDoesNotRefuseTheConnection(t *testing.T) {
	t.Parallel()
	transport := &losing{tokens: make(map[string]int)}
	table := newTable(t, transport)
	store := New(table.client, table.tables(), Limits{ConnectionsPerUser: 1})
	connect(t, store, admission("c1="))
	if evicted, err := store.Connect(t.Context(), admission("c2="), epoch); err != nil || len(evicted.Removed) != 1 {
		t.Errorf("Connect of a full user = %v, %v", evicted, err)
	}
	same(t, "live", map[string]bool{"c2=": true}, table.live(t, "alice"))
	if removed, err := store.Remove(t.Context(), "c2=", time.Time{}); err != nil || !removed {
		t.Errorf("Remove = %v, %v", removed, err)
	}
	same(t, "live", map[string]bool{}, table.live(t, "alice"))
	for token, uses := range transport.tokens {
		if token == "" {
			t.Error("a transaction without token")
		} else if uses > 2 {
			t.Errorf("token used %d times", uses)
		}
	}
}
