package dynamodb

import "go.etcd.io/bbolt"

// read is a checked request for one item, alone or in a transaction.
type read struct {
	table      *table
	key        []byte
	projection *pathTree
}

func (e *Engine) newRead(p *getParameters) (*read, error) {
	bound, err := newBindings(p.ExpressionAttributeNames, nil)
	if err != nil {
		return nil, err
	}
	r := new(read)
	if r.projection, err = parseProjection(p.ProjectionExpression, bound); err != nil {
		return nil, err
	}
	if err := bound.checkUsed(); err != nil {
		return nil, err
	}
	if r.table, err = e.table(p.TableName); err != nil {
		return nil, err
	}
	r.key, err = r.table.keyFrom(p.Key)
	return r, err
}

// answer appends the member Item to a, unless there is no item, and counts the cost.
func (r *read) answer(tx *bbolt.Tx, a *answer, total capacity, factor float64) error {
	items, err := r.table.items(tx)
	if err != nil {
		return err
	}
	stored := storedItem(items.Get(r.key))
	total.add(r.table.Name, stored.size(), readUnit, factor)
	if stored == nil {
		return nil
	}
	a.member("Item")
	a.body, err = appendProjected(a.body, stored, r.projection)
	return err
}

// appendProjected appends the JSON form of a stored item, or of the parts in a projection. It copies whole attributes
// as they are.
func appendProjected(dst []byte, stored storedItem, projection *pathTree) ([]byte, error) {
	if projection == nil {
		_, wire := stored.split()
		return append(dst, wire...), nil
	}
	separator := byte('{')
	for attribute := range stored.attributes() {
		parts := projection.names[string(attribute.name)]
		if parts == nil {
			continue
		}
		if parts.whole != nil {
			dst, separator = append(append(dst, separator), attribute.whole...), ','
			continue
		}
		v, err := attribute.decode()
		if err != nil {
			return nil, err
		}
		if v = parts.project(v); v != nil {
			dst = append(appendQuoted(append(dst, separator), string(attribute.name)), ':')
			dst, separator = appendValue(dst, v), ','
		}
	}
	if separator == '{' {
		dst = append(dst, '{')
	}
	return append(dst, '}'), nil
}

func (e *Engine) getItem(request *getItemRequest) ([]byte, error) {
	if err := checkReturnConsumedCapacity(request.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	r, err := e.newRead(&request.getParameters)
	if err != nil {
		return nil, err
	}
	var a answer
	total := capacity{}
	err = e.db.View(func(tx *bbolt.Tx) error {
		return r.answer(tx, &a, total, readFactor(request.ConsistentRead))
	})
	if err != nil {
		return nil, err
	}
	total.one(&a, request.ReturnConsumedCapacity)
	return a.done(), nil
}
