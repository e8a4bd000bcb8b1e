package template

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// call is a use of an intrinsic function, in its short (!Ref) or its long form (Ref:).
type call struct {
	name     string // "Ref", "Fn::Sub", …
	argument *yaml.Node
}

// asCall reports whether n is a use of an intrinsic function.
func asCall(n *yaml.Node) (call, bool) {
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		argument := *n
		argument.Tag = ""
		if n.Kind == yaml.ScalarNode {
			argument.Tag = "!!str"
		}
		name := n.Tag[1:]
		if name != "Ref" && name != "Condition" {
			name = "Fn::" + name
		}
		return call{name: name, argument: &argument}, true
	}
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 {
		if name := n.Content[0].Value; name == "Ref" || strings.HasPrefix(name, "Fn::") {
			return call{name: name, argument: n.Content[1]}, true
		}
	}
	return call{}, false
}

// resolve returns the value of n.
func (s *stack) resolve(n *yaml.Node, at place) (value, error) {
	at.line = n.Line
	if c, ok := asCall(n); ok {
		return s.invoke(c, at)
	}
	switch n.Kind {
	case yaml.MappingNode:
		return s.resolveMapping(n, at)
	case yaml.SequenceNode:
		return s.resolveSequence(n, at)
	}
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!timestamp":
		return scalarValue(n), nil
	case "!!null":
		return value{}, at.errorf("is empty: CloudFormation allows no null values")
	}
	return value{}, at.errorf("YAML tag %s is not supported", n.ShortTag())
}

func (s *stack) resolveMapping(n *yaml.Node, at place) (value, error) {
	v := value{kind: object, line: n.Line}
	for key, child := range members(n) {
		if strings.HasPrefix(key.Value, "Fn::") {
			return value{}, at.errorf("%s must stand alone, without other names beside it", key.Value)
		}
		resolved, err := s.resolve(child, at.field(key.Value, key.Line))
		if err != nil {
			return value{}, err
		}
		if resolved.kind != absent {
			v.fields = append(v.fields, field{key.Value, resolved})
		}
	}
	return v, nil
}

func (s *stack) resolveSequence(n *yaml.Node, at place) (value, error) {
	v := value{kind: list, line: n.Line}
	for i, child := range n.Content {
		resolved, err := s.resolve(child, at.item(i, child.Line))
		if err != nil {
			return value{}, err
		}
		if resolved.kind != absent {
			v.items = append(v.items, resolved)
		}
	}
	return v, nil
}

// text resolves n, which must result in a scalar.
func (s *stack) text(n *yaml.Node, at place) (string, error) {
	v, err := s.resolve(n, at)
	if err != nil {
		return "", err
	}
	if v.kind != scalar {
		return "", at.at(n).errorf("must be a single value")
	}
	return v.text, nil
}

// invoke evaluates an intrinsic function that returns a value.
//
// Source: CloudFormation template reference, "Intrinsic functions".
func (s *stack) invoke(c call, at place) (value, error) {
	switch c.name {
	case "Ref":
		return s.ref(c.argument, at)
	case "Fn::GetAtt":
		return s.getAtt(c.argument, at)
	case "Fn::Sub":
		return s.sub(c.argument, at)
	case "Fn::Join":
		return s.join(c.argument, at)
	case "Fn::Split":
		return s.split(c.argument, at)
	case "Fn::Select":
		return s.choose(c.argument, at)
	case "Fn::If":
		return s.either(c.argument, at)
	}
	if slices.Contains([]string{"Condition", "Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not", "Fn::Contains"}, c.name) {
		return value{}, at.errorf("%s gives a condition, and a value is needed here", c.name)
	}
	return value{}, at.errorf("intrinsic function %s is not supported by the local stage", c.name)
}
