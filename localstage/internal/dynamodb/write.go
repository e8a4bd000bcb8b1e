package dynamodb

import (
	"bytes"

	"go.etcd.io/bbolt"
)

// writeKind is the kind of a write: put, update, deletion or check.
type writeKind byte

const (
	putWrite writeKind = iota
	updateWrite
	deleteWrite
	conditionCheck
)

// write is a checked request to write one item, alone or in a transaction.
type write struct {
	kind            writeKind
	table           *table
	key             []byte   // stored form
	keyAttributes   mapValue // of an update
	item            mapValue // of a put
	update          *update  // of an update; nil only makes the item if it is absent
	condition       condition
	returnOnFailure bool // of the condition
}

// change is the planned effect of a write on the file.
type change struct {
	key      []byte
	old, new storedItem // nil: no item
	oldItem  mapValue   // decoded only if the write needed it
	newItem  mapValue
}

// newPut, newUpdate and newKeyWrite check everything in a request that needs no item.
func (e *Engine) newPut(p *putParameters) (*write, error) {
	w, bound, err := e.newWrite(putWrite, p.conditionParameters)
	if err != nil {
		return nil, err
	}
	if err := bound.checkUsed(); err != nil {
		return nil, err
	}
	w.item = p.Item
	if err := checkAttributes(p.Item); err != nil {
		return nil, err
	}
	if w.key, err = w.table.keyOf(p.Item); err != nil {
		return nil, err
	}
	if p.Item.itemSize() > maxItem {
		return nil, invalid("Item size has exceeded the maximum allowed size")
	}
	return w, nil
}

func (e *Engine) newUpdate(p *updateParameters) (*write, error) {
	w, bound, err := e.newWrite(updateWrite, p.conditionParameters)
	if err != nil {
		return nil, err
	}
	if w.update, err = parseUpdate(p.UpdateExpression, bound); err != nil {
		return nil, err
	}
	if err := bound.checkUsed(); err != nil {
		return nil, err
	}
	if w.key, err = w.table.keyFrom(p.Key); err != nil {
		return nil, err
	}
	w.keyAttributes = p.Key
	if w.update == nil {
		return w, nil
	}
	for name := range w.update.written.names {
		if w.table.isKey(name) {
			return nil, invalidItem("One or more parameter values were invalid: Cannot update attribute %s. This "+
				"attribute is part of the key", name)
		}
	}
	return w, nil
}

func (e *Engine) newKeyWrite(kind writeKind, p *keyParameters) (*write, error) {
	w, bound, err := e.newWrite(kind, p.conditionParameters)
	if err != nil {
		return nil, err
	}
	if err := bound.checkUsed(); err != nil {
		return nil, err
	}
	w.key, err = w.table.keyFrom(p.Key)
	return w, err
}

func (e *Engine) newWrite(kind writeKind, p conditionParameters) (*write, *bindings, error) {
	if err := oneOf("returnValuesOnConditionCheckFailure", p.ReturnValuesOnConditionCheckFailure, "ALL_OLD",
		"NONE"); err != nil {
		return nil, nil, err
	}
	bound, err := newBindings(p.ExpressionAttributeNames, p.ExpressionAttributeValues)
	if err != nil {
		return nil, nil, err
	}
	w := &write{kind: kind, returnOnFailure: p.ReturnValuesOnConditionCheckFailure == "ALL_OLD"}
	if w.condition, err = parseCondition(conditionExpression, p.ConditionExpression, bound); err != nil {
		return nil, nil, err
	}
	w.table, err = e.table(p.TableName)
	return w, bound, err
}

// plan reads the item, checks the condition and returns the change. It writes nothing.
func (w *write) plan(tx *bbolt.Tx) (*change, error) {
	items, err := w.table.items(tx)
	if err != nil {
		return nil, err
	}
	// The old item is copied, because the file may move in memory during the change.
	c := &change{key: w.key, old: bytes.Clone(items.Get(w.key))}
	if w.condition != nil || w.kind == updateWrite {
		if c.oldItem, err = c.old.decode(); err != nil {
			return nil, err
		}
	}
	if w.condition != nil && !w.condition.holds(c.oldItem) {
		if w.returnOnFailure && c.old != nil {
			return nil, conditionFailed(c.old.wire())
		}
		return nil, conditionFailed(nil)
	}
	switch w.kind {
	case putWrite:
		c.newItem = w.item
	case updateWrite:
		c.newItem, err = w.updated(c.oldItem)
	case conditionCheck:
		c.new, c.newItem = c.old, c.oldItem
		return c, nil
	}
	if c.newItem != nil {
		c.new = encodeItem(c.newItem)
	}
	return c, err
}

