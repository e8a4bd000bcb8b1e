package localstage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// conflicts is a DynamoDB in which a share of the transactions meets another one.
type conflicts struct {
	share float64
	next  http.Handler

	mu   sync.Mutex
	dice *rand.Rand
}

// conflicting puts the fault transaction-conflicts before an engine.
func (f Faults) conflicting(engine http.Handler) http.Handler {
	if f.TransactionConflicts == 0 {
		return engine
	}
	return &conflicts{share: f.TransactionConflicts, next: engine, dice: rand.New(rand.NewPCG(f.Seed, 1))}
}

// ServeHTTP cancels the transaction, or hands the request on.
func (c *conflicts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".TransactWriteItems") || !c.strikes() {
		c.next.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	var request struct{ TransactItems []json.RawMessage }
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	if err != nil || len(request.TransactItems) == 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
		c.next.ServeHTTP(w, r)
		return
	}
	answer := canceled(len(request.TransactItems))
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(answer)), 10))
	w.WriteHeader(http.StatusBadRequest)
	_, _ = w.Write(answer) // a caller that has left needs no answer
}

func (c *conflicts) strikes() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dice.Float64() < c.share
}

// canceled is the answer to a transaction whose first item is in another one.
// Source: DynamoDB API reference, "TransactWriteItems".
func canceled(items int) []byte {
	type reason struct {
		Code    string
		Message string `json:",omitempty"`
	}
	reasons, codes := make([]reason, items), make([]string, items)
	for i := range reasons {
		reasons[i].Code, codes[i] = "None", "None"
	}
	reasons[0] = reason{"TransactionConflict", "Transaction is ongoing for the item"}
	codes[0] = reasons[0].Code
	data, _ := json.Marshal(map[string]any{ // texts always marshal
		"__type":              "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
		"Message":             fmt.Sprintf("Transaction cancelled, please refer cancellation reasons for specific reasons [%s]", strings.Join(codes, ", ")),
		"CancellationReasons": reasons,
	})
	return data
}
