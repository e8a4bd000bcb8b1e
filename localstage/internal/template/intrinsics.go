package template

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// arguments checks that an intrinsic function has n arguments.
func arguments(name string, argument *yaml.Node, n int, at place) ([]*yaml.Node, error) {
	if argument.Kind != yaml.SequenceNode || len(argument.Content) != n {
		return nil, at.errorf("%s needs a list of %d", name, n)
	}
	return argument.Content, nil
}

// join is Fn::Join: [delimiter, [values]].
func (s *stack) join(argument *yaml.Node, at place) (value, error) {
	args, err := arguments("Fn::Join", argument, 2, at)
	if err != nil {
		return value{}, err
	}
	delimiter, err := s.text(args[0], at)
	if err != nil {
		return value{}, err
	}
	parts, err := s.texts("Fn::Join", args[1], at)
	if err != nil {
		return value{}, err
	}
	return textValue(strings.Join(parts, delimiter), at.line), nil
}

// split is Fn::Split: [delimiter, text].
func (s *stack) split(argument *yaml.Node, at place) (value, error) {
	args, err := arguments("Fn::Split", argument, 2, at)
	if err != nil {
		return value{}, err
	}
	delimiter, err := s.text(args[0], at)
	if err != nil {
		return value{}, err
	}
	if delimiter == "" {
		return value{}, at.errorf("Fn::Split needs a delimiter")
	}
	text, err := s.text(args[1], at)
	if err != nil {
		return value{}, err
	}
	return listValue(strings.Split(text, delimiter), at.line), nil
}

// choose is Fn::Select: [index, [values]].
func (s *stack) choose(argument *yaml.Node, at place) (value, error) {
	args, err := arguments("Fn::Select", argument, 2, at)
	if err != nil {
		return value{}, err
	}
	text, err := s.text(args[0], at)
	if err != nil {
		return value{}, err
	}
	v, err := s.resolve(args[1], at)
	if err != nil {
		return value{}, err
	}
	if v.kind != list {
		return value{}, at.errorf("Fn::Select needs a list to choose from")
	}
	index, err := strconv.Atoi(text)
	if err != nil || index < 0 || index >= len(v.items) {
		return value{}, at.errorf("Fn::Select: there is no element %q in a list of %d", text, len(v.items))
	}
	return v.items[index], nil
}

// either is Fn::If: [condition, value if true, value if false].
func (s *stack) either(argument *yaml.Node, at place) (value, error) {
	args, err := arguments("Fn::If", argument, 3, at)
	if err != nil {
		return value{}, err
	}
	if args[0].Kind != yaml.ScalarNode {
		return value{}, at.errorf("Fn::If needs the name of a condition")
	}
	yes, err := s.condition(args[0].Value, at)
	if err != nil {
		return value{}, err
	}
	if yes {
		return s.resolve(args[1], at)
	}
	return s.resolve(args[2], at)
}

// texts resolves n, which must result in a list of scalars.
func (s *stack) texts(name string, n *yaml.Node, at place) ([]string, error) {
	v, err := s.resolve(n, at)
	if err != nil {
		return nil, err
	}
	if v.kind != list {
		return nil, at.errorf("%s needs a list of values", name)
	}
	texts := make([]string, len(v.items))
	for i, item := range v.items {
		if item.kind != scalar {
			return nil, at.errorf("%s needs a list of single values", name)
		}
		texts[i] = item.text
	}
	return texts, nil
}

func listValue(texts []string, line int) value {
	v := value{kind: list, line: line, items: make([]value, len(texts))}
	for i, text := range texts {
		v.items[i] = textValue(text, line)
	}
	return v
}
