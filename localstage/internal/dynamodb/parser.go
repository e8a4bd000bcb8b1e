package dynamodb

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// The kinds of expressions, by the parameters that hold them; errors name them.
const (
	conditionExpression    = "ConditionExpression"
	filterExpression       = "FilterExpression"
	keyConditionExpression = "KeyConditionExpression"
	updateExpression       = "UpdateExpression"
	projectionExpression   = "ProjectionExpression"
)

// reservedText lists the words that cannot be written as attribute names in expressions, one a line.
// Source: DynamoDB developer guide, "Reserved words in DynamoDB".
//
//go:embed reserved.txt
var reservedText string

var reservedWords = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for word := range strings.Lines(reservedText) {
		words[strings.TrimSpace(word)] = true
	}
	return words
})

// maxOperators is the largest number of operators and functions in one expression.
// Source: DynamoDB developer guide, "Quotas in Amazon DynamoDB".
const maxOperators = 300

// parser parses one expression by recursive descent. Its methods return no errors: the parser keeps the first one and
// goes to the end of the expression, where it can read nothing more. The size of an expression bounds the depth of the
// recursion.
type parser struct {
	kind      string
	source    string
	tokens    []token
	at        int
	bindings  *bindings
	operators int
	err       error

	attributes map[string]bool // top-level attributes that the expression mentions
}

func newParser(kind, source string, b *bindings) *parser {
	p := &parser{kind: kind, source: source, bindings: b, attributes: map[string]bool{}}
	if p.tokens, p.err = lex(kind, source); p.err != nil {
		p.tokens = []token{{start: len(source), end: len(source)}} // nothing to read
	}
	return p
}

// fail keeps the first error.
func (p *parser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
	p.at = len(p.tokens) - 1
}

// failf makes an error that names the expression.
func (p *parser) failf(format string, args ...any) {
	p.fail(invalid("Invalid %s: %s", p.kind, fmt.Sprintf(format, args...)))
}

func (p *parser) unexpected() {
	p.fail(syntaxError(p.kind, p.source, p.tokens, p.at))
}

// finish expects the end of the expression, and returns the first error.
func (p *parser) finish() error {
	if p.peek().kind != endToken {
		p.unexpected()
	}
	return p.err
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) text(t token) string { return p.source[t.start:t.end] }

// next consumes a token. At the end it stays there.
func (p *parser) next() token {
	t := p.peek()
	if t.kind != endToken {
		p.at++
	}
	return t
}

// atSymbol reports whether the next token is the given symbol, without consuming it.
func (p *parser) atSymbol(symbol string) bool {
	t := p.peek()
	return t.kind == symbolToken && p.text(t) == symbol
}

// skipSymbol consumes the next token if it is the given symbol, and reports whether it was.
func (p *parser) skipSymbol(symbol string) bool {
	found := p.atSymbol(symbol)
	if found {
		p.at++
	}
	return found
}

// skipWord is skipSymbol for a keyword, in any letter case.
func (p *parser) skipWord(keyword string) bool {
	t := p.peek()
	found := t.kind == wordToken && strings.EqualFold(p.text(t), keyword)
	if found {
		p.at++
	}
	return found
}

func (p *parser) expect(symbol string) {
	if !p.skipSymbol(symbol) {
		p.unexpected()
	}
}

// countOperator counts an operator or a function. The parser calls it for each.
func (p *parser) countOperator() {
	if p.operators++; p.operators > maxOperators {
		p.failf("The expression contains too many operators; the maximum is %d", maxOperators)
	}
}

// path reads a document path such as a.#b[2].
func (p *parser) path() path {
	first := p.attributeName()
	p.attributes[first.name] = true
	read := path{first}
	for {
		switch {
		case p.skipSymbol("."):
			read = append(read, p.attributeName())
		case p.skipSymbol("["):
			read = append(read, p.index())
		default:
			return read
		}
	}
}

func (p *parser) attributeName() pathElement {
	switch t := p.next(); t.kind {
	case wordToken:
		word := p.text(t)
		if reservedWords()[strings.ToUpper(word)] {
			p.failf("Attribute name is a reserved keyword; reserved keyword: %s", word)
		}
		return pathElement{name: word}
	case nameToken:
		name, err := p.bindings.name(p.kind, p.text(t))
		if err != nil {
			p.fail(err)
		}
		return pathElement{name: name}
	case endToken:
		p.unexpected()
	default:
		p.at--
		p.unexpected()
	}
	return pathElement{}
}

func (p *parser) index() pathElement {
	t := p.peek()
	if t.kind != indexToken {
		p.unexpected()
		return pathElement{}
	}
	index, err := strconv.ParseInt(p.text(t), 10, 32)
	if err != nil {
		p.failf("List index is not within the allowable range; index: [%s]", p.text(t))
	}
	p.next()
	p.expect("]")
	return pathElement{index: int(index), isIndex: true}
}

// literal reads :value.
func (p *parser) literal() value {
	if p.peek().kind != valueToken {
		p.unexpected()
		return nullValue{}
	}
	v, err := p.bindings.value(p.kind, p.text(p.next()))
	if err != nil {
		p.fail(err)
		return nullValue{}
	}
	return v
}

// atCall reports whether a function call comes next, and of which function.
func (p *parser) atCall() (function string, ok bool) {
	t := p.peek()
	if t.kind != wordToken || p.text(p.tokens[p.at+1]) != "(" {
		return "", false
	}
	return p.text(t), true
}

// arguments parses a function call that atCall has seen, each operand with the given method. The call must have count
// operands.
func arguments[T any](p *parser, count int, operand func() T) []T {
	p.countOperator()
	function := p.text(p.next())
	p.expect("(")
	operands := operandList(p, operand)
	if len(operands) != count {
		p.failf("Incorrect number of operands for operator or function; operator or function: %s, number of "+
			"operands: %d", function, len(operands))
		return make([]T, count)
	}
	return operands
}

// operandList reads operands up to the closing parenthesis.
func operandList[T any](p *parser, operand func() T) []T {
	operands := []T{operand()}
	for p.skipSymbol(",") {
		operands = append(operands, operand())
	}
	p.expect(")")
	return operands
}

// refuseFunction makes the error for a function that may not stand at this place of the expression.
func (p *parser) refuseFunction(function string) {
	switch function {
	case "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size",
		"if_not_exists", "list_append":
		p.failf("The function is not allowed to be used this way in an expression; function: %s", function)
	default:
		p.failf("Invalid function name; function: %s", function)
	}
}

func (p *parser) wrongOperand(operator string, v value) {
	p.failf("Incorrect operand type for operator or function; operator or function: %s, operand "+
		"type: %s", operator, v.typeName())
}