func (w *write) updated(old mapValue) (mapValue, error) {
	if w.update == nil {
		if old == nil {
			return w.keyAttributes, nil
		}
		return old, nil
	}
	item, err := w.update.apply(old, w.keyAttributes)
	if err != nil {
		return nil, err
	}
	if item.itemSize() > maxItem {
		return nil, invalidItem("Item size to update has exceeded the maximum allowed size")
	}
	if nesting(item) > maxNesting+1 { // the item itself is a map
		return nil, invalidItem("Nesting Levels have exceeded supported limits")
	}
	return item, nil
}

// apply makes a planned change.
func (w *write) apply(tx *bbolt.Tx, c *change) error {
	items, err := w.table.items(tx)
	if err != nil || w.kind == conditionCheck {
		return err
	}
	if c.new == nil {
		return items.Delete(c.key)
	}
	return items.Put(c.key, c.new)
}

// consumed adds the cost of the write.
func (w *write) consumed(c *change, total capacity, factor float64) {
	total.add(w.table.Name, max(c.old.size(), c.new.size()), writeUnit, factor)
}

// do performs a single write.
func (e *Engine) do(w *write) (*change, error) {
	var c *change
	err := e.db.Update(func(tx *bbolt.Tx) error {
		planned, err := w.plan(tx)
		if err != nil {
			return err
		}
		c = planned
		e.expiry.note(w)
		return w.apply(tx, c)
	})
	return c, err
}

func (e *Engine) putItem(request *putItemRequest) ([]byte, error) {
	if err := request.check("ALL_OLD"); err != nil {
		return nil, err
	}
	w, err := e.newPut(&request.putParameters)
	if err != nil {
		return nil, err
	}
	return e.doAndAnswer(w, request.returnParameters)
}

func (e *Engine) updateItem(request *updateItemRequest) ([]byte, error) {
	if err := request.check("ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"); err != nil {
		return nil, err
	}
	w, err := e.newUpdate(&request.updateParameters)
	if err != nil {
		return nil, err
	}
	if err := e.conflicts.check(w); err != nil {
		return nil, err
	}
	return e.doAndAnswer(w, request.returnParameters)
}

func (e *Engine) deleteItem(request *deleteItemRequest) ([]byte, error) {
	if err := request.check("ALL_OLD"); err != nil {
		return nil, err
	}
	w, err := e.newKeyWrite(deleteWrite, &request.keyParameters)
	if err != nil {
		return nil, err
	}
	return e.doAndAnswer(w, request.returnParameters)
}

// check refuses a ReturnValues that the operation cannot return.
func (p returnParameters) check(returnValues ...string) error {
	if err := oneOf("returnValues", p.ReturnValues, append(returnValues, "NONE")...); err != nil {
		return err
	}
	return checkReturnConsumedCapacity(p.ReturnConsumedCapacity)
}

func (e *Engine) doAndAnswer(w *write, p returnParameters) ([]byte, error) {
	c, err := e.do(w)
	if err != nil {
		return nil, err
	}
	var a answer
	if attributes := w.returned(c, p.ReturnValues); attributes != nil {
		a.raw("Attributes", attributes)
	}
	total := capacity{}
	w.consumed(c, total, consistentFactor)
	total.one(&a, p.ReturnConsumedCapacity)
	return a.done(), nil
}

// returned returns the JSON form of the attributes that ReturnValues asks for, or nil when there are none.
func (w *write) returned(c *change, returnValues string) []byte {
	switch returnValues {
	case "ALL_OLD":
		if c.old != nil {
			return c.old.wire()
		}
	case "ALL_NEW":
		if c.new != nil {
			return c.new.wire()
		}
	case "UPDATED_OLD":
		return w.projectWritten(c.oldItem)
	case "UPDATED_NEW":
		return w.projectWritten(c.newItem)
	}
	return nil
}

// projectWritten returns the parts of an item that the update writes.
func (w *write) projectWritten(item mapValue) []byte {
	if w.update == nil {
		return nil
	}
	written := w.update.written.item(item)
	if len(written) == 0 {
		return nil
	}
	return appendItem(nil, written)
}
