package dynamodb

import (
	"fmt"
	"slices"
	"strings"
)

// bindings are the ExpressionAttributeNames and ExpressionAttributeValues of a request. All expressions of the request
// share them, and at least one expression must use each.
type bindings struct {
	names      map[string]string
	values     mapValue
	usedNames  map[string]bool
	usedValues map[string]bool
}

func newBindings(names map[string]string, values mapValue) (*bindings, error) {
	if names != nil && len(names) == 0 {
		return nil, invalid("ExpressionAttributeNames must not be empty")
	}
	if values != nil && len(values) == 0 {
		return nil, invalid("ExpressionAttributeValues must not be empty")
	}
	for key, name := range names {
		if !isPlaceholder(key, '#') {
			return nil, invalid("ExpressionAttributeNames contains invalid key: Syntax error; key: %q", key)
		}
		if name == "" || len(name) > maxAttributeName {
			return nil, invalid("ExpressionAttributeNames contains invalid value: %s must have 1 to %d bytes", key,
				maxAttributeName)
		}
	}
	for key := range values {
		if !isPlaceholder(key, ':') {
			return nil, invalid("ExpressionAttributeValues contains invalid key: Syntax error; key: %q", key)
		}
	}
	return &bindings{names: names, values: values, usedNames: map[string]bool{}, usedValues: map[string]bool{}}, nil
}

func isPlaceholder(key string, mark byte) bool {
	return len(key) > 1 && key[0] == mark && span(key[1:], isWordByte) == len(key)-1
}

// name resolves #name. kind names the expression in errors.
func (b *bindings) name(kind, placeholder string) (string, error) {
	name, ok := b.names[placeholder]
	if !ok {
		return "", invalid("Invalid %s: An expression attribute name used in the document path is not defined; "+
			"attribute name: %s", kind, placeholder)
	}
	b.usedNames[placeholder] = true
	return name, nil
}

// value resolves :value.
func (b *bindings) value(kind, placeholder string) (value, error) {
	v, ok := b.values[placeholder]
	if !ok {
		return nil, invalid("Invalid %s: An expression attribute value used in expression is not defined; attribute "+
			"value: %s", kind, placeholder)
	}
	b.usedValues[placeholder] = true
	return v, nil
}

// checkUsed refuses names and values that no expression uses.
func (b *bindings) checkUsed() error {
	if unused := unusedKeys(b.names, b.usedNames); unused != "" {
		return invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: %s", unused)
	}
	if unused := unusedKeys(b.values, b.usedValues); unused != "" {
		return invalid("Value provided in ExpressionAttributeValues unused in expressions: keys: %s", unused)
	}
	return nil
}

func unusedKeys[V any](defined map[string]V, used map[string]bool) string {
	if len(defined) == len(used) {
		return ""
	}
	var unused []string
	for key := range defined {
		if !used[key] {
			unused = append(unused, key)
		}
	}
	slices.Sort(unused)
	return fmt.Sprintf("{%s}", strings.Join(unused, ", "))
}
