package dynamodb

import "slices"

// These are the rules of single comparisons and functions. A mistake that stands in the request, and so is known
// without an item, is a ValidationException. A mismatch that comes from an item only makes the condition false.
// Source: DynamoDB developer guide, "Comparison operator and function reference", and recorded answers.

// maxInOperands is the largest number of operands of IN. Source: the same page.
const maxInOperands = 100

func (p *parser) comparison(left operand) condition {
	operator := p.text(p.peek())
	if !slices.Contains([]string{"=", "<>", "<", "<=", ">", ">="}, operator) {
		p.unexpected()
	}
	p.next()
	right := p.operand()
	if operator != "=" && operator != "<>" {
		p.checkOrdered(operator, left, right)
	}
	p.checkDistinct(operator, left, right)
	return comparison{operator, left, right}
}

// checkOrdered refuses literals that have no order.
func (p *parser) checkOrdered(operator string, operands ...operand) {
	for _, o := range operands {
		if literal, ok := o.(literalOperand); ok {
			if _, scalar := scalarText(literal.value); !scalar {
				p.wrongOperand(operator, literal.value)
			}
		}
	}
}

// checkDistinct refuses a comparison of an attribute with itself.
func (p *parser) checkDistinct(operator string, first, second operand) {
	a, okA := first.(pathOperand)
	b, okB := second.(pathOperand)
	if okA && okB && slices.Equal(a.path, b.path) {
		p.failf("The first operand must be distinct from the remaining operands for this operator or function; "+
			"operator: %s, first operand: %s", operator, a.path)
	}
}

func (p *parser) between(v operand) condition {
	low := p.operand()
	if !p.skipWord("AND") {
		p.unexpected()
	}
	high := p.operand()
	p.checkOrdered("BETWEEN", v, low, high)
	p.checkBounds(low, high)
	return betweenCondition{v, low, high}
}

// checkBounds refuses literal bounds of different types, and a lower one above the upper.
func (p *parser) checkBounds(low, high operand) {
	a, okA := low.(literalOperand)
	b, okB := high.(literalOperand)
	if !okA || !okB {
		return
	}
	order, comparable := compareValues(a.value, b.value)
	switch {
	case !comparable:
		p.failf("The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand type: "+
			"%s, upper bound operand type: %s", a.value.typeName(), b.value.typeName())
	case order > 0:
		p.failf("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound "+
			"operand: %s, upper bound operand: %s",
			appendValue(nil, a.value), appendValue(nil, b.value))
	}
}

func (p *parser) in(v operand) condition {
	p.expect("(")
	list := operandList(p, p.operand)
	if len(list) > maxInOperands {
		p.failf("The IN operator is provided with too many operands; number of operands: %d", len(list))
	}
	return inCondition{v, list}
}

func (p *parser) functionCondition(function string) condition {
	count := 2
	switch function {
	case "attribute_exists", "attribute_not_exists":
		count = 1
	case "attribute_type", "begins_with", "contains":
	default:
		p.refuseFunction(function)
		return functionCondition{}
	}
	operands := arguments(p, count, p.operand)
	p.checkFunction(function, operands)
	return functionCondition{function, operands}
}

func (p *parser) checkFunction(function string, operands []operand) {
	switch function {
	case "attribute_exists", "attribute_not_exists":
		if _, ok := operands[0].(pathOperand); !ok {
			p.failf("Operator or function requires a document path; operator or function: %s", function)
		}
		return
	case "attribute_type":
		p.checkTypeName(operands[1])
	case "begins_with":
		for _, o := range operands {
			literal, ok := o.(literalOperand)
			if ok && literal.value.typeName() != "S" && literal.value.typeName() != "B" {
				p.wrongOperand(function, literal.value)
			}
		}
	}
	p.checkDistinct(function, operands[0], operands[1])
}

func (p *parser) checkTypeName(o operand) {
	literal, ok := o.(literalOperand)
	if !ok {
		p.failf("Incorrect operand type for operator or function; operator or function: attribute_type, operand " +
			"type: path")
		return
	}
	typeName, ok := literal.value.(stringValue)
	if !ok {
		p.wrongOperand("attribute_type", literal.value)
	} else if !slices.Contains([]string{"S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"}, string(typeName)) {
		p.failf("Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", typeName)
	}
}
