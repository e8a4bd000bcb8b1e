package dynamodb

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"signedsocket/localstage/internal/clock"
	"signedsocket/localstage/internal/dice"
)

// Faults are the faults of a DynamoDB. A share is from 0 to 1. The zero value injects nothing. The Injector injects the
// first five before any DynamoDB, an [Engine] the others.
type Faults struct {
	Throttle    float64       // share of the requests about items that are throttled
	Conflicts   float64       // share of the write transactions, and of the updates beside one, that meet another one
	Unprocessed float64       // share of the batches of which half stays unprocessed
	LoseAnswers float64       // share of the requests about items that are done, and not answered
	Delay       time.Duration // longest pause before a request about items is done, and again after it

	TornQueries   float64 // share of the Query pages during which others write
	LateDeletions float64 // share of the expired items that each look of time to live spares
	Expiry        Expiry  // of items without regard to their time to live

	Seed uint64 // of the dice: the same seed gives the same faults
}

// Injector injects throttling, conflicts, unprocessed items, delays and lost answers before a DynamoDB.
type Injector struct {
	next     http.Handler
	faults   Faults
	throttle atomic.Uint64 // the bits of the share, which changes while requests come
	requests *dice.Dice
	answers  *dice.Dice
}

// NewInjector returns an Injector that passes requests without a fault to next.
func NewInjector(next http.Handler, f Faults) *Injector {
	i := &Injector{
		next: next, faults: f, requests: dice.New(f.Seed, dice.Requests), answers: dice.New(f.Seed, dice.Answers),
	}
	i.SetThrottle(f.Throttle)
	return i
}

// ServeHTTP answers as a busy service does, or passes the request on.
func (i *Injector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation, _ := operationIn(r.Header) // the engine refuses a request without one
	if !concernsItems(operation) || i.faults.Delay == 0 && i.faults.LoseAnswers == 0 {
		i.answer(w, r, operation)
		return
	}
	clock.Pause(r.Context(), i.answers.UpTo(i.faults.Delay))
	kept := &keptAnswer{header: w.Header(), status: http.StatusOK}
	i.answer(kept, r, operation)
	clock.Pause(r.Context(), i.answers.UpTo(i.faults.Delay))
	if i.answers.Occurs(i.faults.LoseAnswers) {
		panic(http.ErrAbortHandler) // net/http cuts the connection
	}
	w.WriteHeader(kept.status)
	_, _ = w.Write(kept.body.Bytes()) // a client that hung up needs no answer
}

// answer answers the request, or passes it on.
func (i *Injector) answer(w http.ResponseWriter, r *http.Request, operation string) {
	switch {
	case concernsItems(operation) && i.requests.Occurs(math.Float64frombits(i.throttle.Load())):
		i.refuse(w, r, operation, throttling())
	case operation == "TransactWriteItems" && i.requests.Occurs(i.faults.Conflicts):
		i.refuse(w, r, operation, conflicting())
	case strings.HasPrefix(operation, "Batch") && i.requests.Occurs(i.faults.Unprocessed):
		i.leaveSome(w, r, operation)
	default:
		i.next.ServeHTTP(w, r)
	}
}

// SetThrottle changes the share of throttled requests.
func (i *Injector) SetThrottle(share float64) { i.throttle.Store(math.Float64bits(share)) }

// concernsItems reports whether an operation is about items, which use a table's throughput, and not about tables.
func concernsItems(operation string) bool {
	return slices.Contains([]string{
		"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem",
		"TransactGetItems", "TransactWriteItems",
	}, operation)
}

// faultError is a fault as an error for a single request and for a transaction.
type faultError struct {
	single          string // shape id, for a request that is no transaction
	reason, message string // of a transaction's first item, and of the refusal
}

// throttling is the error of a table with on-demand capacity that gets too many requests.
// Source: DynamoDB API reference, "TransactWriteItems", cancellation reasons; the shape id was observed.
func throttling() faultError {
	return faultError{
		single: "com.amazon.coral.availability#ThrottlingException",
		reason: "ThrottlingError",
		message: "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling " +
			"your table or index so please try again shortly.",
	}
}

// conflicting is the error of a transaction whose first item is in another transaction.
// Source: DynamoDB API reference, "TransactWriteItems", cancellation reasons.
func conflicting() faultError {
	return faultError{reason: "TransactionConflict", message: ongoingTransaction}
}

// refuse answers with t. It passes a transaction that is not valid to the engine, which refuses it.
func (i *Injector) refuse(w http.ResponseWriter, r *http.Request, operation string, t faultError) {
	if !strings.HasPrefix(operation, "Transact") {
		(&Error{Status: http.StatusBadRequest, Type: t.single, Message: t.message}).respond(w)
		return
	}
	body, err := io.ReadAll(r.Body)
	var request struct{ TransactItems []json.RawMessage }
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	if err != nil || len(request.TransactItems) == 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
		i.next.ServeHTTP(w, r)
		return
	}
	canceledAtFirst(len(request.TransactItems), t.reason, t.message).respond(w)
}
