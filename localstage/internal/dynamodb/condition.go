package dynamodb

import "strings"

// condition is a parsed ConditionExpression, FilterExpression or KeyConditionExpression.
type condition interface {
	// holds evaluates the condition; an absent item is an empty one.
	holds(item mapValue) bool
}

type (
	andCondition struct{ left, right condition }
	orCondition  struct{ left, right condition }
	notCondition struct{ inner condition }

	// groupCondition is a condition in parentheses.
	groupCondition struct{ inner condition }

	comparison struct {
		operator    string
		left, right operand
	}
	betweenCondition struct{ operand, low, high operand }
	inCondition      struct {
		operand operand
		list    []operand
	}
	functionCondition struct {
		function string
		operands []operand
	}
)

func (c andCondition) holds(item mapValue) bool   { return c.left.holds(item) && c.right.holds(item) }
func (c orCondition) holds(item mapValue) bool    { return c.left.holds(item) || c.right.holds(item) }
func (c notCondition) holds(item mapValue) bool   { return !c.inner.holds(item) }
func (c groupCondition) holds(item mapValue) bool { return c.inner.holds(item) }

// holds compares two operands. Operands that are absent or of different types are unequal, and have no order.
// Source: DynamoDB developer guide, "Comparison operator and function reference".
func (c comparison) holds(item mapValue) bool {
	left, right := c.left.resolve(item), c.right.resolve(item)
	switch c.operator {
	case "=":
		return equalValues(left, right)
	case "<>":
		return !equalValues(left, right)
	}
	order, ok := compareValues(left, right)
	return ok && inOrder(c.operator, order)
}

func inOrder(operator string, order int) bool {
	switch operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default:
		return order >= 0
	}
}

func (c betweenCondition) holds(item mapValue) bool {
	v := c.operand.resolve(item)
	low, okLow := compareValues(c.low.resolve(item), v)
	high, okHigh := compareValues(v, c.high.resolve(item))
	return okLow && okHigh && low <= 0 && high <= 0
}

func (c inCondition) holds(item mapValue) bool {
	v := c.operand.resolve(item)
	for _, candidate := range c.list {
		if equalValues(v, candidate.resolve(item)) {
			return true
		}
	}
	return false
}

func (c functionCondition) holds(item mapValue) bool {
	first := c.operands[0].resolve(item)
	switch c.function {
	case "attribute_exists":
		return first != nil
	case "attribute_not_exists":
		return first == nil
	}
	second := c.operands[1].resolve(item)
	switch c.function {
	case "attribute_type":
		typeName, _ := scalarText(second)
		return first != nil && first.typeName() == typeName
	case "begins_with":
		return beginsWith(first, second)
	default:
		return contains(first, second)
	}
}

func beginsWith(v, prefix value) bool {
	if v == nil || prefix == nil || v.typeName() != prefix.typeName() || v.typeName() == "N" {
		return false
	}
	text, ok := scalarText(v)
	start, _ := scalarText(prefix)
	return ok && strings.HasPrefix(text, start)
}

// operand is one side of a comparison.
type operand interface {
	// resolve returns the operand's value, nil when the item has none.
	resolve(item mapValue) value
}

type (
	pathOperand    struct{ path path }
	literalOperand struct{ value value }
	sizeOperand    struct{ of operand }
)

func (o pathOperand) resolve(item mapValue) value { return o.path.in(item) }

func (o literalOperand) resolve(mapValue) value { return o.value }

func (o sizeOperand) resolve(item mapValue) value {
	n, ok := length(o.of.resolve(item))
	if !ok {
		return nil
	}
	return integer(n)
}

// parseCondition parses a condition of the given kind. It returns nil for an absent one.
func parseCondition(kind string, source *string, b *bindings) (condition, error) {
	c, _, err := parseConditionAttributes(kind, source, b)
	return c, err
}

// parseConditionAttributes also returns the top-level attributes that the condition mentions.
func parseConditionAttributes(kind string, source *string, b *bindings) (condition, map[string]bool, error) {
	if source == nil {
		return nil, nil, nil
	}
	p := newParser(kind, *source, b)
	c := p.or()
	return c, p.attributes, p.finish()
}

// or, and, not and primary parse one level of precedence each, weakest first.
func (p *parser) or() condition {
	left := p.and()
	for p.skipWord("OR") {
		p.countOperator()
		left = orCondition{left, p.and()}
	}
	return left
}

func (p *parser) and() condition {
	left := p.not()
	for p.skipWord("AND") {
		p.countOperator()
		left = andCondition{left, p.not()}
	}
	return left
}

func (p *parser) not() condition {
	if !p.skipWord("NOT") {
		return p.primary()
	}
	p.countOperator()
	return notCondition{p.not()}
}

func (p *parser) primary() condition {
	if p.skipSymbol("(") {
		inner := p.or()
		p.expect(")")
		if _, redundant := inner.(groupCondition); redundant {
			p.failf("The expression has redundant parentheses;")
		}
		return groupCondition{inner}
	}
	if function, ok := p.atCall(); ok && function != "size" {
		return p.functionCondition(function)
	}
	p.countOperator()
	left := p.operand()
	switch {
	case p.skipWord("BETWEEN"):
		return p.between(left)
	case p.skipWord("IN"):
		return p.in(left)
	}
	return p.comparison(left)
}

func (p *parser) operand() operand {
	if p.peek().kind == valueToken {
		return literalOperand{p.literal()}
	}
	function, ok := p.atCall()
	if !ok {
		return pathOperand{p.path()}
	}
	if function != "size" {
		p.refuseFunction(function)
		return pathOperand{}
	}
	return p.size()
}

func (p *parser) size() operand {
	of := arguments(p, 1, p.operand)[0]
	switch of := of.(type) {
	case literalOperand:
		if _, hasLength := length(of.value); !hasLength {
			p.wrongOperand("size", of.value)
		}
	case sizeOperand:
		p.refuseFunction("size")
	}
	return sizeOperand{of}
}
