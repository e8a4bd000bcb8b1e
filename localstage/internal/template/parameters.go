package template

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parameter is a declaration in the Parameters section.
type parameter struct {
	typ         string
	def         *string
	constraints []constraint
	explanation string // ConstraintDescription
}

// constraint checks one value, and each element of a list parameter.
type constraint struct {
	name  string // the property that sets it
	meets func(text string) bool
}

// readParameters sets the value of every parameter: a given one, else the stage's, else the template's default.
func (s *stack) readParameters() error {
	s.parameters = make(map[string]value)
	for _, name := range slices.Sorted(maps.Keys(s.options.Parameters)) {
		if member(s.document.parameters, name) == nil {
			at := s.document.place("Parameters", name, 0)
			return at.errorf("the template has no such parameter; it has %s",
				strings.Join(names(s.document.parameters), ", "))
		}
	}
	for key, node := range members(s.document.parameters) {
		at := s.document.place("Parameters", key.Value, key.Line)
		p, err := readParameter(node, at)
		if err != nil {
			return err
		}
		if s.parameters[key.Value], err = s.parameterValue(key.Value, p, at); err != nil {
			return err
		}
	}
	return nil
}

func (s *stack) parameterValue(name string, p parameter, at place) (value, error) {
	exempt := ""
	text, given := s.options.Parameters[name]
	if !given {
		if text, given = s.options.Defaults[name]; given {
			exempt = "AllowedPattern"
		}
	}
	if !given {
		if p.def == nil {
			return value{}, at.errorf("has no default: give it a value with --param %s=VALUE", name)
		}
		text = *p.def
	}
	v := textValue(text, at.line)
	elements := []string{text}
	if p.typ == "CommaDelimitedList" {
		elements = splitList(text)
		v = listValue(elements, at.line)
	}
	for _, element := range elements {
		if err := p.check(element, exempt, at); err != nil {
			return value{}, err
		}
	}
	return v, nil
}

// check checks an element of the parameter's value against its constraints, except for the exempt one.
func (p parameter) check(element, exempt string, at place) error {
	for _, c := range p.constraints {
		if c.name == exempt || c.meets(element) {
			continue
		}
		if p.explanation != "" {
			return at.errorf("%q does not meet %s: must be %s", element, c.name, strings.TrimSuffix(p.explanation, "."))
		}
		return at.errorf("%q does not meet %s", element, c.name)
	}
	return nil
}

// splitList splits the value of a CommaDelimitedList. Space around the elements does not count.
func splitList(text string) []string {
	elements := strings.Split(text, ",")
	for i := range elements {
		elements[i] = strings.TrimSpace(elements[i])
	}
	return elements
}

func names(mapping *yaml.Node) []string {
	var all []string
	for key := range members(mapping) {
		all = append(all, key.Value)
	}
	slices.Sort(all)
	return all
}

// readParameter reads a declaration.
//
// Source: CloudFormation user guide, "CloudFormation template Parameters syntax".
func readParameter(node *yaml.Node, at place) (parameter, error) {
	var p parameter
	if node.Kind != yaml.MappingNode {
		return p, at.errorf("a parameter is a mapping with a Type")
	}
	for key, child := range members(node) {
		there := at.field(key.Value, child.Line)
		form := yaml.ScalarNode
		if key.Value == "AllowedValues" {
			form = yaml.SequenceNode
		}
		if child.Kind != form {
			return p, there.errorf("has the wrong form")
		}
		switch key.Value {
		case "Type":
			p.typ = child.Value
		case "Default":
			p.def = &child.Value
		case "ConstraintDescription":
			p.explanation = child.Value
		case "Description", "NoEcho":
		default:
			c, err := readConstraint(key.Value, child, there)
			if err != nil {
				return p, err
			}
			p.constraints = append(p.constraints, c)
		}
	}
	switch p.typ {
	case "String", "CommaDelimitedList":
	case "Number":
		p.constraints = slices.Insert(p.constraints, 0, constraint{"Type Number", isNumber})
	default:
		return p, at.errorf("parameter type %q is not supported by the local stage", p.typ)
	}
	return p, nil
}

// isNumber reports whether CloudFormation takes text as a number: decimal, perhaps with a fraction and an exponent.
func isNumber(text string) bool {
	return regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`).MatchString(text)
}

func readConstraint(name string, node *yaml.Node, at place) (constraint, error) {
	switch name {
	case "AllowedValues":
		var allowed []string
		for _, item := range node.Content {
			allowed = append(allowed, item.Value)
		}
		return constraint{
			name + " " + strings.Join(allowed, ", "), func(text string) bool { return slices.Contains(allowed, text) },
		}, nil
	case "AllowedPattern":
		// CloudFormation matches the whole value.
		pattern, err := regexp.Compile(`^(?:` + node.Value + `)$`)
		if err != nil {
			return constraint{}, at.errorf("pattern is not supported: %v", err)
		}
		return constraint{name, pattern.MatchString}, nil
	}
	return readBound(name, node, at)
}

// readBound reads MinValue, MaxValue, MinLength and MaxLength.
func readBound(name string, node *yaml.Node, at place) (constraint, error) {
	bound, err := strconv.ParseFloat(node.Value, 64)
	if err != nil {
		if !slices.Contains([]string{"MinValue", "MaxValue", "MinLength", "MaxLength"}, name) {
			return constraint{}, at.errorf("is not supported by the local stage")
		}
		return constraint{}, at.errorf("%q is not a number", node.Value)
	}
	number := func(text string) float64 { n, _ := strconv.ParseFloat(text, 64); return n }
	length := func(text string) float64 { return float64(utf8.RuneCountInString(text)) }
	label := name + " " + node.Value
	switch name {
	case "MinValue":
		return constraint{label, func(text string) bool { return number(text) >= bound }}, nil
	case "MaxValue":
		return constraint{label, func(text string) bool { return number(text) <= bound }}, nil
	case "MinLength":
		return constraint{label, func(text string) bool { return length(text) >= bound }}, nil
	case "MaxLength":
		return constraint{label, func(text string) bool { return length(text) <= bound }}, nil
	}
	return constraint{}, at.errorf("is not supported by the local stage")
}
