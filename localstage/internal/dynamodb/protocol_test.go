package dynamodb

import (
	"encoding/json"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"signedsocket/internal/stageclient/clienttest"
)

// post sends a raw request and returns the answer's status, headers and body.
func post(t *testing.T, url, target, body string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", target)
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	return clienttest.Fetch(t, http.DefaultClient.Do, request)
}

const makeChat = `{"TableName":"chat","BillingMode":"PAY_PER_REQUEST",
	"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
	"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}]}`

func TestEveryAnswerHasChecksumAndRequestID(t *testing.T) {
	t.Parallel()
	url := serve(t, openEngine(t, Options{}))
	for name, r := range map[string]struct {
		target, body string
		status       int
	}{
		"success":           {"DynamoDB_20120810.ListTables", `{}`, 200},
		"refusal":           {"DynamoDB_20120810.GetItem", `{"TableName":"nowhere","Key":{"pk":{"S":"x"}}}`, 400},
		"unknown operation": {"DynamoDB_20120810.ExecuteStatement", `{}`, 400},
		"no operation":      {"", `{}`, 400},
		"no JSON":           {"DynamoDB_20120810.GetItem", `{`, 400},
	} {
		response, body := post(t, url, r.target, r.body)
		if response.StatusCode != r.status {
			t.Errorf("%s: status %d, want %d: %s", name, response.StatusCode, r.status, body)
		}
		checksum := strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(body))), 10)
		if got := response.Header.Get("X-Amz-Crc32"); got != checksum {
			t.Errorf("%s: checksum %s, want %s", name, got, checksum)
		}
		if got := response.Header.Get("X-Amzn-Requestid"); len(got) != 52 {
			t.Errorf("%s: request id %q", name, got)
		}
		if got := response.Header.Get("Content-Type"); got != "application/x-amz-json-1.0" {
			t.Errorf("%s: content type %q", name, got)
		}
	}
}

// errorShapes are the cases of TestErrorsNameTheirShape.
var errorShapes = map[string]struct{ operation, body, shape, message string }{
	"unknown operation": {
		"BatchExecuteStatement",
		`{}`,
		"com.amazon.coral.service#UnknownOperationException",
		`does not have the operation "BatchExecuteStatement"`,
	},
	"missing table": {
		"GetItem",
		`{"TableName":"nowhere","Key":{"pk":{"S":"x"}}}`,
		"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
		"Requested resource not found",
	},
	"no JSON": {"GetItem", `{"TableName"`, "com.amazon.coral.service#SerializationException", ""},
	"a member twice": {
		"GetItem",
		`{"TableName":"chat","TableName":"chat"}`,
		"com.amazon.coral.service#SerializationException",
		"duplicate",
	},
	"wrong type": {"GetItem", `{"TableName":7}`, "com.amazon.coral.service#SerializationException", ""},
	"number as number": {
		"GetItem",
		`{"TableName":"chat","Key":{"pk":{"N":7}}}`,
		"com.amazon.coral.service#SerializationException",
		"expected a string",
	},
	"unknown type": {
		"GetItem",
		`{"TableName":"chat","Key":{"pk":{"Z":"7"}}}`,
		"com.amazon.coral.service#SerializationException",
		`"Z"`,
	},
	"two types": {
		"GetItem",
		`{"TableName":"chat","Key":{"pk":{"S":"7","N":"7"}}}`,
		"com.amazon.coral.validate#ValidationException",
		"more than one datatypes",
	},
	"no base64": {
		"GetItem",
		`{"TableName":"chat","Key":{"pk":{"B":"%"}}}`,
		"com.amazon.coral.service#SerializationException",
		"base64",
	},
	"NULL false": {
		"PutItem",
		`{"TableName":"chat","Item":{"pk":{"NULL":false}}}`,
		"com.amazon.coral.validate#ValidationException",
		"must have the value of true",
	},
}

