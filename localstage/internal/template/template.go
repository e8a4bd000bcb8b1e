// Package template reads an AWS SAM template and returns a typed model for a local stage: functions with their
// environment, roles with their policies, WebSocket and HTTP APIs with their routes, tables, permissions and outputs.
//
// It resolves parameters, conditions, rules and intrinsic functions as CloudFormation does, and makes the resources
// that the SAM transform would make. An unsupported part is an error that names resource, property and line: a local
// stage that skips a property silently would behave unlike the deployed one.
package template

import (
	"fmt"
	"os"
	"path/filepath"
)

// Options are the deployment of a template: the arguments of `sam deploy`, for a stage on this machine.
type Options struct {
	// Parameters are the values on the command line. They are checked against the parameters' constraints.
	Parameters map[string]string
	// Defaults are the stage's values for parameters that Parameters does not name. They come before the template's own
	// Default, are exempt from AllowedPattern, and may name parameters that the template does not have.
	Defaults map[string]string
	// Region, AccountID and StackName are the values of AWS::Region, AWS::AccountId and AWS::StackName.
	Region, AccountID, StackName string
}

// Source is a parsed template. It can be resolved any number of times.
type Source struct{ document document }

// Read reads the template at path. Its error is an [*Error] for text that is no template, or an error of reading the
// file. Each is one line.
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
	resolving := &stack{options: o, document: s.document}
	if err := resolving.prepare(); err != nil {
		return nil, err
	}
	return resolving.model()
}

// Load reads the template at path and resolves it.
func Load(path string, o Options) (*Template, error) {
	source, err := Read(path)
	if err != nil {
		return nil, err
	}
	return source.Resolve(o)
}
