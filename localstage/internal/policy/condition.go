package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// quantifier is the rule for a key with several values.
type quantifier int

const (
	single quantifier = iota // the key has one value
	forAll                   // ForAllValues: each value of the request must match
	forAny                   // ForAnyValue: one value of the request must match
)

// condition is one operator, key and list of values of a Condition element. All conditions of a statement must hold,
// each with at least one of its values.
type condition struct {
	operator   operator
	quantifier quantifier
	ifExists   bool
	key        string
	values     []string
	opaque     bool // cannot be evaluated
}

// parseConditions parses a Condition element: operator → key → value or values.
func parseConditions(v jsontext.Value) (conditions []condition, problems []string, err error) {
	var block map[string]map[string]jsontext.Value
	if err := json.Unmarshal(v, &block); err != nil {
		return nil, nil, fmt.Errorf("Condition: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(block)) {
		for _, key := range slices.Sorted(maps.Keys(block[name])) {
			values, err := parseScalars(block[name][key])
			if err != nil {
				return nil, nil, fmt.Errorf("Condition: %s: %s: %w", name, key, err)
			}
			c, problem := newCondition(name, key, values)
			if problem != "" {
				problems = append(problems, problem)
			}
			conditions = append(conditions, c)
		}
	}
	return conditions, problems, nil
}

// newCondition returns a condition, and a description of a part that cannot be evaluated, or "".
func newCondition(name, key string, values []string) (c condition, problem string) {
	c = condition{key: key, values: values}
	base := name
	if rest, ok := strings.CutPrefix(base, "ForAllValues:"); ok {
		c.quantifier, base = forAll, rest
	} else if rest, ok := strings.CutPrefix(base, "ForAnyValue:"); ok {
		c.quantifier, base = forAny, rest
	}
	base, c.ifExists = strings.CutSuffix(base, "IfExists")

	var known bool
	c.operator, known = operatorNamed(base)
	isNull := c.operator.kind == null
	if !known || isNull && (c.ifExists || c.quantifier != single) {
		c.opaque = true
		return c, fmt.Sprintf("condition operator %q is not supported", name)
	}
	for _, v := range values {
		if hasVariable(v) {
			c.opaque = true
			return c, fmt.Sprintf("condition %s on %s: policy variables are not supported, as in %q", name, key, v)
		}
		if !c.operator.accepts(v) {
			c.opaque = true
			return c, fmt.Sprintf("condition %s on %s: the operator does not know the value %q", name, key, v)
		}
	}
	return c, ""
}

// match reports whether the condition holds for a request.
//
// Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and
// "Set operators for multivalued context keys".
func (c condition) match(ctx Context) truth {
	if c.opaque {
		return unknown
	}
	got := ctx.values(c.key)
	switch {
	case c.operator.kind == null:
		return truthOf(slices.ContainsFunc(c.values, func(want string) bool {
			return strings.EqualFold(want, "true") == (len(got) == 0)
		}))
	case len(got) == 0 && c.ifExists:
		return yes
	case c.quantifier == forAll:
		return c.matchAll(got)
	case c.quantifier == forAny:
		return c.matchAny(got)
	case len(got) == 0: // a negated operator holds for an absent key
		return truthOf(c.operator.negated)
	case len(got) > 1: // IAM does not define this without a set qualifier
		return unknown
	default:
		return c.matchOne(got[0])
	}
}

// matchAll is true without any values. Policies therefore pair ForAllValues with a Null condition.
func (c condition) matchAll(got []string) truth {
	all := yes
	for _, g := range got {
		all = all.and(c.matchOne(g))
	}
	return all
}

func (c condition) matchAny(got []string) truth {
	found := no
	for _, g := range got {
		found = found.or(c.matchOne(g))
	}
	return found
}

// matchOne compares one value of the request with the values of the condition: one of them must match, or none for a
// negated operator.
func (c condition) matchOne(got string) truth {
	found := no
	for _, want := range c.values {
		found = found.or(c.operator.match(want, got))
	}
	if c.operator.negated {
		return found.not()
	}
	return found
}

// parseScalars parses a string, boolean or number, or a list of them. IAM takes true and "true", 1 and "1" alike.
func parseScalars(v jsontext.Value) ([]string, error) {
	list := []jsontext.Value{v}
	if v.Kind() == '[' {
		list = nil
		if err := json.Unmarshal(v, &list); err != nil {
			return nil, err
		}
	}
	values := make([]string, 0, len(list))
	for _, item := range list {
		switch item.Kind() {
		case '"':
			var s string
			if err := json.Unmarshal(item, &s); err != nil {
				return nil, err
			}
			values = append(values, s)
		case 't', 'f', '0':
			values = append(values, item.String())
		default:
			return nil, errors.New("a string, boolean or number, or a list of them, is needed")
		}
	}
	return values, nil
}
