package template

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// sub is Fn::Sub: a text with ${names}, or [text, {name: value}].
func (s *stack) sub(argument *yaml.Node, at place) (value, error) {
	text, variables := argument, (*yaml.Node)(nil)
	if argument.Kind == yaml.SequenceNode {
		args, err := arguments("Fn::Sub", argument, 2, at)
		if err != nil {
			return value{}, err
		}
		text, variables = args[0], args[1]
		if variables.Kind != yaml.MappingNode {
			return value{}, at.errorf("Fn::Sub needs a mapping of its own names")
		}
	}
	if text.Kind != yaml.ScalarNode {
		return value{}, at.errorf("Fn::Sub needs a text")
	}
	if _, ok := asCall(text); ok {
		return value{}, at.errorf("Fn::Sub needs a text of its own, not the result of a function")
	}
	var out strings.Builder
	for rest := text.Value; rest != ""; {
		before, after, found := strings.Cut(rest, "${")
		out.WriteString(before)
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return value{}, at.errorf("Fn::Sub: ${ without }")
		}
		resolved, err := s.subName(name, variables, at)
		if err != nil {
			return value{}, err
		}
		out.WriteString(resolved)
		rest = tail
	}
	return textValue(out.String(), at.line), nil
}

// subName resolves the text between ${ and }.
func (s *stack) subName(name string, variables *yaml.Node, at place) (string, error) {
	if literal, ok := strings.CutPrefix(name, "!"); ok {
		return "${" + literal + "}", nil
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_.:]+$`).MatchString(name) {
		return "", at.errorf("Fn::Sub: ${%s} is not a name", name)
	}
	if own := member(variables, name); own != nil {
		return s.text(own, at)
	}
	var v value
	var err error
	if logicalID, attribute, ok := strings.Cut(name, "."); ok {
		v, err = s.attribute(logicalID, attribute, at)
	} else {
		v, err = s.reference(name, at)
	}
	if err != nil {
		return "", err
	}
	if v.kind != scalar {
		return "", at.errorf("Fn::Sub: ${%s} is not a single value", name)
	}
	return v.text, nil
}
