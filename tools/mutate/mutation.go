package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// mutation takes one protection out of one file.
type mutation struct {
	name     string
	file     string
	edit     func(source string) (string, error)
	packages []string // with the tests, as go test takes them
	tests    []string // each of which must turn red
}

// replace returns an edit of a text that the file holds exactly once.
func replace(from, to string) func(string) (string, error) {
	return func(source string) (string, error) {
		if n := strings.Count(source, from); n != 1 {
			return "", fmt.Errorf("%q occurs %d times, want once", from, n)
		}
		return strings.Replace(source, from, to, 1), nil
	}
}

// statement is the place of a policy statement in the template.
type statement struct{ role, sid string }

// String names the statement as the table of mutations does.
func (s statement) String() string { return s.role + "." + s.sid }

// find returns where the statement's lines begin and end in source.
func (s statement) find(source string) (start, end int, err error) {
	role, found, at := "", false, 0
	for line := range strings.Lines(source) {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		switch text := strings.TrimSpace(line); {
		case found && indent <= statementIndent:
			return start, at, nil
		case indent == 2 && strings.HasSuffix(text, ":"):
			role = strings.TrimSuffix(text, ":")
		case role == s.role && text == "- Sid: "+s.sid:
			start, found = at, true
		}
		at += len(line)
	}
	if !found {
		return 0, 0, fmt.Errorf("the template has no statement %s", s)
	}
	return start, at, nil
}

// statementIndent is how far a policy's statements are indented in the template.
const statementIndent = 14

// without removes the statement.
func (s statement) without() func(string) (string, error) {
	return func(source string) (string, error) {
		start, end, err := s.find(source)
		if err != nil {
			return "", err
		}
		return source[:start] + source[end:], nil
	}
}

// unconditional removes the lines of the statement's Condition, or only that of one operator.
func (s statement) unconditional(operator string) func(string) (string, error) {
	pattern := `(?m)^                Condition:\n(?:                  .*\n)+`
	if operator != "" {
		pattern = `(?m)^                  "?` + regexp.QuoteMeta(operator) + `"?:.*\n(?:                    .*\n)*`
	}
	return s.inside(func(text string) (string, error) {
		return strip(text, pattern)
	})
}

// with replaces a text inside of the statement.
func (s statement) with(from, to string) func(string) (string, error) {
	return s.inside(replace(from, to))
}

func (s statement) inside(edit func(string) (string, error)) func(string) (string, error) {
	return func(source string) (string, error) {
		start, end, err := s.find(source)
		if err != nil {
			return "", err
		}
		edited, err := edit(source[start:end])
		if err != nil {
			return "", fmt.Errorf("%s: %w", s, err)
		}
		return source[:start] + edited + source[end:], nil
	}
}

func strip(text, pattern string) (string, error) {
	found := regexp.MustCompile(pattern).FindStringIndex(text)
	if found == nil {
		return "", fmt.Errorf("nothing in it matches %s", pattern)
	}
	return text[:found[0]] + text[found[1]:], nil
}

// statements lists the policy statements of a template, in order, and whether each has conditions.
func statements(source string) (all []statement, conditional []statement) {
	role := ""
	for line := range strings.Lines(source) {
		if found := regexp.MustCompile(`^  (\w+Role):\n$`).FindStringSubmatch(line); found != nil {
			role = found[1]
		}
		if found := regexp.MustCompile(`^\s+- Sid: (\w+)\n$`).FindStringSubmatch(line); found != nil {
			all = append(all, statement{role, found[1]})
		}
		if len(all) > 0 && strings.TrimSpace(line) == "Condition:" && !slices.Contains(conditional, all[len(all)-1]) {
			conditional = append(conditional, all[len(all)-1])
		}
	}
	return all, conditional
}
