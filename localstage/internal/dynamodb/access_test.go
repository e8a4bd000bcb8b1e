package dynamodb

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// keyOfChat knows one table.
func keyOfChat(table string) (string, error) {
	if table != "chat" {
		return "", tableNotFound()
	}
	return "pk", nil
}

// neededPermissions are the cases of TestAccessReturnsTheNeededPermissions.
var neededPermissions = map[string]struct {
	operation, body string
	want            []permission
}{
	"get": {
		"GetItem",
		`{"TableName":"chat","Key":{"pk":{"S":"USER#alice"},"sk":{"S":"USER"}}}`,
		[]permission{{Action: "dynamodb:GetItem", Table: "chat", LeadingKeys: []string{"USER#alice"}}},
	},
	"put": {
		"PutItem",
		`{"TableName":"chat","Item":{"x":{"S":"y"},"pk":{"N":"1.0"}}}`,
		[]permission{{Action: "dynamodb:PutItem", Table: "chat", LeadingKeys: []string{"1"}}},
	},
	"update": {
		"UpdateItem",
		`{"TableName":"chat","Key":{"pk":{"B":"AAE="}},"UpdateExpression":"REMOVE x"}`,
		[]permission{{Action: "dynamodb:UpdateItem", Table: "chat", LeadingKeys: []string{"\x00\x01"}}},
	},
	"delete": {
		"DeleteItem",
		`{"TableName":"chat","Key":{"pk":{"S":"x"}},"ReturnConsumedCapacity":"TOTAL"}`,
		[]permission{{Action: "dynamodb:DeleteItem", Table: "chat", LeadingKeys: []string{"x"}}},
	},
	"query": {"Query", `{"TableName":"chat","KeyConditionExpression":"#s > :s AND (:p = #p)",` +
		`"ExpressionAttributeNames":{"#p":"pk","#s":"sk","#u":"unused"},` +
		`"ExpressionAttributeValues":{":p":{"S":"ROOM#a"},":s":{"S":"x"}}}`,
		[]permission{{Action: "dynamodb:Query", Table: "chat", LeadingKeys: []string{"ROOM#a"}}}},
	"scan": {"Scan", `{"TableName":"chat"}`, []permission{{Action: "dynamodb:Scan", Table: "chat"}}},
	"transaction": {"TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"chat",` +
		`"Item":{"pk":{"S":"x"}}}},{"Update":{"TableName":"chat","Key":{}}},{"Delete":{"TableName":"other"}},` +
		`{"ConditionCheck":{"TableName":"chat"}}]}`,
		[]permission{
			{Action: "dynamodb:PutItem", Table: "chat", EnclosingOperation: "TransactWriteItems"},
			{Action: "dynamodb:UpdateItem", Table: "chat", EnclosingOperation: "TransactWriteItems"},
			{Action: "dynamodb:DeleteItem", Table: "other", EnclosingOperation: "TransactWriteItems"},
			{Action: "dynamodb:ConditionCheckItem", Table: "chat", EnclosingOperation: "TransactWriteItems"},
		}},
	"all actions of one item": {"TransactWriteItems",
		`{"TransactItems":[{"Put":{"TableName":"chat"},"Delete":{"TableName":"other"}}]}`,
		[]permission{
			{Action: "dynamodb:DeleteItem", Table: "other", EnclosingOperation: "TransactWriteItems"},
			{Action: "dynamodb:PutItem", Table: "chat", EnclosingOperation: "TransactWriteItems"},
		}},
	"batch of writes": {"BatchWriteItem", `{"RequestItems":{"chat":[{"PutRequest":{"Item":{"pk":{"S":"x"}}}},` +
		`{"DeleteRequest":{"Key":{"pk":{"S":"y"}}}}]}}`,
		[]permission{{Action: "dynamodb:BatchWriteItem", Table: "chat", LeadingKeys: []string{"x", "y"}}}},
	"batch of reads": {"BatchGetItem", `{"RequestItems":{"chat":{"Keys":[{"pk":{"S":"x"}},{"pk":{"N":"1.0"}}]}}}`,
		[]permission{{Action: "dynamodb:BatchGetItem", Table: "chat", LeadingKeys: []string{"x", "1"}}}},
	"reading transaction": {
		"TransactGetItems",
		`{"TransactItems":[{"Get":{"TableName":"chat","Key":{"pk":{"S":"x"}}}}]}`,
		[]permission{{Action: "dynamodb:GetItem", Table: "chat", EnclosingOperation: "TransactGetItems"}},
	},
	"list": {"ListTables", `{}`, []permission{{Action: "dynamodb:ListTables"}}},
	"describe": {
		"DescribeTable", `{"TableName":"other"}`, []permission{{Action: "dynamodb:DescribeTable", Table: "other"}},
	},
	"create": {
		"CreateTable",
		`{"TableName":"new","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}`,
		[]permission{{Action: "dynamodb:CreateTable", Table: "new"}},
	},
}

