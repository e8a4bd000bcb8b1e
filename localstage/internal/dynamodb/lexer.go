package dynamodb

import "strings"

// tokenKind tells the tokens of the expression language apart.
type tokenKind byte

const (
	endToken    tokenKind = iota
	wordToken             // attribute and function names, keywords
	nameToken             // #name
	valueToken            // :value
	indexToken            // digits
	symbolToken           // ( ) [ ] , . + - = <> < <= > >=
)

// token is a piece of an expression, from start up to end in its text.
type token struct {
	kind       tokenKind
	start, end int
}

// maxExpression is the largest expression in bytes. Source: DynamoDB developer guide, "Quotas in Amazon DynamoDB".
const maxExpression = 4096

// lex splits an expression into tokens, the last of which is an endToken. kind names the expression in errors.
func lex(kind, source string) ([]token, error) {
	if source == "" {
		return nil, invalid("Invalid %s: The expression can not be empty;", kind)
	}
	if len(source) > maxExpression {
		return nil, invalid("Invalid %s: Expression size has exceeded the maximum allowed size; expression size: %d",
			kind, len(source))
	}
	var tokens []token
	for at := 0; at < len(source); {
		if isSpace(source[at]) {
			at++
			continue
		}
		next := token{kind: kindOf(source[at:]), start: at}
		if next.end = at + next.kind.length(source[at:]); next.end == at {
			return nil, syntaxError(kind, source, append(tokens, token{start: at, end: at + 1}), len(tokens))
		}
		tokens = append(tokens, next)
		at = next.end
	}
	return append(tokens, token{kind: endToken, start: len(source), end: len(source)}), nil
}

// kindOf returns the kind of the token that rest begins with, as its first byte tells.
func kindOf(rest string) tokenKind {
	switch c := rest[0]; {
	case c == '#':
		return nameToken
	case c == ':':
		return valueToken
	case isDigit(c):
		return indexToken
	case isLetter(c):
		return wordToken
	}
	return symbolToken
}

// length returns how many bytes of rest belong to the token; 0 means that rest begins with no token.
func (k tokenKind) length(rest string) int {
	switch k {
	case nameToken, valueToken:
		n := 1 + span(rest[1:], isWordByte)
		if n == 1 {
			return 0
		}
		return n
	case indexToken:
		return span(rest, isDigit)
	case wordToken:
		return span(rest, isWordByte)
	}
	if len(rest) > 1 && (rest[:2] == "<>" || rest[:2] == "<=" || rest[:2] == ">=") {
		return 2
	}
	if strings.IndexByte("()[],.+-=<>", rest[0]) >= 0 {
		return 1
	}
	return 0
}

func span(s string, in func(byte) bool) int {
	n := 0
	for n < len(s) && in(s[n]) {
		n++
	}
	return n
}

func isSpace(c byte) bool    { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
func isDigit(c byte) bool    { return '0' <= c && c <= '9' }
func isLetter(c byte) bool   { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isWordByte(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' }

// syntaxError names the unexpected token and its neighbours, as the service does.
func syntaxError(kind, source string, tokens []token, at int) *Error {
	unexpected := tokens[at]
	near := unexpected
	if at > 0 {
		near.start = tokens[at-1].start
	}
	if at+1 < len(tokens) {
		near.end = tokens[at+1].end
	}
	text := source[unexpected.start:unexpected.end]
	if unexpected.kind == endToken && unexpected.start == len(source) {
		text = "<EOF>"
	}
	return invalid("Invalid %s: Syntax error; token: %q, near: %q", kind, text, source[near.start:near.end])
}