func TestErrorsNameTheirShape(t *testing.T) {
	t.Parallel()
	url := serve(t, openEngine(t, Options{}))
	post(t, url, "DynamoDB_20120810.CreateTable", makeChat)
	for name, r := range errorShapes {
		response, body := post(t, url, "DynamoDB_20120810."+r.operation, r.body)
		var answer struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Errorf("%s: %v in %s", name, err, body)
		}
		if response.StatusCode != 400 || answer.Type != r.shape || !strings.Contains(answer.Message, r.message) {
			t.Errorf("%s: got %d %s", name, response.StatusCode, body)
		}
	}
}

// The engine refuses by name a parameter that it does not have: an emulator that ignores parameters loses updates.
func TestUnsupportedParametersAreRefusedByName(t *testing.T) {
	t.Parallel()
	url := serve(t, openEngine(t, Options{}))
	post(t, url, "DynamoDB_20120810.CreateTable", makeChat)
	for parameter, r := range map[string]struct{ operation, body string }{
		"Expected": {
			"PutItem", `{"TableName":"chat","Item":{"pk":{"S":"x"}},"Expected":{"pk":{"Exists":false}}}`,
		},
		"AttributeUpdates": {
			"UpdateItem", `{"TableName":"chat","Key":{"pk":{"S":"x"}},"AttributeUpdates":{}}`,
		},
		"AttributesToGet": {
			"GetItem", `{"TableName":"chat","Key":{"pk":{"S":"x"}},"AttributesToGet":["a"]}`,
		},
		"KeyConditions": {"Query", `{"TableName":"chat","KeyConditions":{}}`},
		"IndexName": {"Query", `{"TableName":"chat","IndexName":"i",` +
			`"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"x"}}}`},
		"Segment":   {"Scan", `{"TableName":"chat","Segment":0,"TotalSegments":2}`},
		"tableName": {"Scan", `{"tableName":"chat"}`},
		"TransactItems.0.Put.Return": {
			"TransactWriteItems",
			`{"TransactItems":[{"Put":{"TableName":"chat","Item":{"pk":{"S":"x"}},"Return":"ALL_OLD"}}]}`,
		},
		"GlobalSecondaryIndexes": {"CreateTable", strings.Replace(makeChat, `{"TableName":"chat"`,
			`{"TableName":"other","GlobalSecondaryIndexes":[{"IndexName":"i"}]`, 1)},
		"LocalSecondaryIndexes": {"CreateTable", strings.Replace(makeChat, `{"TableName":"chat"`,
			`{"TableName":"other","LocalSecondaryIndexes":[{"IndexName":"i"}]`, 1)},
		"StreamSpecification": {"CreateTable", strings.Replace(makeChat, `{"TableName":"chat"`,
			`{"TableName":"other","StreamSpecification":{"StreamEnabled":true}`, 1)},
		"Tags": {"CreateTable", strings.Replace(makeChat, `{"TableName":"chat"`, `{"TableName":"other","Tags":[]`, 1)},
	} {
		response, body := post(t, url, "DynamoDB_20120810."+r.operation, r.body)
		if response.StatusCode != 400 || !strings.Contains(body, "ValidationException") ||
			!strings.Contains(body, "does not have the parameter "+parameter+".") {
			t.Errorf("%s with %s: got %d %s", r.operation, parameter, response.StatusCode, body)
		}
	}
}

func scanChat(more string) string { return `{"TableName":"chat",` + more + `}` }

func createOther(more string) string {
	return strings.Replace(makeChat, `"TableName":"chat","BillingMode":"PAY_PER_REQUEST"`,
		`"TableName":"other",`+more, 1)
}

