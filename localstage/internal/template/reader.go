package template

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// reader reads the members of an object and refuses members that the code does not read. Its first error sticks: later
// reads return zero values, and done returns the error. Readers of nested objects share the error of the outermost.
type reader struct {
	value value
	at    place
	known []string
	err   *error
}

// newReader reads an outermost object.
func newReader(v value, at place) *reader {
	return &reader{value: v, at: at, err: new(error)}
}

// done refuses the members that were not read and returns the first error.
func (r *reader) done() error {
	r.finish()
	return *r.err
}

// finish is done for a nested object, whose error the outermost returns.
func (r *reader) finish() {
	for _, f := range r.value.fields {
		if *r.err == nil && !slices.Contains(r.known, f.name) {
			slices.Sort(r.known)
			r.fail(r.at.field(f.name, f.value.line), "is not supported by the local stage; it knows %s",
				strings.Join(r.known, ", "))
		}
	}
}

func (r *reader) fail(at place, format string, args ...any) {
	if *r.err == nil {
		*r.err = at.errorf(format, args...)
	}
}

// place returns the place of the named member, or of the object when it has no such member.
func (r *reader) place(name string) place {
	line := r.at.line
	if v := r.value.member(name); v.kind != absent {
		line = v.line
	}
	return r.at.field(name, line)
}

// get returns the named member, absent when there is none.
func (r *reader) get(name string) value {
	if !slices.Contains(r.known, name) {
		r.known = append(r.known, name)
	}
	return r.value.member(name)
}

// ignore accepts members that have no effect on a local stage.
func (r *reader) ignore(names ...string) { r.known = append(r.known, names...) }

// need refuses an object without the named member.
func (r *reader) need(name string) value {
	v := r.get(name)
	if v.kind == absent {
		r.fail(r.place(name), "is needed")
	}
	return v
}

// text returns the named scalar, or fallback when there is none.
func (r *reader) text(name, fallback string) string {
	v := r.get(name)
	switch v.kind {
	case absent:
		return fallback
	case scalar:
		return v.text
	}
	r.fail(r.place(name), "must be a single value")
	return ""
}

// needText returns the named scalar, which must exist.
func (r *reader) needText(name string) string {
	r.need(name)
	return r.text(name, "")
}

// oneOf returns the named scalar, which must be one of the choices. The first stands for a missing one.
func (r *reader) oneOf(name string, choices ...string) string {
	text := r.text(name, choices[0])
	if !slices.Contains(choices, text) {
		r.fail(r.place(name), "%q is not supported by the local stage, only %s", text, strings.Join(choices, ", "))
	}
	return text
}

// integer returns the named whole number between low and high, or fallback when there is none.
func (r *reader) integer(name string, fallback, low, high int) int {
	text := r.text(name, strconv.Itoa(fallback))
	n, err := strconv.Atoi(text)
	if err != nil || (n != fallback && (n < low || n > high)) {
		r.fail(r.place(name), "%q is not a whole number from %d to %d", text, low, high)
	}
	return n
}

// number returns the named number, or 0 when there is none.
func (r *reader) number(name string) float64 {
	text := r.text(name, "0")
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 {
		r.fail(r.place(name), "%q is not a number of 0 or more", text)
	}
	return n
}

// flag returns the named boolean, or false when there is none.
func (r *reader) flag(name string) bool {
	text := r.text(name, "false")
	if text != "true" && text != "false" {
		r.fail(r.place(name), "%q must be true or false", text)
	}
	return text == "true"
}

// list returns the named list's elements.
func (r *reader) list(name string) []value {
	v := r.get(name)
	if v.kind != list && v.kind != absent {
		r.fail(r.place(name), "must be a list")
	}
	return v.items
}

// texts returns the named list of scalars.
func (r *reader) texts(name string) []string {
	var texts []string
	for i, item := range r.list(name) {
		if item.kind != scalar {
			r.fail(r.place(name).item(i, item.line), "must be a single value")
		}
		texts = append(texts, item.text)
	}
	return texts
}

// object reads the named object. A missing one reads as an empty one.
func (r *reader) object(name string) *reader {
	v := r.get(name)
	if v.kind != object && v.kind != absent {
		r.fail(r.place(name), "must be a mapping")
	}
	return &reader{value: v, at: r.place(name), err: r.err}
}

// objects reads the named list of objects.
func (r *reader) objects(name string) []*reader {
	var readers []*reader
	for i, item := range r.list(name) {
		at := r.place(name).item(i, item.line)
		if item.kind != object {
			r.fail(at, "must be a mapping")
		}
		readers = append(readers, &reader{value: item, at: at, err: r.err})
	}
	return readers
}

// textMap returns the named object of scalars, or nil when there is none.
func (r *reader) textMap(name string) map[string]string {
	o := r.object(name)
	if o.value.kind == absent {
		return nil
	}
	texts := make(map[string]string, len(o.value.fields))
	for _, f := range o.value.fields {
		texts[f.name] = o.text(f.name, "")
	}
	return texts
}

// document returns the named object as JSON. It must exist.
func (r *reader) document(name string) json.RawMessage {
	v := r.need(name)
	if v.kind != object && v.kind != absent {
		r.fail(r.place(name), "must be a mapping")
	}
	data, err := json.Marshal(v)
	if err != nil {
		r.fail(r.place(name), "cannot be written as JSON: %v", err)
	}
	return data
}
