package dynamodb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
)

// leaveSome passes the first half of each table's part of a batch to the engine. It returns the rest as unprocessed, as
// a busy table does. A batch with one item for each table has no rest. Source: DynamoDB API reference, "BatchWriteItem"
// and "BatchGetItem".
func (i *Injector) leaveSome(w http.ResponseWriter, r *http.Request, operation string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client hung up: the front has read the body of every other request
	}
	half, rest, err := halve(operation, body)
	if err != nil || len(rest) == 0 { // the engine refuses a request that is no batch
		r.Body = io.NopCloser(bytes.NewReader(body))
		i.next.ServeHTTP(w, r)
		return
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(half)), int64(len(half))
	answer := &keptAnswer{header: w.Header(), status: http.StatusOK}
	i.next.ServeHTTP(answer, r)
	data := answer.body.Bytes()
	if answer.status == http.StatusOK {
		data = withUnprocessed(operation, data, rest)
	}
	respond(w, answer.status, data)
}

// keptAnswer is an http.ResponseWriter that keeps the body.
type keptAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *keptAnswer) Header() http.Header         { return k.header }
func (k *keptAnswer) WriteHeader(status int)      { k.status = status }
func (k *keptAnswer) Write(p []byte) (int, error) { return k.body.Write(p) }

// batchParts is the request of a batch by table.
type batchParts map[string]*batchPart

// batchPart is a list of writes or, with members beside the list, of keys to read.
type batchPart struct {
	items  []json.RawMessage
	beside map[string]json.RawMessage // nil for writes
}

// UnmarshalJSON reads either form.
func (p *batchPart) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, &p.items)
	}
	if err := json.Unmarshal(data, &p.beside); err != nil {
		return err
	}
	return json.Unmarshal(p.beside["Keys"], &p.items)
}

// MarshalJSON writes the form that was read.
func (p *batchPart) MarshalJSON() ([]byte, error) {
	items, err := json.Marshal(p.items)
	if err != nil || p.beside == nil {
		return items, err
	}
	object := maps.Clone(p.beside)
	object["Keys"] = items
	return json.Marshal(object)
}

// halve returns the request with the first half of each part, and the rest.
func halve(operation string, body []byte) (half []byte, rest batchParts, err error) {
	var request map[string]json.RawMessage
	var items batchParts
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", operation, err)
	}
	if err := json.Unmarshal(request["RequestItems"], &items); err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", operation, err)
	}
	rest = batchParts{}
	for table, part := range items {
		if middle := len(part.items) / 2; middle > 0 {
			rest[table] = &batchPart{items: part.items[middle:], beside: part.beside}
			part.items = part.items[:middle]
		}
	}
	if request["RequestItems"], err = json.Marshal(items); err != nil {
		return nil, nil, fmt.Errorf("write %s: %w", operation, err)
	}
	half, err = json.Marshal(request)
	return half, rest, err
}

// withUnprocessed adds the rest of a batch to the items that the engine left unprocessed itself.
func withUnprocessed(operation string, answer []byte, rest batchParts) []byte {
	name := "UnprocessedItems"
	if operation == "BatchGetItem" {
		name = "UnprocessedKeys"
	}
	var members map[string]json.RawMessage
	var left batchParts
	if json.Unmarshal(answer, &members) != nil || json.Unmarshal(members[name], &left) != nil {
		return answer
	}
	for table, part := range left {
		if held, ok := rest[table]; ok {
			held.items = append(part.items, held.items...)
		} else {
			rest[table] = part
		}
	}
	members[name], _ = json.Marshal(rest) // the values were JSON before
	data, _ := json.Marshal(members)
	return data
}
