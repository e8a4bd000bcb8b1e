package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// protections is the file that lists the protections by package and tests.
const protections = "tools/mutate/protections.yaml"

// mutation takes out one protection: that of a marker in Go code, or one in the template.
type mutation struct {
	name  string   // of the marker, or what to edit in the template
	files []string // with the marker, or the template
	where string   // the package of the tests, as go test takes it
	tests []string // each of which must turn red
}

// mutations returns all that are tried, in the order of their names.
func mutations(root string) (all []mutation, err error) {
	source, err := os.ReadFile(filepath.Join(root, protections))
	var table map[string]map[string][]string
	if err := errors.Join(err, yaml.Unmarshal(source, &table)); err != nil {
		return nil, fmt.Errorf("%s: %w", protections, err)
	}
	marked, err := markers(root)
	if err != nil {
		return nil, err
	}
	for where, groups := range table {
		for tests, names := range groups {
			for _, name := range names {
				files := marked[name]
				if ofTemplate(name) {
					files = []string{"template.yaml"}
				}
				all = append(all, mutation{name, files, where, strings.Fields(tests)})
			}
		}
	}
	slices.SortFunc(all, func(a, b mutation) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// ofTemplate says whether the mutation of a name is an edit of the template, and not a marker in Go code.
func ofTemplate(name string) bool { return strings.Contains(name, ".") }

// edit returns the file that the mutation changes below root, its content, and the content with the mutation.
func (m mutation) edit(root string) (path, original, mutated string, err error) {
	change := turnAround
	if ofTemplate(m.name) {
		change = editTemplate
	}
	if len(m.files) != 1 {
		return "", "", "", fmt.Errorf("want // mutate:%s once, it is in %v", m.name, m.files)
	}
	path = filepath.Join(root, m.files[0])
	source, err := os.ReadFile(path)
	if err != nil {
		return "", "", "", err
	}
	if mutated, err = change(string(source), m.name); err != nil {
		return "", "", "", fmt.Errorf("%s: %w", path, err)
	}
	return path, string(source), mutated, nil
}
