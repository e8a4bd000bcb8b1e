package template

import (
	"encoding/json"

	"go.yaml.in/yaml/v3"
)

// kind is the form of a value.
type kind int

const (
	absent kind = iota // AWS::NoValue: the property or element does not exist
	scalar
	list
	object
)

// value is a resolved piece of the template.
type value struct {
	kind    kind
	line    int
	text    string  // of a scalar
	literal bool    // the scalar is a number, true or false in JSON, not a string
	items   []value // of a list
	fields  []field // of an object, in the template's order
}

type field struct {
	name  string
	value value
}

func textValue(text string, line int) value { return value{kind: scalar, text: text, line: line} }

// scalarValue returns the value of a plain YAML scalar. Dates stay text, as in CloudFormation: a policy's Version is
// one.
func scalarValue(n *yaml.Node) value {
	v := textValue(n.Value, n.Line)
	switch n.ShortTag() {
	case "!!bool", "!!int", "!!float":
		v.literal = json.Valid([]byte(n.Value))
	}
	return v
}

// member returns the value of the named field, absent when there is none.
func (v value) member(name string) value {
	for _, f := range v.fields {
		if f.name == name {
			return f.value
		}
	}
	return value{}
}

// MarshalJSON returns the value as JSON. Names are sorted, so that the same policy always has the same text.
func (v value) MarshalJSON() ([]byte, error) {
	switch v.kind {
	case object:
		members := make(map[string]value, len(v.fields))
		for _, f := range v.fields {
			members[f.name] = f.value
		}
		return json.Marshal(members)
	case list:
		return json.Marshal(append([]value{}, v.items...))
	case scalar:
		if v.literal {
			return []byte(v.text), nil
		}
		return json.Marshal(v.text)
	}
	return []byte("null"), nil
}
