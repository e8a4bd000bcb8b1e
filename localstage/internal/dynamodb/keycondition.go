package dynamodb

import (
	"bytes"
)

// sortCondition is the part of a key condition about the sort key: an operator of comparison, "BETWEEN" or
// "begins_with", and its values.
type sortCondition struct {
	operator string
	values   []value
}

// keyCondition is a parsed KeyConditionExpression, by attribute.
type keyCondition map[string]sortCondition

// keyRange is a range of stored keys, from low up to but without high (nil: to the end).
type keyRange struct {
	low, high []byte
}

func (r keyRange) contains(key []byte) bool {
	return bytes.Compare(key, r.low) >= 0 && (r.high == nil || bytes.Compare(key, r.high) < 0)
}

// parseKeyCondition parses a KeyConditionExpression. It is a condition with one comparison of each key attribute with a
// value, and nothing else. Source: Query of the API reference, KeyConditionExpression.
func parseKeyCondition(source *string, b *bindings) (keyCondition, error) {
	if source == nil {
		return nil,
			invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	c, err := parseCondition(keyConditionExpression, source, b)
	if err != nil {
		return nil, err
	}
	conditions := keyCondition{}
	return conditions, conditions.collect(c)
}

func (k keyCondition) collect(c condition) error {
	switch c := c.(type) {
	case groupCondition:
		return k.collect(c.inner)
	case andCondition:
		if err := k.collect(c.left); err != nil {
			return err
		}
		return k.collect(c.right)
	case comparison:
		return k.comparison(c)
	case betweenCondition:
		return k.add(c.operand, "BETWEEN", c.low, c.high)
	case functionCondition:
		if c.function != "begins_with" {
			return invalidOperator(c.function)
		}
		return k.add(c.operands[0], c.function, c.operands[1])
	case orCondition:
		return invalidOperator("OR")
	case notCondition:
		return invalidOperator("NOT")
	default:
		return invalidOperator("IN")
	}
}

func invalidOperator(operator string) *Error {
	return invalid("Invalid operator used in KeyConditionExpression: %s", operator)
}

// comparison accepts the value on either side.
func (k keyCondition) comparison(c comparison) error {
	if c.operator == "<>" {
		return invalidOperator(c.operator)
	}
	if _, valueFirst := c.left.(literalOperand); valueFirst {
		return k.add(c.right, mirrored(c.operator), c.left)
	}
	return k.add(c.left, c.operator, c.right)
}

func mirrored(operator string) string {
	switch operator {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	}
	return operator
}

func (k keyCondition) add(attribute operand, operator string, operands ...operand) error {
	at, ok := attribute.(pathOperand)
	if !ok {
		return invalid("Invalid condition in KeyConditionExpression: %s operator must have the key attribute as its "+
			"first operand", operator)
	}
	if len(at.path) > 1 {
		return invalid("KeyConditionExpressions cannot have conditions on nested attributes")
	}
	values := make([]value, len(operands))
	for i, o := range operands {
		literal, ok := o.(literalOperand)
		if !ok {
			return invalid("Invalid condition in KeyConditionExpression: %s operator must compare the key attribute "+
				"with values", operator)
		}
		values[i] = literal.value
	}
	name := at.path[0].name
	if _, twice := k[name]; twice {
		return invalid("KeyConditionExpressions must only contain one condition per key")
	}
	k[name] = sortCondition{operator, values}
	return nil
}

// partition returns the value that the condition demands of the partition key.
func (k keyCondition) partition(name string) (value, error) {
	c, ok := k[name]
	if !ok {
		return nil, invalid("Query condition missed key schema element: %s", name)
	}
	if c.operator != "=" {
		return nil, invalid("Query key condition not supported")
	}
	return c.values[0], nil
}

// rangeOf returns the range of the table's keys that meet the condition.
func (t *table) rangeOf(k keyCondition) (keyRange, error) {
	partition, err := k.partition(t.PartitionKey.Name)
	if err != nil {
		return keyRange{}, err
	}
	if err := t.PartitionKey.check(partition, maxPartitionKey, conditionTypeMismatch); err != nil {
		return keyRange{}, err
	}
	prefix := appendPartitionKey(nil, partition)
	if len(k) == 1 {
		return keyRange{prefix, afterPrefix(prefix)}, nil
	}
	sort, ok := k[t.SortKey.Name]
	if !ok || len(k) > 2 {
		if t.SortKey.Name == "" {
			return keyRange{}, invalid("Query key condition not supported")
		}
		return keyRange{}, invalid("Query condition missed key schema element: %s", t.SortKey.Name)
	}
	return t.sortRange(prefix, sort)
}

func conditionTypeMismatch() *Error {
	return invalid("One or more parameter values were invalid: Condition parameter type does not match schema type")
}

func (t *table) sortRange(prefix []byte, c sortCondition) (keyRange, error) {
	keys := make([][]byte, len(c.values))
	for i, v := range c.values {
		if err := t.SortKey.check(v, maxSortKey, conditionTypeMismatch); err != nil {
			return keyRange{}, err
		}
		keys[i] = appendSortKey(bytes.Clone(prefix), v)
	}
	first := keys[0]
	switch c.operator {
	case "=":
		return keyRange{first, after(first)}, nil
	case "<":
		return keyRange{prefix, first}, nil
	case "<=":
		return keyRange{prefix, after(first)}, nil
	case ">":
		return keyRange{after(first), afterPrefix(prefix)}, nil
	case ">=":
		return keyRange{first, afterPrefix(prefix)}, nil
	case "BETWEEN":
		return keyRange{first, after(keys[1])}, nil
	default: // begins_with, which the parser refuses for numbers
		return keyRange{first, afterPrefix(first)}, nil
	}
}
