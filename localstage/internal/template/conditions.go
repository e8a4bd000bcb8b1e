package template

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// condition is an entry of the Conditions section.
type condition struct {
	node         *yaml.Node
	place        place
	known, value bool
	asking       bool // under evaluation, to find circles
}

// readConditions evaluates every condition, so that a mistake shows even in an unused one.
func (s *stack) readConditions() error {
	s.conditions = make(map[string]*condition)
	for key, node := range members(s.document.conditions) {
		at := s.document.place("Conditions", key.Value, key.Line)
		s.conditions[key.Value] = &condition{node: node, place: at}
	}
	for key := range members(s.document.conditions) {
		if _, err := s.condition(key.Value, s.conditions[key.Value].place); err != nil {
			return err
		}
	}
	return nil
}

// condition returns the value of the named condition for a use at a place.
func (s *stack) condition(name string, at place) (bool, error) {
	c := s.conditions[name]
	if c == nil {
		return false, at.errorf("there is no condition %q", name)
	}
	if c.known {
		return c.value, nil
	}
	if c.asking {
		return false, c.place.errorf("refers to itself")
	}
	c.asking = true
	yes, err := s.boolean(c.node, c.place)
	c.known, c.value, c.asking = err == nil, yes, false
	return yes, err
}

// boolean evaluates a condition function.
//
// Source: CloudFormation template reference, "Condition functions" and "Rule-specific intrinsic functions".
func (s *stack) boolean(n *yaml.Node, at place) (bool, error) {
	at.line = n.Line
	c, ok := asCall(n)
	if !ok && n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "Condition" {
		c, ok = call{"Condition", n.Content[1]}, true
	}
	if !ok {
		return false, at.errorf("a condition function is needed here")
	}
	switch c.name {
	case "Condition":
		return s.condition(c.argument.Value, at)
	case "Fn::Equals":
		return s.equals(c.argument, at)
	case "Fn::Contains":
		return s.contains(c.argument, at)
	case "Fn::Not":
		args, err := arguments(c.name, c.argument, 1, at)
		if err != nil {
			return false, err
		}
		yes, err := s.boolean(args[0], at)
		return !yes && err == nil, err
	case "Fn::And", "Fn::Or":
		return s.junction(c, at)
	}
	return false, at.errorf("%s is not a condition that the local stage supports", c.name)
}

// junction is Fn::And and Fn::Or, of 2 to 10 conditions. It evaluates all, so that every mistake shows.
func (s *stack) junction(c call, at place) (bool, error) {
	args := c.argument.Content
	if c.argument.Kind != yaml.SequenceNode || len(args) < 2 || len(args) > 10 {
		return false, at.errorf("%s needs a list of 2 to 10 conditions", c.name)
	}
	result := c.name == "Fn::And"
	for _, arg := range args {
		yes, err := s.boolean(arg, at)
		if err != nil {
			return false, err
		}
		if c.name == "Fn::And" {
			result = result && yes
		} else {
			result = result || yes
		}
	}
	return result, nil
}

// equals is Fn::Equals: [value, value].
func (s *stack) equals(argument *yaml.Node, at place) (bool, error) {
	args, err := arguments("Fn::Equals", argument, 2, at)
	if err != nil {
		return false, err
	}
	left, err := s.text(args[0], at)
	if err != nil {
		return false, err
	}
	right, err := s.text(args[1], at)
	return left == right, err
}

// contains is Fn::Contains: [[values], value], which rules may use.
func (s *stack) contains(argument *yaml.Node, at place) (bool, error) {
	args, err := arguments("Fn::Contains", argument, 2, at)
	if err != nil {
		return false, err
	}
	values, err := s.texts("Fn::Contains", args[0], at)
	if err != nil {
		return false, err
	}
	text, err := s.text(args[1], at)
	return slices.Contains(values, text), err
}
