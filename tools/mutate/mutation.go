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
	for where, groups := range table {
		for tests, names := range groups {
			for _, name := range names {
				all = append(all, mutation{name, where, strings.Fields(tests)})
			}
		}
	}
	slices.SortFunc(all, func(a, b mutation) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// edit returns the file that the mutation changes below root, its content, and the content with the mutation.
func (m mutation) edit(root string) (path, original, mutated string, err error) {
	path, change := filepath.Join(root, "template.yaml"), editTemplate
	if !strings.Contains(m.name, ".") {
		files, err := markers(root)
		if found := files[m.name]; err != nil || len(found) != 1 {
			return "", "", "", errors.Join(err, fmt.Errorf("want // mutate:%s once, it is in %v", m.name, found))
		}
		path, change = files[m.name][0], turnAround
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return "", "", "", err
	}
	if mutated, err = change(string(source), m.name); err != nil {
		return "", "", "", fmt.Errorf("%s: %w", path, err)
	}
	return path, string(source), mutated, nil
}