func TestAccessReturnsTheNeededPermissions(t *testing.T) {
	t.Parallel()
	for name, r := range neededPermissions {
		got, err := access(r.operation, []byte(r.body), keyOfChat)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(r.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// unclearAccesses are the cases of TestAccessFailsClosed.
var unclearAccesses = map[string]struct{ operation, body, code string }{
	"unknown operation":         {"ExecuteStatement", `{"Statement":"SELECT"}`, "UnknownOperationException"},
	"batch of nothing":          {"BatchGetItem", `{"RequestItems":{}}`, "ValidationException"},
	"batch of an unknown table": {"BatchWriteItem", `{"RequestItems":{"other":[]}}`, "ResourceNotFoundException"},
	"batch without a key": {
		"BatchWriteItem",
		`{"RequestItems":{"chat":[{"DeleteRequest":{"Key":{"pk":{"S":"x"}}}},{"PutRequest":{"Item":{}}}]}}`,
		"ValidationException",
	},
	"batch that is a list": {"BatchWriteItem", `{"RequestItems":[]}`, "SerializationException"},
	"unknown table": {
		"GetItem", `{"TableName":"other","Key":{"pk":{"S":"x"}}}`, "ResourceNotFoundException",
	},
	"no table": {"Scan", `{}`, "ValidationException"},
	"ARN": {
		"Scan", `{"TableName":"arn:aws:dynamodb:us-east-1:111122223333:table/chat"}`, "ValidationException",
	},
	"table twice": {
		"GetItem", `{"TableName":"chat","TableName":"other","Key":{"pk":{"S":"x"}}}`, "SerializationException",
	},
	"key twice": {
		"GetItem", `{"TableName":"chat","Key":{"pk":{"S":"x"},"pk":{"S":"y"}}}`, "SerializationException",
	},
	"wrong case": {
		"GetItem", `{"tablename":"chat","key":{"pk":{"S":"x"}}}`, "ResourceNotFoundException",
	},
	"no key": {"GetItem", `{"TableName":"chat"}`, "ValidationException"},
	"key without partition key": {
		"UpdateItem", `{"TableName":"chat","Key":{"sk":{"S":"x"}}}`, "ValidationException",
	},
	"key of a list": {
		"UpdateItem", `{"TableName":"chat","Key":{"pk":{"L":[]}}}`, "ValidationException",
	},
	"query by index": {"Query", `{"TableName":"chat","IndexName":"i",` +
		`"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"x"}}}`, "ValidationException"},
	"scan of an index":        {"Scan", `{"TableName":"chat","IndexName":"i"}`, "ValidationException"},
	"query without condition": {"Query", `{"TableName":"chat"}`, "ValidationException"},
	"query by legacy condition": {
		"Query",
		`{"TableName":"chat","KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"x"}]}}}`,
		"ValidationException",
	},
	"query by OR": {"Query", `{"TableName":"chat","KeyConditionExpression":"pk = :p OR pk = :q",` +
		`"ExpressionAttributeValues":{":p":{"S":"x"},":q":{"S":"y"}}}`, "ValidationException"},
	"query of two partitions": {"Query", `{"TableName":"chat","KeyConditionExpression":"pk = :p AND pk = :q",` +
		`"ExpressionAttributeValues":{":p":{"S":"x"},":q":{"S":"y"}}}`, "ValidationException"},
	"query by NOT": {
		"Query",
		`{"TableName":"chat","KeyConditionExpression":"NOT pk = :p","ExpressionAttributeValues":{":p":{"S":"x"}}}`,
		"ValidationException",
	},
	"query by prefix": {"Query", `{"TableName":"chat","KeyConditionExpression":"begins_with(pk, :p)",` +
		`"ExpressionAttributeValues":{":p":{"S":"x"}}}`, "ValidationException"},
	"empty transaction":      {"TransactWriteItems", `{}`, "ValidationException"},
	"empty transaction item": {"TransactWriteItems", `{"TransactItems":[{}]}`, "ValidationException"},
	"unknown transaction item": {
		"TransactWriteItems", `{"TransactItems":[{"Get":{"TableName":"chat"}}]}`, "ValidationException",
	},
	"transaction item no table": {
		"TransactWriteItems", `{"TransactItems":[{"Put":{"Item":{}}}]}`, "ValidationException",
	},
	"no JSON": {"GetItem", `{`, "SerializationException"},
}

// access refuses a request when it cannot be certain which keys the request touches.
func TestAccessFailsClosed(t *testing.T) {
	t.Parallel()
	for name, r := range unclearAccesses {
		got, err := access(r.operation, []byte(r.body), keyOfChat)
		refusal, ok := err.(*Error)
		if !ok || refusal.Code() != r.code {
			t.Errorf("%s: got %v and %v, want %s", name, got, err, r.code)
		}
	}
}

// FuzzAccess checks that a permission names every key that the request reads or writes.
func FuzzAccess(f *testing.F) {
	for _, operation := range []string{"GetItem", "PutItem", "Query", "TransactWriteItems", "Scan", "BatchGetItem"} {
		f.Add(operation, []byte(`{"TableName":"chat","Key":{"pk":{"S":"x"}},"Item":{"pk":{"S":"x"}},`+
			`"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"x"}},`+
			`"TransactItems":[{"Put":{"TableName":"chat"}}]}`))
	}
	f.Fuzz(func(t *testing.T, operation string, body []byte) {
		requests, err := access(operation, body, keyOfChat)
		if err != nil {
			if _, ok := err.(*Error); !ok {
				t.Fatalf("%v is no answer", err)
			}
			return
		}
		if len(requests) == 0 {
			t.Fatal("a request that needs no permission")
		}
		for _, r := range requests {
			if !strings.HasPrefix(r.Action, "dynamodb:") || r.Table == "" && r.Action != "dynamodb:ListTables" {
				t.Fatalf("unclear permission %+v", r)
			}
		}
	})
}
