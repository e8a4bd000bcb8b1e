package dynamodb

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Faults are the shares of requests that meet a fault, each from 0 to 1. The zero value injects nothing.
type Faults struct {
	Throttle    float64 // share of the requests about items that are throttled
	Conflicts   float64 // share of the write transactions that meet another one
	Unprocessed float64 // share of the batches of which half stays unprocessed
	Seed        uint64  // of the dice: the same seed gives the same faults
}

// Injector injects throttling, conflicts and unprocessed items before a DynamoDB.
type Injector struct {
	next http.Handler

	mu     sync.Mutex // guards the dice and the shares
	dice   *rand.Rand
	faults Faults
}

// NewInjector returns an Injector that passes requests without a fault to next.
func NewInjector(next http.Handler, f Faults) *Injector {
	return &Injector{
		next: next, faults: f,
		dice: rand.New(rand.NewPCG(f.Seed, 1)), //nolint:gosec // the seed repeats the faults
	}
}

// ServeHTTP answers as a busy service does, or passes the request on.
func (i *Injector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation, _ := operationIn(r.Header) // the engine refuses a request without one
	switch {
	case concernsItems(operation) && i.occurs(&i.faults.Throttle):
		i.refuse(w, r, operation, throttling())
	case operation == "TransactWriteItems" && i.occurs(&i.faults.Conflicts):
		i.refuse(w, r, operation, conflicting())
	case strings.HasPrefix(operation, "Batch") && i.occurs(&i.faults.Unprocessed):
		i.leaveSome(w, r, operation)
	default:
		i.next.ServeHTTP(w, r)
	}
}

// occurs reports whether the fault with that share occurs now.
func (i *Injector) occurs(share *float64) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return *share > 0 && i.dice.Float64() < *share
}

// SetThrottle changes the share of throttled requests.
func (i *Injector) SetThrottle(share float64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.faults.Throttle = share
}

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
	return faultError{reason: "TransactionConflict", message: "Transaction is ongoing for the item"}
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
