// Package template reads an AWS SAM template and gives what a local stage needs of it as a typed model: functions with
// their environment, roles with their policies, WebSocket and HTTP APIs with their routes, tables, permissions and
// outputs.
//
// Parameters, conditions, rules and intrinsic functions are resolved as CloudFormation resolves them, and the resources
// that the SAM transform would make are made the same way. What the package does not support is an error that names
// resource, property and line: a local stage that silently skips a property would behave unlike the deployed one.
package template

import (
	"fmt"
	"os"
	"path/filepath"
)

// Options say how a template is deployed: the arguments of `sam deploy`, for a stage on this machine.
type Options struct {
	// Parameters are the values a person gave. They are checked against the parameters' constraints.
	Parameters map[string]string
	// Defaults are what the stage supplies for parameters that Parameters does not name, before the template's own
	// Default. They are exempt from AllowedPattern, and one that the template has no parameter for is ignored.
	Defaults map[string]string
	// Region, AccountID and StackName are what AWS::Region, AWS::AccountId and AWS::StackName resolve to.
	Region, AccountID, StackName string
}

// Source is a template that has been read. It is resolved any number of times.
type Source struct{ document document }

// Read reads the template at path. Its error is an [*Error] for text that is no template, or that of reading the file;
// each is one line.
func Read(path string) (*Source, error) {
	data, err := os.ReadFile(path) //nolint:gosec // a developer names the file
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	doc, err := parse(filepath.Base(path), data)
	if err != nil {
		return nil, err
	}
	return &Source{document: doc}, nil
}

// Resolve resolves the template. Its error is an [*Error] of one line for the first mistake in the template or its
// parameters.
func (s *Source) Resolve(o Options) (*Template, error) {
	stack := &stack{options: o, document: s.document}
	if err := stack.prepare(); err != nil {
		return nil, err
	}
	return stack.model()
}

// Load reads the template at path and resolves it.
func Load(path string, o Options) (*Template, error) {
	source, err := Read(path)
	if err != nil {
		return nil, err
	}
	return source.Resolve(o)
}
