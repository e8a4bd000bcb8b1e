package localstage

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTransactionsMeetOthersOnDemand(t *testing.T) {
	t.Parallel()
	const transaction = "DynamoDB_20120810.TransactWriteItems"
	engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for _, test := range []struct {
		name, target, body string
		share              float64
		want               int
	}{
		{"always", transaction, `{"TransactItems":[{},{},{}]}`, 1, http.StatusBadRequest},
		{"never", transaction, `{"TransactItems":[{},{},{}]}`, 0, http.StatusOK},
		{"no transaction", "DynamoDB_20120810.UpdateItem", `{}`, 1, http.StatusOK},
		{"an empty one", transaction, `{"TransactItems":[]}`, 1, http.StatusOK},
		{"a broken one", transaction, `{`, 1, http.StatusOK},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(test.body))
		r.Header.Set("X-Amz-Target", test.target)
		w := httptest.NewRecorder()
		Faults{TransactionConflicts: test.share}.conflicting(engine).ServeHTTP(w, r)
		if w.Code != test.want {
			t.Errorf("%s: answered %d, want %d", test.name, w.Code, test.want)
		}
		if w.Code == http.StatusOK {
			continue
		}
		var answer struct {
			Type                string `json:"__type"`
			CancellationReasons []struct{ Code string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || !strings.HasSuffix(answer.Type, "#TransactionCanceledException") ||
			len(answer.CancellationReasons) != 3 || answer.CancellationReasons[0].Code != "TransactionConflict" || answer.CancellationReasons[2].Code != "None" {
			t.Errorf("%s: answered %s, %v", test.name, w.Body, err)
		}
	}
}
