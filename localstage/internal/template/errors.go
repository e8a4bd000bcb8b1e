package template

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Error is a mistake in a template, or a part of it that the local stage does not support.
type Error struct {
	File string // the template's file name
	Line int    // 0 when no line has the mistake, such as a missing section
	// logical id, or "Parameters.<name>", "Conditions.<name>", "Rules.<name>", "Outputs.<name>"; "" outside of all
	Resource string
	Property string // path below it, such as "Properties.Routes.$connect"; may be empty
	Message  string
}

// Error returns file, line, resource, property and message in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		b.WriteString(":" + strconv.Itoa(e.Line))
	}
	if e.Resource != "" {
		b.WriteString(": " + e.Resource)
	}
	if e.Property != "" {
		b.WriteString(" " + e.Property)
	}
	b.WriteString(": " + e.Message)
	return b.String()
}

// place is a place in the template, for errors.
type place struct {
	file, resource, property string
	line                     int
	static                   bool // parameters exist here and resources do not: conditions and rules
}

// field returns the place of the named member below p.
func (p place) field(name string, line int) place {
	if p.property != "" {
		name = p.property + "." + name
	}
	p.property, p.line = name, line
	return p
}

// item returns the place of the i-th element below p, counted from 0.
func (p place) item(i, line int) place {
	p.property += "[" + strconv.Itoa(i) + "]"
	p.line = line
	return p
}

// at returns p with the line of n, for errors about a part of the text at p.
func (p place) at(n *yaml.Node) place {
	p.line = n.Line
	return p
}

func (p place) errorf(format string, args ...any) error {
	return &Error{
		File: p.file, Line: p.line, Resource: p.resource, Property: p.property, Message: fmt.Sprintf(format, args...),
	}
}
