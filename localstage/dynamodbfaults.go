package localstage

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"

	"signedsocket/localstage/internal/dynamodb"
)

// dynamoDBFaults is a DynamoDB that is busier than it is, on demand.
type dynamoDBFaults struct {
	next http.Handler

	mu        sync.Mutex
	dice      *rand.Rand
	throttle  float64 // share of the requests about items
	conflicts float64 // share of the write transactions
	halves    float64 // share of the batches
}

func newDynamoDBFaults(engine http.Handler, f Faults) *dynamoDBFaults {
	return &dynamoDBFaults{
		next: engine, dice: rand.New(rand.NewPCG(f.Seed, 1)), //nolint:gosec // the seed repeats the faults
		throttle: f.DynamoDBThrottle, conflicts: f.TransactionConflicts, halves: f.UnprocessedItems,
	}
}

// ServeHTTP answers as a busy service does, or hands the request on.
func (d *dynamoDBFaults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case concernsItems(operation) && d.strikes(&d.throttle):
		d.refuse(w, r, operation, throttling())
	case operation == "TransactWriteItems" && d.strikes(&d.conflicts):
		d.refuse(w, r, operation, conflicting())
	case strings.HasPrefix(operation, "Batch") && d.strikes(&d.halves):
		d.leaveSome(w, r, operation)
	default:
		d.next.ServeHTTP(w, r)
	}
}

// strikes reports whether the fault with that share happens now.
func (d *dynamoDBFaults) strikes(share *float64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return *share > 0 && d.dice.Float64() < *share
}

// setThrottle changes the share of throttled requests.
func (d *dynamoDBFaults) setThrottle(share float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.throttle = share
}

// concernsItems tells the operations that use a table's throughput from those about tables.
func concernsItems(operation string) bool {
	return slices.Contains([]string{
		"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem",
		"TransactGetItems", "TransactWriteItems",
	}, operation)
}

// trouble is a refusal as a single request and as a transaction meet it.
type trouble struct {
	single          string // shape id, for a request that is no transaction
	reason, message string // of a transaction's first item, and of the refusal
}

// throttling is how a table with on-demand capacity refuses what is too much for it.
// Source: DynamoDB API reference, "TransactWriteItems", cancellation reasons; the shape id was observed.
func throttling() trouble {
	return trouble{
		single: "com.amazon.coral.availability#ThrottlingException",
		reason: "ThrottlingError",
		message: "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling " +
			"your table or index so please try again shortly.",
	}
}

// conflicting is how a transaction ends whose first item is in another one.
// Source: DynamoDB API reference, "TransactWriteItems", cancellation reasons.
func conflicting() trouble {
	return trouble{reason: "TransactionConflict", message: "Transaction is ongoing for the item"}
}

// refuse answers with t. A request that is no valid transaction goes to the engine, which says so.
func (d *dynamoDBFaults) refuse(w http.ResponseWriter, r *http.Request, operation string, t trouble) {
	if !strings.HasPrefix(operation, "Transact") {
		(&dynamodb.Error{Status: http.StatusBadRequest, Type: t.single, Message: t.message}).Respond(w)
		return
	}
	body, err := io.ReadAll(r.Body)
	var request struct{ TransactItems []json.RawMessage }
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	if err != nil || len(request.TransactItems) == 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
		d.next.ServeHTTP(w, r)
		return
	}
	dynamodb.CanceledAtFirst(len(request.TransactItems), t.reason, t.message).Respond(w)
}
