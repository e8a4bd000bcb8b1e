package template

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxDepth is the largest depth of a template. Real ones stay below 20.
const maxDepth = 100

// document is a parsed template with nothing resolved.
type document struct {
	file                                                       string
	parameters, rules, conditions, globals, resources, outputs *yaml.Node // mappings; nil when the template has none
}

// parse parses YAML (or JSON, which is YAML) and splits it into its sections.
func parse(file string, data []byte) (document, error) {
	doc, root := document{file: file}, place{file: file}
	var tree yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&tree); err != nil {
		return doc, syntaxError(root, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return doc, root.errorf("the file holds more than one YAML document")
	}
	if len(tree.Content) != 1 || tree.Content[0].Kind != yaml.MappingNode {
		return doc, root.errorf("a template is a mapping with a Resources section")
	}
	if err := checkSyntax(tree.Content[0], root, 0); err != nil {
		return doc, err
	}
	return doc, doc.split(tree.Content[0], root)
}

// syntaxError makes an Error of an error of the YAML library, which has its line in its text.
func syntaxError(root place, err error) error {
	if errors.Is(err, io.EOF) {
		return root.errorf("the file is empty")
	}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := regexp.MustCompile(`(?s)^line (\d+): (.*)$`).FindStringSubmatch(text); m != nil {
		root.line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	return root.errorf("not valid YAML: %s", strings.Join(strings.Fields(text), " "))
}

// checkSyntax refuses YAML that CloudFormation does not allow.
//
// Source: CloudFormation user guide, "CloudFormation template format" (unsupported YAML features).
func checkSyntax(n *yaml.Node, root place, depth int) error {
	root.line = n.Line
	switch {
	case depth > maxDepth:
		return root.errorf("nested more than %d levels deep", maxDepth)
	case n.Kind == yaml.AliasNode:
		return root.errorf("YAML alias *%s: CloudFormation supports no aliases, write the value out", n.Value)
	case n.Kind == yaml.MappingNode:
		seen := make(map[string]bool, len(n.Content)/2)
		for key := range members(n) {
			root.line = key.Line
			if tag := key.ShortTag(); key.Kind != yaml.ScalarNode || tag == "!!merge" || tag == "!!null" {
				return root.errorf("a key must be a plain name; quote it if it is one")
			}
			if seen[key.Value] {
				return root.errorf("key %q appears twice", key.Value)
			}
			seen[key.Value] = true
		}
	}
	for _, child := range n.Content {
		if err := checkSyntax(child, root, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// split finds the sections in the template's root mapping.
func (d *document) split(top *yaml.Node, root place) error {
	for key, section := range members(top) {
		root.line = key.Line
		switch key.Value {
		case "AWSTemplateFormatVersion", "Description", "Metadata":
			continue
		case "Transform":
			if section.Value != "AWS::Serverless-2016-10-31" {
				return root.errorf("Transform: the local stage supports AWS::Serverless-2016-10-31 only")
			}
			continue
		}
		target := d.section(key.Value)
		if target == nil {
			return root.errorf("section %s is not supported by the local stage", key.Value)
		}
		if section.Kind != yaml.MappingNode {
			return root.errorf("section %s must be a mapping", key.Value)
		}
		*target = section
	}
	if d.resources == nil {
		root.line = 0
		return root.errorf("the template has no Resources section")
	}
	return nil
}

func (d *document) section(name string) **yaml.Node {
	switch name {
	case "Parameters":
		return &d.parameters
	case "Rules":
		return &d.rules
	case "Conditions":
		return &d.conditions
	case "Globals":
		return &d.globals
	case "Resources":
		return &d.resources
	case "Outputs":
		return &d.outputs
	}
	return nil
}

// place returns the place of the named entry of a section. Resources are named by their logical id alone.
func (d *document) place(section, name string, line int) place {
	if section != "Resources" {
		name = section + "." + name
	}
	static := section == "Conditions" || section == "Rules"
	return place{file: d.file, resource: name, line: line, static: static}
}

// members returns the keys and values of a mapping in their order. A nil mapping and one of another kind have none.
func members(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for pair := range slices.Chunk(n.Content, 2) {
			if !yield(pair[0], pair[1]) {
				return
			}
		}
	}
}

// member returns the value of the named key of a mapping, or nil.
func member(n *yaml.Node, name string) *yaml.Node {
	for key, value := range members(n) {
		if key.Value == name {
			return value
		}
	}
	return nil
}
