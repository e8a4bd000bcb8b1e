package dynamodb

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// The benchmarks measure the cost of one request on the server's side, without network and client. A small request must
// cost well under 0.3 ms.

// requestTo sends a body to the engine and fails the benchmark unless the answer is 200.
func requestTo(b *testing.B, e *Engine, operation, body string) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "/", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", targetPrefix+operation)
	request.ContentLength = int64(len(body))
	var answer discardingWriter
	e.ServeHTTP(&answer, request)
	if answer.status != http.StatusOK {
		b.Fatalf("%s: status %d: %s", operation, answer.status, answer.body.Bytes())
	}
}

// discardingWriter keeps only the body of an error.
type discardingWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *discardingWriter) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

func (w *discardingWriter) WriteHeader(status int) { w.status = status }

func (w *discardingWriter) Write(p []byte) (int, error) {
	if w.status != http.StatusOK {
		return w.body.Write(p)
	}
	return io.Discard.Write(p)
}

func benchmarkEngine(b *testing.B) *Engine {
	e := openEngine(b, Options{})
	requestTo(b, e, "CreateTable", `{"TableName":"chat","BillingMode":"PAY_PER_REQUEST",
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},
			{"AttributeName":"sk","AttributeType":"S"}]}`)
	return e
}

const connectionItem = `{"TableName":"chat","Item":{"pk":{"S":"CONN#c1"},"sk":{"S":"CONN"},"sub":{"S":"alice"},
	"nm":{"S":"Alice"},"rooms":{"L":[{"M":{"room":{"S":"lobby"},"shard":{"N":"0"}}}]},"sx":{"N":"2000000000"},
	"connectedAt":{"N":"1700000000000"},"w170000000":{"N":"3"}}}`

// sendUpdate is the one update of a chat message: it finds the sender, checks the session and counts the rate.
const sendUpdate = `{"TableName":"chat","Key":{"pk":{"S":"CONN#c1"},"sk":{"S":"CONN"}},
	"UpdateExpression":"ADD #w :1 REMOVE #a, #b, #c, #d, #e, #f, #g, #h, #i, #j, #k, #l",
	"ConditionExpression":"sx > :now AND (attribute_not_exists(#w) OR #w < :max)",
	"ExpressionAttributeNames":{"#w":"w170000001","#a":"w170000000","#b":"w169999999","#c":"w169999998",
	"#d":"w169999997","#e":"w169999996","#f":"w169999995","#g":"w169999994","#h":"w169999993","#i":"w169999992",
	"#j":"w169999991","#k":"w169999990","#l":"w169999989"},
	"ExpressionAttributeValues":{":1":{"N":"1"},":now":{"N":"1700000000"},":max":{"N":"2000000000"}},
	"ReturnValues":"ALL_NEW","ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`

func BenchmarkUpdateItem(b *testing.B) {
	e := benchmarkEngine(b)
	requestTo(b, e, "PutItem", connectionItem)
	b.ReportAllocs()
	for b.Loop() {
		requestTo(b, e, "UpdateItem", sendUpdate)
	}
}

func BenchmarkGetItem(b *testing.B) {
	e := benchmarkEngine(b)
	requestTo(b, e, "PutItem", connectionItem)
	b.ReportAllocs()
	for b.Loop() {
		requestTo(b, e, "GetItem",
			`{"TableName":"chat","Key":{"pk":{"S":"CONN#c1"},"sk":{"S":"CONN"}},"ConsistentRead":true}`)
	}
}

// BenchmarkQuery reads a room with n members: whole items, the three attributes that a broadcast needs, and the same
// with a filter.
func BenchmarkQuery(b *testing.B) {
	for _, members := range []int{100, 1000} {
		e := benchmarkEngine(b)
		for i := range members {
			requestTo(b, e, "PutItem",
				fmt.Sprintf(`{"TableName":"chat","Item":{"pk":{"S":"ROOM#lobby#0"},"sk":{"S":"L0SM9cOFvHcCIhw%05d="},
				"sub":{"S":"user-%d"},"sx":{"N":"2000000000"},"connectedAt":{"N":"1700000000000"}}}`, i, i))
		}
		const whole = `{"TableName":"chat","KeyConditionExpression":"pk = :p","ConsistentRead":true,` +
			`"ExpressionAttributeValues":{":p":{"S":"ROOM#lobby#0"}}}`
		const filtered = `{"TableName":"chat","KeyConditionExpression":"pk = :p","ConsistentRead":true,
			"FilterExpression":"sx > :now","ProjectionExpression":"sk, sx, connectedAt",
			"ExpressionAttributeValues":{":p":{"S":"ROOM#lobby#0"},":now":{"N":"1700000000"}}}`
		const projected = `{"TableName":"chat","KeyConditionExpression":"pk = :p","ConsistentRead":true,
			"ProjectionExpression":"sk, sx, connectedAt",
			"ExpressionAttributeValues":{":p":{"S":"ROOM#lobby#0"}}}`
		for name, body := range map[string]string{"whole": whole, "projected": projected, "filtered": filtered} {
			b.Run(fmt.Sprintf("%s/%d", name, members), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					requestTo(b, e, "Query", body)
				}
			})
		}
	}
}

// BenchmarkConnect performs the transaction that admits a connection, and the one that removes it.
func BenchmarkConnect(b *testing.B) {
	e := benchmarkEngine(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		requestTo(b, e, "TransactWriteItems", fmt.Sprintf(`{"ClientRequestToken":"token-%d","TransactItems":[
			{"Put":{"TableName":"chat","Item":{"pk":{"S":"TICKET#%[1]d"},"sk":{"S":"TICKET"},
				"expiresAt":{"N":"1700000000"}},"ConditionExpression":"attribute_not_exists(pk)"}},
			{"Update":{"TableName":"chat","Key":{"pk":{"S":"USER#alice"},"sk":{"S":"USER"}},
				"UpdateExpression":"SET #c = :sx ADD n :1",
				"ConditionExpression":"(attribute_not_exists(notBefore) OR notBefore < :ait)`+
			` AND (attribute_not_exists(n) OR n < :max)",
				"ExpressionAttributeNames":{"#c":"c_%[1]d"},
				"ExpressionAttributeValues":{":sx":{"N":"2000000000"},":1":{"N":"1"},":ait":{"N":"1700000000"},
					":max":{"N":"5"}},"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}},
			{"Put":{"TableName":"chat","Item":{"pk":{"S":"CONN#%[1]d"},"sk":{"S":"CONN"},
				"sub":{"S":"alice"},"sx":{"N":"2000000000"}}}},
			{"Put":{"TableName":"chat","Item":{"pk":{"S":"ROOM#lobby#0"},"sk":{"S":"%[1]d"},
				"sub":{"S":"alice"},"sx":{"N":"2000000000"}}}}]}`, i))
		requestTo(b, e, "TransactWriteItems", fmt.Sprintf(`{"TransactItems":[
			{"Delete":{"TableName":"chat","Key":{"pk":{"S":"CONN#%[1]d"},"sk":{"S":"CONN"}},
				"ConditionExpression":"attribute_exists(pk)"}},
			{"Delete":{"TableName":"chat","Key":{"pk":{"S":"ROOM#lobby#0"},"sk":{"S":"%[1]d"}}}},
			{"Update":{"TableName":"chat","Key":{"pk":{"S":"USER#alice"},"sk":{"S":"USER"}},
				"UpdateExpression":"REMOVE #c ADD n :m","ExpressionAttributeNames":{"#c":"c_%[1]d"},
				"ExpressionAttributeValues":{":m":{"N":"-1"}}}}]}`, i))
	}
}
