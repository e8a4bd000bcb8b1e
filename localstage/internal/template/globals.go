package template

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// readGlobals returns the Globals section's defaults for functions.
func (s *stack) readGlobals() error {
	for key, node := range members(s.document.globals) {
		at := s.document.place("Globals", key.Value, key.Line)
		if key.Value != "Function" {
			return at.errorf("is not supported by the local stage: it knows Globals.Function only")
		}
		if node.Kind != yaml.MappingNode {
			return at.errorf("must be a mapping")
		}
		s.globals = node
	}
	return nil
}

// merge lays a function's own properties over the global ones, as the SAM transform does: it joins mappings, adds lists
// to the global list, and replaces any other global value.
//
// Source: SAM developer guide, "Globals section of the AWS SAM template" (overridable properties).
func merge(global, own *yaml.Node) *yaml.Node {
	switch {
	case global == nil:
		return own
	case own == nil:
		return global
	case global.Kind != own.Kind || isCall(global) || isCall(own):
		return own
	case own.Kind == yaml.SequenceNode:
		merged := *own
		merged.Content = slices.Concat(global.Content, own.Content)
		return &merged
	case own.Kind != yaml.MappingNode:
		return own
	}
	merged := *own
	merged.Content = nil
	for key, value := range members(global) {
		merged.Content = append(merged.Content, key, merge(value, member(own, key.Value)))
	}
	for key, value := range members(own) {
		if member(global, key.Value) == nil {
			merged.Content = append(merged.Content, key, value)
		}
	}
	return &merged
}

func isCall(n *yaml.Node) bool {
	_, ok := asCall(n)
	return ok
}
