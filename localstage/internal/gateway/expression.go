package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// expression is a parsed route selection expression: literal text and
// variables in turn.
// Source: "WebSocket selection expressions".
type expression []term

// term is literal text, or, if path is not nil, a place in the message body.
type term struct {
	literal string
	path    []step
}

// step descends into a member of an object or, if name is empty, an element of
// an array.
type step struct {
	name  string
	index int
}

// bodyVariable begins every variable of a route selection.
const bodyVariable = "request.body"

// parseExpression parses the subset that the page describes for routes: $request.body.a.b, ${request.body.a}, indexes
// and bracketed names, literal text around them, and \$ for a dollar sign.
func parseExpression(text string) (expression, error) {
	var terms expression
	for rest := text; rest != ""; {
		t, after, err := parseTerm(rest)
		if err != nil {
			return nil, fmt.Errorf("route selection expression %q: %w", text, err)
		}
		terms, rest = append(terms, t), after
	}
	if len(terms) == 0 {
		return nil, errors.New("route selection expression is empty")
	}
	return terms, nil
}

func parseTerm(text string) (t term, rest string, err error) {
	if escaped, ok := strings.CutPrefix(text, `\$`); ok {
		return term{literal: "$"}, escaped, nil
	}
	if text[0] != '$' {
		end := strings.IndexAny(text[1:], `$\`) + 1
		if end == 0 {
			end = len(text)
		}
		return term{literal: text[:end]}, text[end:], nil
	}
	variable, rest := text[1:], ""
	if braced, ok := strings.CutPrefix(variable, "{"); ok {
		if variable, rest, ok = strings.Cut(braced, "}"); !ok {
			return term{}, "", errors.New("a { is not closed")
		}
	} else if end := strings.IndexAny(variable, `$\/`); end >= 0 {
		variable, rest = variable[:end], variable[end:]
	}
	path, ok := strings.CutPrefix(variable, bodyVariable)
	if !ok {
		return term{}, "", fmt.Errorf("variable %q is not supported; use $request.body.…", variable)
	}
	steps, err := parsePath(path)
	return term{path: steps}, rest, err
}

// parsePath parses .name, ['name'], ["name"] and [0]. The result is never nil.
func parsePath(text string) ([]step, error) {
	steps := []step{}
	for text != "" {
		var s step
		var err error
		if s, text, err = parseStep(text); err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return steps, nil
}

func parseStep(text string) (s step, rest string, err error) {
	if name, ok := strings.CutPrefix(text, "."); ok {
		end := strings.IndexAny(name, ".[")
		if end < 0 {
			end = len(name)
		}
		if end == 0 {
			return step{}, "", errors.New("a name is missing after a dot")
		}
		return step{name: name[:end]}, name[end:], nil
	}
	inner, ok := strings.CutPrefix(text, "[")
	if !ok {
		return step{}, "", fmt.Errorf("%q follows request.body; a dot is missing", text)
	}
	inner, rest, ok = strings.Cut(inner, "]")
	if !ok {
		return step{}, "", errors.New("a [ is not closed")
	}
	if n := len(inner); n > 2 && (inner[0] == '\'' || inner[0] == '"') && inner[n-1] == inner[0] {
		return step{name: inner[1 : n-1]}, rest, nil
	}
	index, err := strconv.ParseUint(inner, 10, 31)
	if err != nil {
		return step{}, "", fmt.Errorf("[%s] is neither an index nor a quoted name", inner)
	}
	return step{index: int(index)}, rest, nil
}

// evaluate returns the text that body selects, or false when body is not JSON or lacks a variable.
func (e expression) evaluate(body []byte) (string, bool) {
	if !json.Valid(body) {
		return "", false
	}
	var key strings.Builder
	for _, t := range e {
		if t.path == nil {
			key.WriteString(t.literal)
			continue
		}
		value, ok := descend(body, t.path)
		if !ok {
			return "", false
		}
		key.WriteString(value)
	}
	return key.String(), true
}

// descend returns the value at path as text: a string as its characters, any other value as its JSON without white
// space. null counts as missing.
// Source: "WebSocket selection expressions" for the stringification; null is assumed.
func descend(value json.RawMessage, path []step) (string, bool) {
	for _, s := range path {
		var ok bool
		if value, ok = s.into(value); !ok {
			return "", false
		}
	}
	var text string
	if json.Unmarshal(value, &text) == nil && !bytes.Equal(value, []byte("null")) {
		return text, true
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, value); err != nil || compact.String() == "null" {
		return "", false
	}
	return compact.String(), true
}

func (s step) into(value json.RawMessage) (json.RawMessage, bool) {
	if s.name != "" {
		var object map[string]json.RawMessage
		if json.Unmarshal(value, &object) != nil {
			return nil, false
		}
		member, ok := object[s.name]
		return member, ok
	}
	var array []json.RawMessage
	if json.Unmarshal(value, &array) != nil || s.index >= len(array) {
		return nil, false
	}
	return array[s.index], true
}