// invalidParameters are the cases of TestParametersAreChecked.
var invalidParameters = map[string]struct{ operation, body, message string }{
	"short table name":             {"Scan", `{"TableName":"ab"}`, "at least 3 characters"},
	"odd table name":               {"Scan", `{"TableName":"a/b/c"}`, "may contain only"},
	"select":                       {"Scan", scanChat(`"Select":"SOME"`), "enum value set"},
	"select of an index":           {"Scan", scanChat(`"Select":"ALL_PROJECTED_ATTRIBUTES"`), "IndexName"},
	"select without an expression": {"Scan", scanChat(`"Select":"SPECIFIC_ATTRIBUTES"`), "ProjectionExpression"},
	"select too much": {
		"Scan", scanChat(`"Select":"COUNT","ProjectionExpression":"a"`), "ProjectionExpression",
	},
	"capacity": {"Scan", scanChat(`"ReturnConsumedCapacity":"SOME"`), "returnConsumedCapacity"},
	"on failure": {
		"PutItem",
		scanChat(`"Item":{"pk":{"S":"x"}},"ReturnValuesOnConditionCheckFailure":"ALL_NEW"`),
		"returnValuesOnConditionCheckFailure",
	},
	"nameless attribute": {"PutItem", scanChat(`"Item":{"pk":{"S":"x"},"":{"S":"x"}}`), "Empty attribute name"},
	"long attribute name": {
		"PutItem", scanChat(`"Item":{"pk":{"S":"x"},"` + strings.Repeat("x", 65536) + `":{"S":"x"}}`), "too large",
	},
	"empty names": {
		"GetItem",
		scanChat(`"Key":{"pk":{"S":"x"}},"ProjectionExpression":"a","ExpressionAttributeNames":{}`),
		"must not be empty",
	},
	"name of nothing": {
		"GetItem",
		scanChat(`"Key":{"pk":{"S":"x"}},"ProjectionExpression":"#a","ExpressionAttributeNames":{"#a":""}`),
		"invalid value",
	},
	"billing mode":  {"CreateTable", createOther(`"BillingMode":"FREE"`), "enum value set"},
	"no throughput": {"CreateTable", createOther(`"BillingMode":"PROVISIONED"`), "must be specified"},
	"throughput of nothing": {
		"CreateTable",
		createOther(`"ProvisionedThroughput":{"ReadCapacityUnits":0,"WriteCapacityUnits":1}`),
		"greater than or equal to 1",
	},
	"table class": {
		"CreateTable", createOther(`"BillingMode":"PAY_PER_REQUEST","TableClass":"BUSINESS"`), "enum value set",
	},
	"attribute type": {
		"CreateTable",
		strings.Replace(createOther(`"BillingMode":"PAY_PER_REQUEST"`), `"AttributeType":"S"`, `"AttributeType":"M"`,
			1),
		"enum value set",
	},
	"no key": {
		"CreateTable", `{"TableName":"other","BillingMode":"PAY_PER_REQUEST"}`, "length 1 or 2",
	},
	"list limit": {"ListTables", `{"Limit":101}`, "between 1 and 100"},
	"time to live without an attribute": {
		"UpdateTimeToLive", scanChat(`"TimeToLiveSpecification":{"Enabled":true,"AttributeName":""}`), "AttributeName",
	},
	"nothing to read": {"TransactGetItems", `{"TransactItems":[{}]}`, "must not be null"},
	"update without an expression": {
		"TransactWriteItems",
		`{"TransactItems":[{"Update":{"TableName":"chat","Key":{"pk":{"S":"x"}}}}]}`,
		"updateExpression",
	},
	"check without a condition": {
		"TransactWriteItems",
		`{"TransactItems":[{"ConditionCheck":{"TableName":"chat","Key":{"pk":{"S":"x"}}}}]}`,
		"conditionExpression",
	},
}

func TestParametersAreChecked(t *testing.T) {
	t.Parallel()
	url := serve(t, openEngine(t, Options{}))
	post(t, url, "DynamoDB_20120810.CreateTable", makeChat)
	for name, r := range invalidParameters {
		response, body := post(t, url, "DynamoDB_20120810."+r.operation, r.body)
		if response.StatusCode != 400 || !strings.Contains(body, "ValidationException") ||
			!strings.Contains(body, r.message) {
			t.Errorf("%s: got %d %s", name, response.StatusCode, body)
		}
	}
}

