package template

import "go.yaml.in/yaml/v3"

// checkRules evaluates the Rules section: assertions about the parameters together.
//
// Source: CloudFormation user guide, "Template Rules syntax".
func (s *stack) checkRules() error {
	for key, node := range members(s.document.rules) {
		at := s.document.place("Rules", key.Value, key.Line)
		if err := s.checkRule(node, at); err != nil {
			return err
		}
	}
	return nil
}

func (s *stack) checkRule(node *yaml.Node, at place) error {
	for key := range members(node) {
		if key.Value != "RuleCondition" && key.Value != "Assertions" {
			return at.field(key.Value, key.Line).errorf("is not part of a rule")
		}
	}
	assertions := member(node, "Assertions")
	if assertions == nil || assertions.Kind != yaml.SequenceNode {
		return at.errorf("a rule needs a list of Assertions")
	}
	applies := true
	if when := member(node, "RuleCondition"); when != nil {
		var err error
		if applies, err = s.boolean(when, at.field("RuleCondition", when.Line)); err != nil {
			return err
		}
	}
	for i, assertion := range assertions.Content {
		holds, err := s.assertion(assertion, at.field("Assertions", assertion.Line).item(i, assertion.Line))
		if err != nil {
			return err
		}
		if applies && !holds {
			return at.errorf("%s", describe(assertion))
		}
	}
	return nil
}

func (s *stack) assertion(node *yaml.Node, at place) (bool, error) {
	assert := member(node, "Assert")
	if assert == nil {
		return false, at.errorf("an assertion needs an Assert")
	}
	return s.boolean(assert, at.field("Assert", assert.Line))
}

// describe returns the template's text about an assertion that does not hold.
func describe(assertion *yaml.Node) string {
	if text := member(assertion, "AssertDescription"); text != nil && text.Value != "" {
		return text.Value
	}
	return "the parameters do not meet this rule"
}
