package template

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// stack is a template on its way to a model, with its resolved parts.
type stack struct {
	options    Options
	document   document
	parameters map[string]value
	conditions map[string]*condition
	resources  map[string]*resource // of the template, without those whose condition is false, and of the transform
	order      []*resource          // the template's own in its order
	globals    *yaml.Node           // Globals.Function
	names      map[string]*name     // physical names by logical id
}

// resource is a resource before its properties are resolved.
type resource struct {
	logicalID, typ string
	place          place
	properties     *yaml.Node // nil for a resource that has none and for one that only the transform makes
	metadata       *yaml.Node
}

// prepare resolves everything that resources and outputs may refer to.
func (s *stack) prepare() error {
	steps := []func() error{s.readParameters, s.readConditions, s.checkRules, s.readGlobals, s.readResources}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// readResources reads the resources of the stack.
func (s *stack) readResources() error {
	s.resources = make(map[string]*resource)
	s.names = make(map[string]*name)
	for key, node := range members(s.document.resources) {
		at := s.document.place("Resources", key.Value, key.Line)
		r, present, err := s.readResource(key.Value, node, at)
		if err != nil {
			return err
		}
		if present {
			s.resources[r.logicalID] = r
			s.order = append(s.order, r)
		}
	}
	if err := s.checkDependencies(); err != nil {
		return err
	}
	return s.addImplied()
}

// readResource reads a resource's attributes. present is false when its condition is.
func (s *stack) readResource(logicalID string, node *yaml.Node, at place) (r *resource, present bool, err error) {
	if !isLogicalID(logicalID) {
		return nil, false, at.errorf("a logical id is made of letters and digits")
	}
	if node.Kind != yaml.MappingNode {
		return nil, false, at.errorf("a resource is a mapping with a Type")
	}
	r, present = &resource{logicalID: logicalID, place: at}, true
	for key, attribute := range members(node) {
		there := at.field(key.Value, attribute.Line)
		switch key.Value {
		case "Type":
			r.typ = attribute.Value
		case "Properties":
			r.properties = attribute
			if attribute.Kind != yaml.MappingNode {
				return nil, false, there.errorf("must be a mapping")
			}
		case "Metadata":
			r.metadata = attribute
		case "Condition":
			if present, err = s.condition(attribute.Value, there); err != nil {
				return nil, false, err
			}
		case "DependsOn", "DeletionPolicy", "UpdateReplacePolicy":
			// These attributes are about order and deletion on AWS. DependsOn is checked when all resources are known.
		default:
			return nil, false, there.errorf("is not supported by the local stage")
		}
	}
	if r.typ == "" {
		return nil, false, at.errorf("has no Type")
	}
	return r, present, nil
}

// checkDependencies refuses a DependsOn of an unknown resource.
func (s *stack) checkDependencies() error {
	for _, r := range s.order {
		node := member(member(s.document.resources, r.logicalID), "DependsOn")
		if node == nil {
			continue
		}
		names := node.Content
		if node.Kind == yaml.ScalarNode {
			names = []*yaml.Node{node}
		}
		for _, dependency := range names {
			if member(s.document.resources, dependency.Value) == nil {
				return r.place.field("DependsOn", dependency.Line).errorf("there is no resource %q", dependency.Value)
			}
		}
	}
	return nil
}

// outputs resolves the Outputs section.
func (s *stack) outputs() (map[string]string, error) {
	outputs := make(map[string]string)
	for key, node := range members(s.document.outputs) {
		at := s.document.place("Outputs", key.Value, key.Line)
		if node.Kind != yaml.MappingNode || member(node, "Value") == nil {
			return nil, at.errorf("an output is a mapping with a Value")
		}
		text, present, err := s.output(node, at)
		if err != nil {
			return nil, err
		}
		if present {
			outputs[key.Value] = text
		}
	}
	return outputs, nil
}

func (s *stack) output(node *yaml.Node, at place) (text string, present bool, err error) {
	present = true
	for key, attribute := range members(node) {
		there := at.field(key.Value, attribute.Line)
		switch key.Value {
		case "Value", "Description":
		case "Condition":
			if present, err = s.condition(attribute.Value, there); err != nil {
				return "", false, err
			}
		default:
			return "", false, there.errorf("is not supported by the local stage")
		}
	}
	if !present {
		return "", false, nil
	}
	text, err = s.text(member(node, "Value"), at.field("Value", at.line))
	return text, true, err
}

// isLogicalID reports whether CloudFormation takes name as a logical id.
func isLogicalID(name string) bool {
	for _, c := range name {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return name != ""
}

// arn returns an ARN of this stack's account and region.
func (s *stack) arn(service, rest string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, s.options.Region, s.options.AccountID, rest)
}