func TestTableKeepsItsSettings(t *testing.T) {
	t.Parallel()
	url := serve(t, openEngine(t, Options{Region: "eu-west-1", AccountID: "444455556666"}))
	post(t, url, "DynamoDB_20120810.CreateTable",
		`{"TableName":"chat","ProvisionedThroughput":{"ReadCapacityUnits":3,"WriteCapacityUnits":4},
		"TableClass":"STANDARD_INFREQUENT_ACCESS","SSESpecification":{"Enabled":true},"DeletionProtectionEnabled":true,
		"StreamSpecification":{"StreamEnabled":false},
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"B"}]}`)
	_, body := post(t, url, "DynamoDB_20120810.DescribeTable", `{"TableName":"chat"}`)
	for _, want := range []string{`"ReadCapacityUnits":3`, `"WriteCapacityUnits":4`,
		`"TableClass":"STANDARD_INFREQUENT_ACCESS"`, `"SSEType":"KMS"`,
		`"DeletionProtectionEnabled":true`, `"AttributeType":"B"`,
		`"arn:aws:dynamodb:eu-west-1:444455556666:table/chat"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not in %s", want, body)
		}
	}
}

func TestRequestsArePosts(t *testing.T) {
	t.Parallel()
	url := serve(t, openEngine(t, Options{}))
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != 400 || response.Header.Get("X-Amz-Crc32") == "" {
		t.Errorf("GET: got %s", response.Status)
	}
}

func TestHugeRequestIsRefused(t *testing.T) {
	t.Parallel()
	url := serve(t, openEngine(t, Options{}))
	response, body := post(t, url, "DynamoDB_20120810.ListTables", strings.Repeat(" ", maxRequest+1))
	if response.StatusCode != 400 || !strings.Contains(body, "too large") {
		t.Errorf("got %s %s", response.Status, body)
	}
}

func TestProtectedTableIsNotDeleted(t *testing.T) {
	t.Parallel()
	url := serve(t, openEngine(t, Options{}))
	post(t, url, "DynamoDB_20120810.CreateTable",
		strings.Replace(makeChat, `{`, `{"DeletionProtectionEnabled":true,`, 1))
	response, body := post(t, url, "DynamoDB_20120810.DeleteTable", `{"TableName":"chat"}`)
	if response.StatusCode != 400 || !strings.Contains(body, "protected against deletion") {
		t.Errorf("got %s %s", response.Status, body)
	}
}

func TestTablesAreListedInPages(t *testing.T) {
	t.Parallel()
	url := serve(t, openEngine(t, Options{}))
	for _, name := range []string{"ccc", "aaa", "bbb"} {
		post(t, url, "DynamoDB_20120810.CreateTable", strings.Replace(makeChat, "chat", name, 1))
	}
	for request, want := range map[string]string{
		`{}`:          `{"TableNames":["aaa","bbb","ccc"]}`,
		`{"Limit":2}`: `{"TableNames":["aaa","bbb"],"LastEvaluatedTableName":"bbb"}`,
		`{"Limit":2,"ExclusiveStartTableName":"bbb"}`: `{"TableNames":["ccc"]}`,
		`{"ExclusiveStartTableName":"ab"}`:            `{"TableNames":["bbb","ccc"]}`,
	} {
		if _, got := post(t, url, "DynamoDB_20120810.ListTables", request); got != want {
			t.Errorf("%s: got %s, want %s", request, got, want)
		}
	}
}

func TestClosedEngineAnswersInternalError(t *testing.T) {
	t.Parallel()
	e := openEngine(t, Options{})
	url := serve(t, e)
	post(t, url, "DynamoDB_20120810.CreateTable", makeChat)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	response, body := post(t, url, "DynamoDB_20120810.GetItem", `{"TableName":"chat","Key":{"pk":{"S":"x"}}}`)
	if response.StatusCode != 500 || !strings.Contains(body, "#InternalServerError") {
		t.Errorf("got %s %s", response.Status, body)
	}
}
