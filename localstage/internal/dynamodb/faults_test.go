package dynamodb

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestDynamoDBFaultsOccurOnDemand(t *testing.T) {
	t.Parallel()
	const transaction, three = "TransactWriteItems", `{"TransactItems":[{},{},{}]}`
	const canceled = "TransactionCanceledException"
	conflicts, throttle := Faults{Conflicts: 1}, Faults{Throttle: 1}
	for _, test := range []struct {
		name, operation, body string
		faults                Faults
		want, reason          string // of the error and of its first cancelled item; empty: the engine answers
	}{
		{"transactions meet others", transaction, three, conflicts, canceled, "TransactionConflict"},
		{"single writes do not", "UpdateItem", `{}`, conflicts, "", ""},
		{"reading transactions do not", "TransactGetItems", three, conflicts, "", ""},
		{"an empty transaction", transaction, `{"TransactItems":[]}`, conflicts, "", ""},
		{"a broken transaction", transaction, `{`, conflicts, "", ""},
		{"transactions are throttled", transaction, three, throttle, canceled, "ThrottlingError"},
		{"reading transactions are throttled", "TransactGetItems", three, throttle, canceled, "ThrottlingError"},
		{"reads are throttled", "Query", `{}`, throttle, "ThrottlingException", ""},
		{"writes are throttled", "PutItem", `{}`, throttle, "ThrottlingException", ""},
		{"tables can be made all the same", "CreateTable", `{}`, throttle, "", ""},
		{"no faults", transaction, three, Faults{}, "", ""},
	} {
		w := askDynamoDB(t, NewInjector(engineOfNothing(), test.faults), test.operation, test.body)
		if test.want == "" {
			if w.Code != http.StatusOK {
				t.Errorf("%s: answered %d, want the engine's answer", test.name, w.Code)
			}
			continue
		}
		var answer struct {
			Type                string `json:"__type"`
			CancellationReasons []struct{ Code string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusBadRequest ||
			!strings.HasSuffix(answer.Type, "#"+test.want) {
			t.Errorf("%s: answered %d %s, %v", test.name, w.Code, w.Body, err)
		}
		if reasons := answer.CancellationReasons; test.reason != "" &&
			(len(reasons) != 3 || reasons[0].Code != test.reason || reasons[2].Code != "None") {
			t.Errorf("%s: the reasons are %v", test.name, reasons)
		}
	}
}

func TestThrottlingCanBeginAndEndWhileTheStageRuns(t *testing.T) {
	t.Parallel()
	faults := NewInjector(engineOfNothing(), Faults{})
	for _, step := range []struct {
		share float64
		want  int
	}{{0, http.StatusOK}, {1, http.StatusBadRequest}, {0, http.StatusOK}} {
		faults.SetThrottle(step.share)
		if w := askDynamoDB(t, faults, "GetItem", `{}`); w.Code != step.want {
			t.Errorf("share %v: answered %d, want %d", step.share, w.Code, step.want)
		}
	}
}

func TestBatchesAreHalvedOnDemand(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, operation, request, passed, engine, want string }{
		{"writes of two tables", "BatchWriteItem", `{"RequestItems":{"a":[1,2,3],"b":[4]}}`,
			`{"RequestItems":{"a":[1],"b":[4]}}`,
			`{"UnprocessedItems":{}}`, `{"UnprocessedItems":{"a":[2,3]}}`},
		{"reads", "BatchGetItem", `{"RequestItems":{"a":{"ConsistentRead":true,"Keys":[1,2]}}}`,
			`{"RequestItems":{"a":{"ConsistentRead":true,"Keys":[1]}}}`,
			`{"Responses":{"a":["x"]},"UnprocessedKeys":{}}`,
			`{"Responses":{"a":["x"]},"UnprocessedKeys":{"a":{"ConsistentRead":true,"Keys":[2]}}}`},
		{"an engine that leaves something itself", "BatchWriteItem", `{"RequestItems":{"a":[1,2]}}`,
			`{"RequestItems":{"a":[1]}}`,
			`{"UnprocessedItems":{"a":[1],"b":[9]}}`, `{"UnprocessedItems":{"a":[1,2],"b":[9]}}`},
		{
			"one write",
			"BatchWriteItem",
			`{"RequestItems":{"a":[1]}}`,
			`{"RequestItems":{"a":[1]}}`,
			`{"UnprocessedItems":{}}`,
			`{"UnprocessedItems":{}}`,
		},
		{"no batch", "BatchWriteItem", `{"RequestItems":7}`, `{"RequestItems":7}`, `refused`, `refused`},
	} {
		var passed string
		engine := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body) // of a recorder's request, which is in memory
			passed = string(body)
			_, _ = io.WriteString(w, test.engine)
		})
		w := askDynamoDB(t, NewInjector(engine, Faults{Unprocessed: 1}), test.operation, test.request)
		if w.Body.String() != test.want || passed != test.passed {
			t.Errorf("%s: the engine got %s and the caller %s, want "+
				"%s and %s", test.name, passed, w.Body, test.passed, test.want)
		}
	}
}

// engineOfNothing answers 200 to everything.
func engineOfNothing() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
}

func askDynamoDB(t *testing.T, engine http.Handler, operation, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	w := httptest.NewRecorder()
	engine.ServeHTTP(w, r)
	return w
}
