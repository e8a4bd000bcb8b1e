package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// repeatingClient returns the client that the functions use, with its retries, and the counter of its requests.
func repeatingClient(url string) (*awsdynamodb.Client, *atomic.Int64) {
	var requests atomic.Int64
	options := newClient(url).Options()
	options.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
	next := options.HTTPClient
	options.HTTPClient = doFunc(func(r *http.Request) (*http.Response, error) {
		requests.Add(1)
		return next.Do(r)
	})
	return awsdynamodb.New(options), &requests
}

type doFunc func(*http.Request) (*http.Response, error)

func (f doFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// TestAWriteWhoseAnswerIsLostMeetsItself shows what the fault is for: the SDK repeats the call, and the condition of
// the repeated one refuses the item that the first one has written.
func TestAWriteWhoseAnswerIsLostMeetsItself(t *testing.T) {
	t.Parallel()
	engine := openEngine(t, Options{})
	losing := NewInjector(engine, Faults{LoseAnswers: 1})
	var lost atomic.Bool
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if operation, _ := operationIn(r.Header); operation == "PutItem" && lost.CompareAndSwap(false, true) {
			losing.ServeHTTP(w, r)
			return
		}
		engine.ServeHTTP(w, r)
	}))
	client, requests := repeatingClient(url)
	f := simple(t, client)
	f.pk = "message"
	requests.Store(0)
	_, err := f.put(m{"text": "hello"}, condIs("attribute_not_exists(pk)"), oldOnFailure())
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok || show(failed.Item) != `{text:"hello"}` || requests.Load() != 2 {
		t.Errorf("after %d requests: %v; want a condition that the item of the first request refuses, after 2",
			requests.Load(), err)
	}
	f.report(t)
}

// A repeated transaction has the token of the first one, so it does nothing and succeeds.
func TestATransactionWhoseAnswersAreLostIsDoneOnce(t *testing.T) {
	t.Parallel()
	engine := openEngine(t, Options{})
	client, requests := repeatingClient(serve(t, NewInjector(engine, Faults{LoseAnswers: 1})))
	made := simple(t, newClient(serve(t, engine)))
	f := *made
	f.client = client
	err := f.transact(f.txUpdate("counter", "ADD n :1", "", m{":1": 1}))
	if err == nil || requests.Load() != 3 {
		t.Errorf("after %d requests: %v; want no answer at all after 3", requests.Load(), err)
	}
	made.holdsAt("counter", "{n:1}")
	made.report(t)
}

func TestAnswersAboutTablesAreNotLost(t *testing.T) {
	t.Parallel()
	client := newClient(serve(t, NewInjector(openEngine(t, Options{}), Faults{LoseAnswers: 1})))
	makeTable(t, client, "simple", "")
	_, err := client.GetItem(t.Context(), getInput("simple", m{"pk": "a"}))
	if err == nil || !strings.Contains(err.Error(), "EOF") {
		t.Errorf("got %v, want a connection that was cut", err)
	}
}

func TestTheSameSeedLosesTheSameAnswers(t *testing.T) {
	t.Parallel()
	sequence := func(seed uint64) string {
		client := newClient(serve(t, NewInjector(engineOfNothing(), Faults{LoseAnswers: 0.5, Seed: seed})))
		var lost strings.Builder
		for range 40 {
			_, err := client.GetItem(t.Context(), getInput("simple", m{"pk": "a"}))
			fmt.Fprintf(&lost, "%t ", errors.Is(err, io.EOF))
		}
		return lost.String()
	}
	first, again, other := sequence(7), sequence(7), sequence(8)
	if first != again || first == other || !strings.Contains(first, "true") || !strings.Contains(first, "false") {
		t.Errorf("lost answers:\n%s\n%s\nand with another seed\n%s", first, again, other)
	}
}

func TestRequestsWaitBeforeAndAfterTheyAreDone(t *testing.T) {
	t.Parallel()
	const longest = 20 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		var before, after time.Duration
		for range 20 {
			began := time.Now()
			var done time.Time
			engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				done = time.Now()
				w.WriteHeader(http.StatusTeapot)
				_, _ = io.WriteString(w, "answer")
			})
			// each has dice of its own, and so the same pauses
			w := askDynamoDB(t, NewInjector(engine, Faults{Delay: longest, Seed: 7}), "GetItem", `{}`)
			before, after = done.Sub(began), time.Since(done)
			if w.Code != http.StatusTeapot || w.Body.String() != "answer" {
				t.Fatalf("answered %d %s", w.Code, w.Body)
			}
		}
		if before <= 0 || before > longest || after <= 0 || after > longest || before == after {
			t.Errorf("waited %v before and %v after, want two times up to %v", before, after, longest)
		}
		began := time.Now()
		askDynamoDB(t, NewInjector(engineOfNothing(), Faults{Delay: longest}), "CreateTable", `{}`)
		if waited := time.Since(began); waited != 0 {
			t.Errorf("a request about a table waited %v", waited)
		}
	})
}

// A client that hangs up does not stop its request, which is under way.
func TestARequestIsDoneThoughItsClientHangsUp(t *testing.T) {
	t.Parallel()
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	done := false
	engine := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { done = true })
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", targetPrefix+"GetItem")
	NewInjector(engine, Faults{Delay: time.Hour}).ServeHTTP(&keptAnswer{header: http.Header{}}, r)
	if !done {
		t.Error("the request was not done")
	}
}
