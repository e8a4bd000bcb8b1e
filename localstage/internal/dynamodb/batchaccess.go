package dynamodb

import (
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
)

// batchWriteAccess and batchGetAccess are [access] for batches: one permission on each table, for all of its keys.

func batchWriteAccess(body []byte, partitionKey func(string) (string, error)) ([]permission, error) {
	var batch struct {
		RequestItems map[string][]batchWrite
	}
	if err := json.Unmarshal(body, &batch); err != nil {
		return nil, unreadable(err)
	}
	keys := make(map[string][]mapValue, len(batch.RequestItems))
	for table, list := range batch.RequestItems {
		keys[table] = nil // a table without a write needs permission, too
		for _, one := range list {
			if one.PutRequest != nil {
				keys[table] = append(keys[table], one.PutRequest.Item)
			}
			if one.DeleteRequest != nil {
				keys[table] = append(keys[table], one.DeleteRequest.Key)
			}
		}
	}
	return batchAccess("BatchWriteItem", keys, partitionKey)
}

func batchGetAccess(body []byte, partitionKey func(string) (string, error)) ([]permission, error) {
	var batch struct {
		RequestItems map[string]struct{ Keys []mapValue }
	}
	if err := json.Unmarshal(body, &batch); err != nil {
		return nil, unreadable(err)
	}
	keys := make(map[string][]mapValue, len(batch.RequestItems))
	for table, of := range batch.RequestItems {
		keys[table] = of.Keys
	}
	return batchAccess("BatchGetItem", keys, partitionKey)
}

func batchAccess(
	operation string, keys map[string][]mapValue, partitionKey func(string) (string, error),
) ([]permission, error) {
	if len(keys) == 0 {
		return nil, checkBatch(operation, 0, 0, 0, "")
	}
	var needed []permission
	for _, table := range slices.Sorted(maps.Keys(keys)) {
		name, err := partitionKey(table)
		if err != nil {
			return nil, err
		}
		leading := make([]string, 0, len(keys[table]))
		for _, key := range keys[table] {
			text, ok := scalarText(key[name])
			if !ok {
				return nil, invalid("The provided key element does not match the schema")
			}
			leading = append(leading, text)
		}
		needed = append(needed, permission{Action: "dynamodb:" + operation, Table: table, LeadingKeys: leading})
	}
	return tableAccess(needed...)
}
