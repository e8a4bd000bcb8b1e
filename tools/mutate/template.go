package main

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// editTemplate makes the edits in the name of a mutation, see the package comment. It changes nothing but the lines of
// the places, because the tests make edits of their own.
func editTemplate(source, edits string) (string, error) {
	for edit := range strings.SplitSeq(edits, "; ") {
		name, value, set := strings.Cut(edit, " = ")
		at, err := find(source, strings.Split(name, "."))
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		lines := strings.SplitAfter(source, "\n")
		start := at.node.Line - 1
		before, end := lines[start][:at.node.Column-1], start+1
		for end < len(lines) && (strings.TrimSpace(lines[end]) == "" || indent(lines[end]) > indent(before+"x")) {
			end++
		}
		for strings.TrimSpace(lines[end-1]) == "" {
			end--
		}
		replacement := ""
		switch bullet := strings.TrimSpace(before); {
		case at.statement && (set || bullet != "-"), !at.statement && bullet != "":
			return "", fmt.Errorf("%s: want a property, or a statement to remove, at the beginning of a line", name)
		case !set && at.alone:
			return "", fmt.Errorf("%s: nothing would be left around it: set a property instead, such as Effect", name)
		case set:
			replacement = fmt.Sprintf("%s%q: %s\n", before, at.node.Value, value)
		}
		source = strings.Join(lines[:start], "") + replacement + strings.Join(lines[end:], "")
	}
	return source, yaml.Unmarshal([]byte(source), new(yaml.Node))
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// place is a key of the template, or a policy statement.
type place struct {
	node      *yaml.Node
	statement bool
	alone     bool // in its mapping or list
}

// find returns the place of a path: a resource, then the Sid of a statement or the names of properties, from outside
// to inside.
func find(source string, path []string) (found place, err error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(source), &document); err != nil {
		return place{}, err
	}
	if len(document.Content) == 0 || len(path) < 2 {
		return place{}, errors.New("a place is RESOURCE.SID or RESOURCE.PROPERTY")
	}
	value := document.Content[0]
	for _, name := range append([]string{"Resources", path[0], "Properties"}, path[1:]...) {
		if found, value = child(value, name); value == nil {
			return place{}, fmt.Errorf("the template has no %q there: correct %s", name, protections)
		}
	}
	return found, nil
}

// child returns the place of a key in a mapping, and the node in that place. Without such a key it takes the statement
// with this Sid anywhere below.
func child(in *yaml.Node, name string) (place, *yaml.Node) {
	for i := 0; in.Kind == yaml.MappingNode && i < len(in.Content); i += 2 {
		if in.Content[i].Value == name {
			return place{node: in.Content[i], alone: len(in.Content) == 2}, in.Content[i+1]
		}
	}
	for _, below := range in.Content {
		if len(below.Content) > 1 && below.Content[0].Value == "Sid" && below.Content[1].Value == name {
			return place{node: below, statement: true, alone: len(in.Content) == 1}, below
		}
		if found, value := child(below, name); found.statement {
			return found, value
		}
	}
	return place{}, nil
}
