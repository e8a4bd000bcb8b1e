package dynamodb

import (
	"errors"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
)

// permission is what a request to DynamoDB needs, in the words of IAM. The condition keys have the names of the service
// authorization reference, "Actions, resources, and condition keys for Amazon DynamoDB".
type permission struct {
	// Action is the IAM action, such as "dynamodb:PutItem".
	Action string

	// Table is the name of the table; empty means no single table (ListTables).
	Table string

	// LeadingKeys are the partition key values that the request names, for the condition key dynamodb:LeadingKeys:
	// texts as they are, numbers in their canonical spelling, binaries as their bytes. nil means that the request has
	// no such condition key: operations on tables, Scan, and transactions, for which AWS does not document it.
	LeadingKeys []string

	// EnclosingOperation is TransactWriteItems or TransactGetItems for the parts of a transaction, for the condition
	// key dynamodb:EnclosingOperation. Empty means that the request has no such condition key.
	EnclosingOperation string
}

// access returns the permissions that a request needs. Its sender must have all of them. operation is the name that
// [operationIn] returns, body the JSON body. partitionKey returns the name of a table's partition key attribute.
//
// access works for any engine, but only for the operations of this one. It fails closed: a request that it cannot judge
// is an error, of type *Error like those of partitionKey, which can be the answer. It reads a body no less strictly
// than the service (no member twice, names exactly so), but ignores members without influence on access.
func access(operation string, body []byte, partitionKey func(table string) (string, error)) ([]permission, error) {
	var r accessRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, unreadable(err)
	}
	switch operation {
	case "GetItem", "UpdateItem", "DeleteItem":
		return itemAccess(operation, r.TableName, r.Key, partitionKey)
	case "PutItem":
		return itemAccess(operation, r.TableName, r.Item, partitionKey)
	case "Query":
		return r.queryAccess(partitionKey)
	case "BatchWriteItem":
		return batchWriteAccess(body, partitionKey)
	case "BatchGetItem":
		return batchGetAccess(body, partitionKey)
	case "TransactWriteItems", "TransactGetItems":
		return r.transactionAccess(operation)
	case "ListTables":
		return []permission{{Action: "dynamodb:ListTables"}}, nil
	case "Scan", "CreateTable", "DescribeTable", "DeleteTable", "UpdateTimeToLive", "DescribeTimeToLive":
		if r.IndexName != "" {
			return nil, unsupported("access to indexes")
		}
		return tableAccess(permission{Action: "dynamodb:" + operation, Table: r.TableName})
	}
	return nil, unknownOperation("The local stage does not know which permissions the operation %q needs.", operation)
}

// unreadable is the error for a body that cannot be read.
func unreadable(err error) error {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal
	}
	return malformed("The request does not fit the operation: %v", err)
}

// accessRequest holds the members of all requests that name tables, keys and actions.
type accessRequest struct {
	TableName string
	IndexName string
	Key       mapValue
	Item      mapValue

	KeyConditionExpression    *string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues mapValue

	TransactItems []map[string]struct{ TableName string } // by action: Put, Update, Delete, ConditionCheck, Get
}

func tableAccess(needed ...permission) ([]permission, error) {
	for _, r := range needed {
		if err := checkTableName(r.Table); err != nil {
			return nil, err
		}
	}
	return needed, nil
}

func itemAccess(
	operation, table string, item mapValue, partitionKey func(string) (string, error),
) ([]permission, error) {
	name, err := partitionKey(table)
	if err != nil {
		return nil, err
	}
	return keyAccess(operation, table, item[name])
}

func keyAccess(operation, table string, key value) ([]permission, error) {
	text, ok := scalarText(key)
	if !ok {
		return nil, invalid("The provided key element does not match the schema")
	}
	return tableAccess(permission{Action: "dynamodb:" + operation, Table: table, LeadingKeys: []string{text}})
}

func (r *accessRequest) queryAccess(partitionKey func(string) (string, error)) ([]permission, error) {
	if r.IndexName != "" {
		return nil, unsupported("access to indexes")
	}
	name, err := partitionKey(r.TableName)
	if err != nil {
		return nil, err
	}
	bound, err := newBindings(r.ExpressionAttributeNames, r.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	condition, err := parseKeyCondition(r.KeyConditionExpression, bound)
	if err != nil {
		return nil, err
	}
	key, err := condition.partition(name)
	if err != nil {
		return nil, err
	}
	return keyAccess("Query", r.TableName, key)
}

// transactionActions are the IAM actions of the items of a transaction. The transaction itself has none.
// Source: DynamoDB developer guide, "Using IAM with DynamoDB transactions".
func transactionActions(operation string) map[string]string {
	if operation == "TransactGetItems" {
		return map[string]string{"Get": "dynamodb:GetItem"}
	}
	return map[string]string{
		"Put":            "dynamodb:PutItem",
		"Update":         "dynamodb:UpdateItem",
		"Delete":         "dynamodb:DeleteItem",
		"ConditionCheck": "dynamodb:ConditionCheckItem",
	}
}

func (r *accessRequest) transactionAccess(operation string) ([]permission, error) {
	if len(r.TransactItems) == 0 {
		return nil, checkTransactLength(0)
	}
	actions := transactionActions(operation)
	var needed []permission
	for _, item := range r.TransactItems {
		if len(item) == 0 {
			return nil, invalid("TransactItems can only contain one of Check, Put, Update or Delete")
		}
		for _, name := range slices.Sorted(maps.Keys(item)) {
			if actions[name] == "" {
				return nil, unsupported("the transaction item " + name)
			}
			needed = append(needed,
				permission{Action: actions[name], Table: item[name].TableName, EnclosingOperation: operation})
		}
	}
	return tableAccess(needed...)
}
