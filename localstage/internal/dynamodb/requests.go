package dynamodb

import (
	"slices"
	"strings"
)

// The requests hold every parameter that the engine knows; decode refuses all others by name. A pointer tells an absent
// parameter from an empty one.

// conditionParameters are the parameters of all conditional writes, alone or in a transaction.
type conditionParameters struct {
	TableName                           string
	ConditionExpression                 *string
	ExpressionAttributeNames            map[string]string
	ExpressionAttributeValues           mapValue
	ReturnValuesOnConditionCheckFailure string
}

type putParameters struct {
	conditionParameters `json:",inline"`
	Item                mapValue
}

type updateParameters struct {
	conditionParameters `json:",inline"`
	Key                 mapValue
	UpdateExpression    *string
}

// keyParameters are those of a deletion and of a transaction's condition check.
type keyParameters struct {
	conditionParameters `json:",inline"`
	Key                 mapValue
}

// returnParameters select the members in the answer to a single write.
type returnParameters struct {
	ReturnValues           string
	ReturnConsumedCapacity string
}

type putItemRequest struct {
	putParameters    `json:",inline"`
	returnParameters `json:",inline"`
}

type updateItemRequest struct {
	updateParameters `json:",inline"`
	returnParameters `json:",inline"`
}

type deleteItemRequest struct {
	keyParameters    `json:",inline"`
	returnParameters `json:",inline"`
}

type getParameters struct {
	TableName                string
	Key                      mapValue
	ProjectionExpression     *string
	ExpressionAttributeNames map[string]string
}

type getItemRequest struct {
	getParameters          `json:",inline"`
	ConsistentRead         bool // every read is consistent here
	ReturnConsumedCapacity string
}

// pageParameters are those that Query and Scan share.
type pageParameters struct {
	TableName                 string
	FilterExpression          *string
	ProjectionExpression      *string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues mapValue
	Select                    string
	Limit                     *int
	ExclusiveStartKey         mapValue
	ConsistentRead            bool
	ReturnConsumedCapacity    string
}

type queryRequest struct {
	pageParameters         `json:",inline"`
	KeyConditionExpression *string
	ScanIndexForward       *bool
}

type transactWriteItemsRequest struct {
	TransactItems          []transactWriteItem
	ClientRequestToken     string
	ReturnConsumedCapacity string
}

// transactWriteItem must hold exactly one of its members.
type transactWriteItem struct {
	Put            *putParameters
	Update         *updateParameters
	Delete         *keyParameters
	ConditionCheck *keyParameters
}

type transactGetItemsRequest struct {
	TransactItems          []transactGetItem
	ReturnConsumedCapacity string
}

type transactGetItem struct {
	Get *getParameters
}

// oneOf checks a parameter that has a closed set of values. An absent one is valid.
func oneOf(parameter, v string, allowed ...string) error {
	if v == "" || slices.Contains(allowed, v) {
		return nil
	}
	return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must "+
		"satisfy enum value set: [%s]",
		v, parameter, strings.Join(allowed, ", "))
}

func checkReturnConsumedCapacity(v string) error {
	return oneOf("returnConsumedCapacity", v, "INDEXES", "TOTAL", "NONE")
}
