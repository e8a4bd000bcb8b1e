package dynamodb

import (
	"maps"
	"slices"

	"go.etcd.io/bbolt"
)

// Limits of batches. Source: BatchWriteItem and BatchGetItem of the API reference.
const (
	maxBatchWrites = 25
	maxBatchReads  = 100
	maxBatchBytes  = 16 << 20 // of the items read
)

type batchWriteItemRequest struct {
	RequestItems           map[string][]batchWrite // by table
	ReturnConsumedCapacity string
}

// batchWrite must hold exactly one of its members.
type batchWrite struct {
	PutRequest    *struct{ Item mapValue }
	DeleteRequest *struct{ Key mapValue }
}

type batchGetItemRequest struct {
	RequestItems           map[string]batchGet // by table
	ReturnConsumedCapacity string
}

type batchGet struct {
	Keys                     []mapValue
	ConsistentRead           bool
	ProjectionExpression     *string
	ExpressionAttributeNames map[string]string
}

// batchWriteItem does every write of a batch, each on its own. It leaves no write unprocessed.
func (e *Engine) batchWriteItem(request *batchWriteItemRequest) ([]byte, error) {
	writes, err := e.newBatchWrites(request)
	if err != nil {
		return nil, err
	}
	total := capacity{}
	for _, w := range writes {
		c, err := e.do(w)
		if err != nil {
			return nil, err
		}
		w.consumed(c, total, consistentFactor)
	}
	var a answer
	a.raw("UnprocessedItems", []byte("{}"))
	total.list(&a, request.ReturnConsumedCapacity)
	return a.done(), nil
}

// newBatchWrites checks the writes of a batch. Unlike in a transaction, one invalid write refuses the whole batch.
func (e *Engine) newBatchWrites(request *batchWriteItemRequest) ([]*write, error) {
	count := 0
	for _, list := range request.RequestItems {
		count += len(list)
	}
	if err := checkBatch("BatchWriteItem", len(request.RequestItems), count, maxBatchWrites,
		request.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	var writes []*write
	seen := map[string]bool{}
	for _, table := range slices.Sorted(maps.Keys(request.RequestItems)) {
		list := request.RequestItems[table]
		if len(list) == 0 {
			return nil, invalid("The batch write request list for a table cannot be null or empty: %s", table)
		}
		for _, one := range list {
			w, err := e.newBatchWrite(table, one)
			if err != nil {
				return nil, err
			}
			if err := checkDistinctKey(seen, table, w.key); err != nil {
				return nil, err
			}
			writes = append(writes, w)
		}
	}
	return writes, nil
}

func (e *Engine) newBatchWrite(table string, one batchWrite) (*write, error) {
	of := conditionParameters{TableName: table}
	switch {
	case one.PutRequest != nil && one.DeleteRequest != nil:
		return nil, invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of " +
			"the supported datatypes")
	case one.PutRequest != nil:
		return e.newPut(&putParameters{conditionParameters: of, Item: one.PutRequest.Item})
	case one.DeleteRequest != nil:
		return e.newKeyWrite(deleteWrite, &keyParameters{conditionParameters: of, Key: one.DeleteRequest.Key})
	}
	return nil, invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
}

func checkBatch(operation string, tables, items, most int, returnConsumedCapacity string) error {
	switch {
	case tables == 0:
		return invalid("1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: " +
			"Member must have length greater than or equal to 1")
	case items > most:
		return invalid("Too many items requested for the %s call", operation)
	}
	return checkReturnConsumedCapacity(returnConsumedCapacity)
}

func checkDistinctKey(seen map[string]bool, table string, key []byte) error {
	id := table + "/" + string(key)
	if seen[id] {
		return invalid("Provided list of item keys contains duplicates")
	}
	seen[id] = true
	return nil
}

// batchRead is one item to read, with its key as it came.
type batchRead struct {
	*read
	key mapValue
}

