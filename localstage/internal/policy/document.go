// Package policy parses IAM policy documents and evaluates them as IAM does for
// an identity: explicit deny wins over allow, allow wins over the implicit deny.
//
// It supports the elements in identity policies of a serverless application: Action and NotAction, Resource and
// NotResource, and conditions with the string, ARN, boolean, numeric, date, IP address and Null operators, their
// "IfExists" forms and the set qualifiers ForAllValues and ForAnyValue. It skips nothing silently: Parse reports an
// unsupported part as a [Problem], and its statement then fails closed. Such a statement allows nothing and denies
// every request to which it may apply.
//
// Source: IAM User Guide, "IAM JSON policy element reference" and "Policy
// evaluation logic".
package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Document is one parsed IAM policy document. The zero value has no statement
// and so allows nothing.
type Document struct {
	statements []statement
	problems   []Problem
}

// Problem names a part of a document that this package cannot evaluate. Its statement fails closed.
type Problem struct {
	// Statement is the Sid of the statement, or its place, such as "#1".
	Statement string
	// Detail names the unsupported part, in a sentence without a full stop.
	Detail string
}

// String returns the problem as one line for people.
func (p Problem) String() string {
	return fmt.Sprintf("policy statement %s: %s; here the statement allows nothing, and as a Deny it denies all that "+
		"it may be about", p.Statement, p.Detail)
}

// Problems returns the parts of the document that this package cannot evaluate, in the order of the document. A caller
// should show each of them loudly.
func (d Document) Problems() []Problem {
	return slices.Clone(d.problems)
}

// Parse parses a policy document in IAM's JSON form. It fails where IAM itself refuses to create a policy: broken JSON,
// a repeated or unknown member of the document, a statement without Effect, or with both or neither of Action and
// NotAction or of Resource and NotResource, and actions or resources of the wrong form. A part that IAM accepts and
// this package cannot evaluate is no error but a Problem of the document.
func Parse(data []byte) (Document, error) {
	var raw struct {
		Version   string         `json:"Version"`
		ID        string         `json:"Id"`
		Statement jsontext.Value `json:"Statement"`
	}
	if err := json.Unmarshal(data, &raw, json.RejectUnknownMembers(true)); err != nil {
		return Document{}, fmt.Errorf("parse policy document: %w", err)
	}
	if !slices.Contains([]string{"", "2008-10-17", "2012-10-17"}, raw.Version) {
		return Document{}, fmt.Errorf("parse policy document: Version is %q; write \"2012-10-17\"", raw.Version)
	}
	elements, err := parseStatementList(raw.Statement)
	if err != nil {
		return Document{}, fmt.Errorf("parse policy document: %w", err)
	}
	var d Document
	for i, e := range elements {
		s, err := parseStatement(e, fmt.Sprintf("#%d", i+1))
		if err != nil {
			return Document{}, fmt.Errorf("parse policy document: statement %s: %w", s.name, err)
		}
		d.statements = append(d.statements, s)
		for _, detail := range s.unsupported {
			d.problems = append(d.problems, Problem{Statement: s.name, Detail: detail})
		}
	}
	return d, nil
}

// elements are the members of one statement by name.
type elements map[string]jsontext.Value

// parseStatementList parses Statement, which is one object or a list of objects.
func parseStatementList(v jsontext.Value) ([]elements, error) {
	var list []elements
	var err error
	switch v.Kind() {
	case '{':
		list = make([]elements, 1)
		err = json.Unmarshal(v, &list[0])
	case '[':
		err = json.Unmarshal(v, &list)
	default:
		return nil, errors.New("Statement is missing, or neither an object nor a list")
	}
	if err != nil {
		return nil, fmt.Errorf("Statement: %w", err)
	}
	if len(list) == 0 {
		return nil, errors.New("Statement is an empty list")
	}
	return list, nil
}

// statement is one parsed statement. It applies to a request when all of its parts match.
type statement struct {
	name        string // Sid, or the place in the document
	deny        bool
	actions     actionSet
	resources   resourceSet
	conditions  []condition
	unsupported []string // the parts that cannot be evaluated, for Problems
	// opaque is set when a whole element is unknown, so that the statement may apply to any request.
	opaque bool
}

// parseStatement parses one statement. place names it when it has no Sid. The returned statement has its name even with
// an error.
func parseStatement(e elements, place string) (statement, error) {
	s := statement{name: place}
	if v, ok := e["Sid"]; ok {
		var sid string
		if err := json.Unmarshal(v, &sid); err != nil {
			return s, fmt.Errorf("Sid: %w", err)
		}
		if sid != "" {
			s.name = sid
		}
	}
	for _, parse := range []func(elements) error{s.parseEffect, s.parseActions, s.parseResources, s.parseConditions} {
		if err := parse(e); err != nil {
			return s, err
		}
	}
	s.noteUnknown(e)
	return s, nil
}

func (s *statement) parseEffect(e elements) error {
	switch string(e["Effect"]) {
	case `"Allow"`:
		return nil
	case `"Deny"`:
		s.deny = true
		return nil
	default:
		return errors.New("Effect must be \"Allow\" or \"Deny\"")
	}
}

func (s *statement) parseActions(e elements) error {
	values, negated, err := oneOf(e, "Action", "NotAction")
	if err != nil {
		return err
	}
	s.actions, err = parseActionSet(values, negated)
	return err
}

func (s *statement) parseResources(e elements) error {
	values, negated, err := oneOf(e, "Resource", "NotResource")
	if err != nil {
		return err
	}
	var problems []string
	s.resources, problems, err = parseResourceSet(values, negated)
	s.unsupported = append(s.unsupported, problems...)
	return err
}

func (s *statement) parseConditions(e elements) error {
	v, ok := e["Condition"]
	if !ok {
		return nil
	}
	var problems []string
	var err error
	s.conditions, problems, err = parseConditions(v)
	s.unsupported = append(s.unsupported, problems...)
	return err
}

// noteUnknown records elements that an identity policy does not have, such as NotPrincipal.
func (s *statement) noteUnknown(e elements) {
	known := []string{"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
	for _, name := range slices.Sorted(maps.Keys(e)) {
		if !slices.Contains(known, name) {
			s.opaque = true
			s.unsupported = append(s.unsupported, fmt.Sprintf("element %q is not supported", name))
		}
	}
}

// oneOf returns the values of the one of two elements that the statement has, and whether it is the negated one.
func oneOf(e elements, plain, negated string) (values []string, isNegated bool, err error) {
	v, hasPlain := e[plain]
	n, hasNegated := e[negated]
	if hasPlain == hasNegated {
		return nil, false, fmt.Errorf("exactly one of %s and %s is needed", plain, negated)
	}
	name := plain
	if hasNegated {
		name, v = negated, n
	}
	if values, err = parseStrings(v); err != nil {
		return nil, false, fmt.Errorf("%s: %w", name, err)
	}
	if len(values) == 0 {
		return nil, false, fmt.Errorf("%s is an empty list", name)
	}
	return values, hasNegated, nil
}

// parseStrings parses a string, or a list of strings.
func parseStrings(v jsontext.Value) ([]string, error) {
	if v.Kind() == '[' {
		var list []string
		err := json.Unmarshal(v, &list)
		return list, err
	}
	if v.Kind() != '"' {
		return nil, errors.New("a string or a list of strings is needed")
	}
	var one string
	err := json.Unmarshal(v, &one)
	return []string{one}, err
}

// hasVariable reports whether s has a policy variable such as ${aws:username}.
func hasVariable(s string) bool {
	return strings.Contains(s, "${")
}
