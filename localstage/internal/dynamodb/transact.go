package dynamodb

import (
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// Limits of a transaction. Source: TransactWriteItems of the API reference.
const (
	maxTransactItems = 100
	maxTransactBytes = 4 << 20
	maxTransactToken = 36
)

func (e *Engine) transactWriteItems(body []byte) ([]byte, error) {
	request, err := decode[transactWriteItemsRequest](body)
	if err != nil {
		return nil, err
	}
	if err := request.check(); err != nil {
		return nil, err
	}
	writes, err := e.newWrites(request.TransactItems)
	if err != nil {
		return nil, err
	}
	claim, err := newTokenClaim(request.ClientRequestToken, body, e.clock.Now())
	if err != nil {
		return nil, err
	}
	e.conflicts.note(writes)
	total := capacity{}
	err = e.db.Update(func(tx *bbolt.Tx) error {
		done, err := claim.make(tx)
		if err != nil || done {
			return err
		}
		e.expiry.note(writes...)
		return writeAll(tx, writes, total)
	})
	if err != nil {
		return nil, err
	}
	var a answer
	total.list(&a, request.ReturnConsumedCapacity)
	return a.done(), nil
}

func (r *transactWriteItemsRequest) check() error {
	if err := checkTransactLength(len(r.TransactItems)); err != nil {
		return err
	}
	if len(r.ClientRequestToken) > maxTransactToken {
		return invalid("1 validation error detected: Value at 'clientRequestToken' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxTransactToken)
	}
	return checkReturnConsumedCapacity(r.ReturnConsumedCapacity)
}

func checkTransactLength(n int) error {
	switch {
	case n < 1:
		return invalid("1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: " +
			"Member must have length greater than or equal to 1")
	case n > maxTransactItems:
		return invalid("1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member "+
			"must have length less than or equal to %d", maxTransactItems)
	}
	return nil
}

// newWrites checks the items of a transaction. An error about the request refuses it. An error about an item cancels
// the transaction, and the other items then have no reasons.
func (e *Engine) newWrites(items []transactWriteItem) ([]*write, error) {
	writes := make([]*write, len(items))
	var invalidItem itemError
	size := 0
	for i := range items {
		w, err := e.newTransactWrite(&items[i])
		if invalidItem.keeps(i, err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		writes[i] = w
		size += w.item.itemSize() + w.keyAttributes.itemSize()
	}
	if err := invalidItem.canceled(len(items)); err != nil {
		return nil, err
	}
	if size > maxTransactBytes {
		return nil, invalid("Transaction payload size cannot exceed %d MB", maxTransactBytes>>20)
	}
	return writes, checkDistinctItems(writes)
}

// itemError is the first error about one item of a transaction.
type itemError struct {
	first *Error
	index int
}

// keeps reports whether err is about one item, of that index, and remembers the first such error.
func (e *itemError) keeps(index int, err error) bool {
	refusal, ok := errors.AsType[*Error](err)
	if !ok || !refusal.perItem {
		return false
	}
	if e.first == nil {
		e.first, e.index = refusal, index
	}
	return true
}

// canceled returns the error of a transaction of n items of which one is invalid, or nil.
func (e *itemError) canceled(n int) error {
	if e.first == nil {
		return nil
	}
	reasons := noReasons(n)
	reasons[e.index] = reasonOf(e.first)
	return transactionCanceled(reasons)
}

func (e *Engine) newTransactWrite(item *transactWriteItem) (*write, error) {
	actions := 0
	for _, present := range []bool{
		item.Put != nil, item.Update != nil, item.Delete != nil, item.ConditionCheck != nil,
	} {
		if present {
			actions++
		}
	}
	if actions != 1 {
		return nil, invalid("TransactItems can only contain one of Check, Put, Update or Delete")
	}
	switch {
	case item.Put != nil:
		return e.newPut(item.Put)
	case item.Update != nil:
		if item.Update.UpdateExpression == nil {
			return nil, invalid("1 validation error detected: Value null at " +
				"'transactItems.member.update.updateExpression' failed to satisfy constraint: Member must not be null")
		}
		return e.newUpdate(item.Update)
	case item.Delete != nil:
		return e.newKeyWrite(deleteWrite, item.Delete)
	}
	if item.ConditionCheck.ConditionExpression == nil {
		return nil, invalid("1 validation error detected: Value null at " +
			"'transactItems.member.conditionCheck.conditionExpression' failed to satisfy constraint: Member must " +
			"not be null")
	}
	return e.newKeyWrite(conditionCheck, item.ConditionCheck)
}

func checkDistinctItems(writes []*write) error {
	seen := map[string]bool{}
	for _, w := range writes {
		id := w.table.Name + "/" + string(w.key)
		if seen[id] {
			return invalid("Transaction request cannot include multiple operations on one item")
		}
		seen[id] = true
	}
	return nil
}

// writeAll does all writes of a transaction, or returns an error. tx then discards the writes.
func writeAll(tx *bbolt.Tx, writes []*write, total capacity) error {
	changes := make([]*change, len(writes))
	reasons := noReasons(len(writes))
	canceled := false
	for i, w := range writes {
		c, err := w.plan(tx)
		switch refusal, ok := errors.AsType[*Error](err); {
		case err == nil:
			changes[i] = c
		case ok && (refusal.perItem || refusal.Code() == "ConditionalCheckFailedException"):
			reasons[i], canceled = reasonOf(refusal), true
		default:
			return err
		}
	}
	if canceled {
		return transactionCanceled(reasons)
	}
	for i, w := range writes {
		if err := w.apply(tx, changes[i]); err != nil {
			return fmt.Errorf("transaction item %d: %w", i, err)
		}
		w.consumed(changes[i], total, transactionalFactor)
	}
	return nil
}

func noReasons(n int) []cancellationReason {
	reasons := make([]cancellationReason, n)
	for i := range reasons {
		reasons[i].code = "None"
	}
	return reasons
}

// reasonOf returns the error of one item as a cancellation reason.
func reasonOf(err *Error) cancellationReason {
	if err.Code() == "ConditionalCheckFailedException" {
		return cancellationReason{code: "ConditionalCheckFailed", message: err.Message, item: err.item}
	}
	return cancellationReason{code: "ValidationError", message: err.Message}
}

func (e *Engine) transactGetItems(request *transactGetItemsRequest) ([]byte, error) {
	if err := checkReturnConsumedCapacity(request.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	reads, err := e.newReads(request.TransactItems)
	if err != nil {
		return nil, err
	}
	var a answer
	a.member("Responses")
	a.body = append(a.body, '[')
	total := capacity{}
	err = e.db.View(func(tx *bbolt.Tx) error {
		for i, r := range reads {
			if i > 0 {
				a.body = append(a.body, ',')
			}
			var one answer
			if err := r.answer(tx, &one, total, transactionalFactor); err != nil {
				return err
			}
			a.body = append(a.body, one.done()...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.body = append(a.body, ']')
	total.list(&a, request.ReturnConsumedCapacity)
	return a.done(), nil
}

// newReads checks the items of a transaction as newWrites does.
func (e *Engine) newReads(items []transactGetItem) ([]*read, error) {
	if err := checkTransactLength(len(items)); err != nil {
		return nil, err
	}
	reads := make([]*read, len(items))
	var invalidItem itemError
	seen := map[string]bool{}
	for i, item := range items {
		if item.Get == nil {
			return nil, invalid("1 validation error detected: Value null at 'transactItems.%d.member.get' failed to "+
				"satisfy constraint: Member must not be null", i+1)
		}
		r, err := e.newRead(item.Get)
		if invalidItem.keeps(i, err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		id := r.table.Name + "/" + string(r.key)
		if seen[id] {
			return nil, invalid("Transaction request cannot include multiple operations on one item")
		}
		seen[id], reads[i] = true, r
	}
	return reads, invalidItem.canceled(len(items))
}
