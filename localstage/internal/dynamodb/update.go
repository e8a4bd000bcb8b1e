package dynamodb

import (
	"strings"
)

// update is a parsed UpdateExpression.
type update struct {
	sets    []setAction
	removes []path
	adds    []valueAction
	deletes []valueAction
	written *pathTree // all paths that the update writes
}

// setAction is path = value.
type setAction struct {
	path  path
	value setOperand
}

// valueAction is the path and value of an ADD or DELETE.
type valueAction struct {
	path  path
	value value
}

// setOperand is the right side of a SET. It always reads the item as it was before the update.
type setOperand interface {
	evaluate(old mapValue) (value, error)
}

type (
	copyOperand        struct{ path path }
	newValueOperand    struct{ value value }
	ifNotExistsOperand struct {
		path     path
		fallback setOperand
	}
	listAppendOperand struct{ first, second setOperand }
	sumOperand        struct {
		left, right setOperand
		subtract    bool
	}
)

// parseUpdate parses an UpdateExpression. It returns nil for an absent one. The sections come in any order, each at
// most once.
// Source: DynamoDB developer guide, "Using update expressions in DynamoDB".
func parseUpdate(source *string, b *bindings) (*update, error) {
	if source == nil {
		return nil, nil
	}
	p := newParser(updateExpression, *source, b)
	u := &update{written: new(pathTree)}
	seen := map[string]bool{}
	for more := true; more; more = p.peek().kind != endToken {
		section := strings.ToUpper(p.text(p.peek()))
		if seen[section] {
			p.failf("The \"%s\" section can only be used once in an update expression;", section)
			break
		}
		seen[section] = true
		p.section(u, section)
	}
	return u, p.err
}

// section parses a keyword and its actions.
func (p *parser) section(u *update, section string) {
	var action func(at path)
	switch section {
	case "SET":
		action = func(at path) {
			p.expect("=")
			u.sets = append(u.sets, setAction{at, p.setValue()})
		}
	case "REMOVE":
		action = func(at path) { u.removes = append(u.removes, at) }
	case "ADD":
		action = func(at path) { u.adds = append(u.adds, p.valueAction(section, at)) }
	case "DELETE":
		action = func(at path) { u.deletes = append(u.deletes, p.valueAction(section, at)) }
	default:
		p.unexpected()
		return
	}
	p.next()
	for more := true; more; more = p.skipSymbol(",") {
		at := p.path()
		p.insert(u.written, at)
		action(at)
	}
}

// valueAction parses the value of ADD, a number or a set, or of DELETE, a set.
func (p *parser) valueAction(section string, at path) valueAction {
	v := p.literal()
	_, isSet := v.(setValue)
	_, isNumber := v.(numberValue)
	if !isSet && (!isNumber || section == "DELETE") {
		p.wrongOperand(section, v)
	}
	return valueAction{at, v}
}

// setValue parses operand, operand + operand or operand - operand.
func (p *parser) setValue() setOperand {
	left := p.setTerm()
	subtract := p.atSymbol("-")
	if !subtract && !p.atSymbol("+") {
		return left
	}
	p.countOperator()
	operator := p.text(p.next())
	right := p.setTerm()
	for _, term := range []setOperand{left, right} {
		if literal, ok := term.(newValueOperand); ok && literal.value.typeName() != "N" {
			p.wrongOperand(operator, literal.value)
		}
	}
	return sumOperand{left, right, subtract}
}

// setTerm parses an operand, or a value in parentheses.
func (p *parser) setTerm() setOperand {
	if !p.skipSymbol("(") {
		return p.setOperand()
	}
	v := p.setValue()
	p.expect(")")
	return v
}

// setOperand parses a path, a value or a function.
func (p *parser) setOperand() setOperand {
	if p.peek().kind == valueToken {
		return newValueOperand{p.literal()}
	}
	function, ok := p.atCall()
	if !ok {
		return copyOperand{p.path()}
	}
	switch function {
	case "if_not_exists":
		return p.ifNotExists(arguments(p, 2, p.setOperand))
	case "list_append":
		return p.listAppend(arguments(p, 2, p.setOperand))
	}
	p.refuseFunction(function)
	return copyOperand{}
}

func (p *parser) ifNotExists(operands []setOperand) setOperand {
	at, ok := operands[0].(copyOperand)
	if !ok {
		p.failf("Operator or function requires a document path; operator or function: if_not_exists")
	}
	return ifNotExistsOperand{at.path, operands[1]}
}

func (p *parser) listAppend(operands []setOperand) setOperand {
	for _, o := range operands {
		switch o := o.(type) {
		case listAppendOperand: // the service does not nest list_append
			p.refuseFunction("list_append")
		case newValueOperand:
			if o.value.typeName() != "L" {
				p.wrongOperand("list_append", o.value)
			}
		}
	}
	return listAppendOperand{operands[0], operands[1]}
}
