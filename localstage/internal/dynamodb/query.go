package dynamodb

import (
	"bytes"
	"strconv"

	"go.etcd.io/bbolt"
)

// maxPage is the number of bytes of items that a Query or Scan reads before it ends the page.
// Source: DynamoDB developer guide, "Paginating table query results".
const maxPage = 1 << 20

// firstPage is the first capacity of a page, in bytes.
const firstPage = 8 << 10

// page is a checked Query or Scan.
type page struct {
	table      *table
	keys       keyRange
	reverse    bool
	limit      int // 0: none
	filter     condition
	filtered   map[string]bool // top-level attributes that the filter mentions
	projection *pathTree
	countOnly  bool
	capacity   string
	consistent bool
}

func (e *Engine) query(request *queryRequest) ([]byte, error) {
	bound, err := newBindings(request.ExpressionAttributeNames, request.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	condition, err := parseKeyCondition(request.KeyConditionExpression, bound)
	if err != nil {
		return nil, err
	}
	q, err := e.newPage(&request.pageParameters, bound)
	if err != nil {
		return nil, err
	}
	if q.keys, err = q.table.rangeOf(condition); err != nil {
		return nil, err
	}
	if err := q.refuseKeysInFilter(); err != nil {
		return nil, err
	}
	q.reverse = request.ScanIndexForward != nil && !*request.ScanIndexForward
	if err := q.startBehind(request.ExclusiveStartKey); err != nil {
		return nil, err
	}
	if e.torn.occurs() {
		return e.readTorn(q)
	}
	return e.read(q)
}

func (e *Engine) scan(request *pageParameters) ([]byte, error) {
	bound, err := newBindings(request.ExpressionAttributeNames, request.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	s, err := e.newPage(request, bound)
	if err != nil {
		return nil, err
	}
	if err := s.startBehind(request.ExclusiveStartKey); err != nil {
		return nil, err
	}
	return e.read(s)
}

// newPage checks the parameters that Query and Scan share. The key condition, if any, has been parsed with the same
// bindings.
func (e *Engine) newPage(r *pageParameters, bound *bindings) (*page, error) {
	p := &page{countOnly: r.Select == "COUNT", capacity: r.ReturnConsumedCapacity, consistent: r.ConsistentRead}
	if err := r.check(); err != nil {
		return nil, err
	}
	if r.Limit != nil {
		p.limit = *r.Limit
	}
	var err error
	p.filter, p.filtered, err = parseConditionAttributes(filterExpression, r.FilterExpression, bound)
	if err != nil {
		return nil, err
	}
	if p.projection, err = parseProjection(r.ProjectionExpression, bound); err != nil {
		return nil, err
	}
	if err := bound.checkUsed(); err != nil {
		return nil, err
	}
	p.table, err = e.table(r.TableName)
	return p, err
}

func (r *pageParameters) check() error {
	if err := oneOf("select", r.Select, "SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES",
		"ALL_PROJECTED_ATTRIBUTES"); err != nil {
		return err
	}
	switch {
	case r.Select == "ALL_PROJECTED_ATTRIBUTES":
		return invalid("One or more parameter values were invalid: ALL_PROJECTED_ATTRIBUTES can be used only when " +
			"Querying using an IndexName")
	case r.Select == "SPECIFIC_ATTRIBUTES" && r.ProjectionExpression == nil:
		return invalid("One or more parameter values were invalid: Must specify the AttributesToGet or " +
			"ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case r.ProjectionExpression != nil && r.Select != "" && r.Select != "SPECIFIC_ATTRIBUTES":
		return invalid("One or more parameter values were invalid: Cannot specify the ProjectionExpression when "+
			"choosing to get %s", r.Select)
	case r.Limit != nil && *r.Limit < 1:
		return invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must "+
			"have value greater than or equal to 1", *r.Limit)
	}
	return checkReturnConsumedCapacity(r.ReturnConsumedCapacity)
}

// refuseKeysInFilter refuses key attributes in the filter of a Query, whose key condition decides about them.
func (p *page) refuseKeysInFilter() error {
	for name := range p.filtered {
		if p.table.isKey(name) {
			return invalid("Filter Expression can only contain non-primary key attributes: Primary key "+
				"attribute: %s", name)
		}
	}
	return nil
}

// startBehind makes the page begin behind a LastEvaluatedKey, whose item may be gone.
func (p *page) startBehind(startKey mapValue) error {
	if startKey == nil {
		return nil
	}
	key, err := p.table.keyFrom(startKey)
	if err != nil {
		return invalid("The provided starting key is invalid: %s", asError(err).Message)
	}
	if !p.keys.contains(key) {
		return invalid("The provided starting key is outside query boundaries based on provided conditions")
	}
	if p.reverse {
		p.keys.high = key
	} else {
		p.keys.low = after(key)
	}
	return nil
}

// result collects a page. Its answer begins with the items, and the counts follow.
type result struct {
	answer
	count, scanned int
	bytes          int
	last           storedItem // last item read before the page ended, copied; nil at the end of the range
}

// read reads a page and returns the answer.
func (e *Engine) read(p *page) ([]byte, error) {
	r := p.newResult()
	err := e.db.View(func(tx *bbolt.Tx) error {
		items, err := p.table.items(tx)
		if err != nil {
			return err
		}
		return p.collect(items.Cursor(), r)
	})
	if err != nil {
		return nil, err
	}
	return p.answer(r)
}

func (p *page) newResult() *result {
	r := &result{answer: answer{body: make([]byte, 0, firstPage)}}
	if !p.countOnly {
		r.member("Items")
		r.body = append(r.body, '[')
	}
	return r
}

// collect reads items until the end of the range or of the page.
func (p *page) collect(cursor *bbolt.Cursor, r *result) error {
	key, stored := p.first(cursor)
	for key != nil && p.keys.contains(key) {
		if ended, err := p.take(stored, r); ended || err != nil {
			return err
		}
		key, stored = p.next(cursor)
	}
	return nil
}

// take adds one item and reports whether it ends the page: by the limit or the page's size, which count items before
// the filter. The item that reaches one of them ends the page, even if it is the last of all.
func (p *page) take(stored storedItem, r *result) (ended bool, err error) {
	if err := p.look(stored, r); err != nil {
		return false, err
	}
	if r.scanned == p.limit || r.bytes >= maxPage {
		r.last = bytes.Clone(stored)
		return true, nil
	}
	return false, nil
}

func (p *page) next(cursor *bbolt.Cursor) (key, stored []byte) {
	if p.reverse {
		return cursor.Prev()
	}
	return cursor.Next()
}

func (p *page) first(cursor *bbolt.Cursor) (key, stored []byte) {
	if !p.reverse {
		return cursor.Seek(p.keys.low)
	}
	if p.keys.high != nil {
		if key, _ := cursor.Seek(p.keys.high); key != nil {
			return cursor.Prev()
		}
	}
	return cursor.Last()
}

// look counts one item, and adds it to the page if it passes the filter.
func (p *page) look(stored storedItem, r *result) error {
	r.scanned++
	r.bytes += stored.size()
	if p.filter != nil {
		item, err := stored.decodeOnly(p.filtered)
		if err != nil {
			return err
		}
		if !p.filter.holds(item) {
			return nil
		}
	}
	r.count++
	if p.countOnly {
		return nil
	}
	if r.count > 1 {
		r.body = append(r.body, ',')
	}
	var err error
	r.body, err = appendProjected(r.body, stored, p.projection)
	return err
}

// answer ends the items and appends the rest.
func (p *page) answer(r *result) ([]byte, error) {
	if !p.countOnly {
		r.body = append(r.body, ']')
	}
	r.raw("Count", strconv.AppendInt(nil, int64(r.count), 10))
	r.raw("ScannedCount", strconv.AppendInt(nil, int64(r.scanned), 10))
	if r.last != nil {
		last, err := r.last.decode()
		if err != nil {
			return nil, err
		}
		r.raw("LastEvaluatedKey", appendItem(nil, p.table.keyAttributesOf(last)))
	}
	total := capacity{}
	total.add(p.table.Name, r.bytes, readUnit, readFactor(p.consistent))
	total.one(&r.answer, p.capacity)
	return r.done(), nil
}