// batchGetItem reads items in no promised order. It leaves items unprocessed that would make the answer too large.
func (e *Engine) batchGetItem(request *batchGetItemRequest) ([]byte, error) {
	reads, err := e.newBatchReads(request)
	if err != nil {
		return nil, err
	}
	total := capacity{}
	var responses, unprocessed answer
	err = e.db.View(func(tx *bbolt.Tx) error {
		size := 0
		for _, table := range slices.Sorted(maps.Keys(reads)) {
			of := request.RequestItems[table]
			items, left, err := readBatch(tx, reads[table], &size, total, readFactor(of.ConsistentRead))
			if err != nil {
				return err
			}
			responses.raw(table, append(items, ']'))
			if len(left) > 0 {
				unprocessed.raw(table, of.wire(left))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var a answer
	a.raw("Responses", responses.done())
	a.raw("UnprocessedKeys", unprocessed.done())
	total.list(&a, request.ReturnConsumedCapacity)
	return a.done(), nil
}

func (e *Engine) newBatchReads(request *batchGetItemRequest) (map[string][]batchRead, error) {
	count := 0
	for _, of := range request.RequestItems {
		count += len(of.Keys)
	}
	if err := checkBatch("BatchGetItem", len(request.RequestItems), count, maxBatchReads,
		request.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	reads := make(map[string][]batchRead, len(request.RequestItems))
	seen := map[string]bool{}
	for table, of := range request.RequestItems {
		if len(of.Keys) == 0 {
			return nil, invalid("1 validation error detected: Value '[]' at 'requestItems.%s.member.keys' failed to "+
				"satisfy constraint: Member must have length greater than or equal to 1", table)
		}
		for _, key := range of.Keys {
			r, err := e.newRead(&getParameters{
				TableName: table, Key: key, ProjectionExpression: of.ProjectionExpression,
				ExpressionAttributeNames: of.ExpressionAttributeNames,
			})
			if err != nil {
				return nil, err
			}
			if err := checkDistinctKey(seen, table, r.key); err != nil {
				return nil, err
			}
			reads[table] = append(reads[table], batchRead{r, key})
		}
	}
	return reads, nil
}

// readBatch reads items of one table as long as size, which it increases, has room. It returns their list without its
// end, and the keys of the items that do not fit.
func readBatch(
	tx *bbolt.Tx, reads []batchRead, size *int, total capacity, factor float64,
) (list []byte, left []mapValue, err error) {
	list = []byte{'['}
	for _, r := range reads {
		items, err := r.table.items(tx)
		if err != nil {
			return nil, nil, err
		}
		stored := storedItem(items.Get(r.read.key))
		if *size += stored.size(); *size > maxBatchBytes {
			left = append(left, r.key)
			continue
		}
		total.add(r.table.Name, stored.size(), readUnit, factor)
		if stored == nil {
			continue
		}
		if len(list) > 1 {
			list = append(list, ',')
		}
		if list, err = appendProjected(list, stored, r.projection); err != nil {
			return nil, nil, err
		}
	}
	return list, left, nil
}

// wire returns the JSON form of the request for some of its keys, so that the client can send it again.
func (g batchGet) wire(keys []mapValue) []byte {
	list := []byte{'['}
	for i, key := range keys {
		if i > 0 {
			list = append(list, ',')
		}
		list = appendItem(list, key)
	}
	var a answer
	a.raw("Keys", append(list, ']'))
	if g.ConsistentRead {
		a.raw("ConsistentRead", []byte("true"))
	}
	if g.ProjectionExpression != nil {
		a.text("ProjectionExpression", *g.ProjectionExpression)
	}
	if len(g.ExpressionAttributeNames) > 0 {
		var of answer
		for _, placeholder := range slices.Sorted(maps.Keys(g.ExpressionAttributeNames)) {
			of.text(placeholder, g.ExpressionAttributeNames[placeholder])
		}
		a.raw("ExpressionAttributeNames", of.done())
	}
	return a.done()
}
