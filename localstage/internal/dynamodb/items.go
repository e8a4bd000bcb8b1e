package dynamodb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	"github.com/go-json-experiment/json/jsontext"
)

// maxItem is the largest item in bytes, names included.
// Source: DynamoDB developer guide, "Quotas in Amazon DynamoDB".
const maxItem = 400 << 10

// maxAttributeName is the longest attribute name in bytes. Source: the same page.
const maxAttributeName = 65535

// storedItem is an item as the file keeps it: its size as DynamoDB counts it, then its JSON form, which goes into
// answers as it is.
type storedItem []byte

func encodeItem(item mapValue) storedItem {
	return appendItem(binary.AppendUvarint(nil, uint64(item.itemSize())), item) //nolint:gosec // a size is not negative
}

// split returns the item's size and JSON form.
func (s storedItem) split() (size int, wire []byte) {
	n, length := binary.Uvarint(s)
	return int(n), s[max(0, length):] //nolint:gosec // an item has at most 400 KB
}

// wire returns a copy of the JSON form; the stored one belongs to the file.
func (s storedItem) wire() []byte {
	_, wire := s.split()
	return bytes.Clone(wire)
}

func (s storedItem) size() int {
	size, _ := s.split()
	return size
}

// decode returns the item, nil when there is none.
func (s storedItem) decode() (mapValue, error) {
	if s == nil {
		return nil, nil
	}
	_, wire := s.split()
	item, err := decodeStored(wire)
	if err != nil {
		return nil, fmt.Errorf("stored item: %w", err)
	}
	return item, nil
}

// storedAttribute is one attribute of a stored item, as bytes that belong to the file.
type storedAttribute struct {
	name  []byte
	value []byte // JSON form
	whole []byte // JSON form, name included
}

// decode returns the attribute's value.
func (a storedAttribute) decode() (value, error) {
	r := valueReader{dec: &storedTokens{text: string(a.value)}, trusted: true}
	v := r.value(0)
	if r.err != nil {
		return nil, fmt.Errorf("stored attribute: %w", r.err)
	}
	return v, nil
}

// attributes returns the item's attributes, sorted by name as they lie in the file. It only finds where each one ends,
// so that no attribute is decoded for which a filter or a projection does not ask.
func (s storedItem) attributes() iter.Seq[storedAttribute] {
	return func(yield func(storedAttribute) bool) {
		_, rest := s.split()
		for len(rest) > 2 { // the brace or comma before an attribute, and more than a closing brace
			rest = rest[1:]
			name := quotedLength(rest)
			end := name + 1 + valueLength(rest[name+1:])
			if !yield(storedAttribute{unquoted(rest[:name]), rest[name+1 : end], rest[:end]}) {
				return
			}
			rest = rest[end:]
		}
	}
}

// decodeOnly returns the item with the attributes in names only.
func (s storedItem) decodeOnly(names map[string]bool) (mapValue, error) {
	item := mapValue{}
	for attribute := range s.attributes() {
		if !names[string(attribute.name)] {
			continue
		}
		v, err := attribute.decode()
		if err != nil {
			return nil, err
		}
		item[string(attribute.name)] = v
	}
	return item, nil
}

// quotedLength returns how many bytes of text, which begins with a quote, belong to the quoted string.
func quotedLength(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// valueLength returns how many bytes of text, which begins with a brace, belong to the attribute value.
func valueLength(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += quotedLength(text[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// unquoted returns the text of a quoted string. The text is nearly always just the bytes between the quotes.
func unquoted(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	text, _ := jsontext.AppendUnquote(nil, quoted) // this engine has written it
	return text
}

// checkAttributes refuses a name that no attribute may have.
func checkAttributes(item mapValue) error {
	for name := range item {
		if name == "" {
			return invalid("One or more parameter values were invalid: Empty attribute name")
		}
		if len(name) > maxAttributeName {
			return invalid("Attribute name is too large, must be less than %d bytes", maxAttributeName+1)
		}
	}
	return nil
}

// decodeStored decodes an item that appendItem wrote.
func decodeStored(wire []byte) (mapValue, error) {
	r := valueReader{dec: &storedTokens{text: string(wire)}, trusted: true}
	item := r.attributes(0)
	return item, r.err
}

// storedTokens splits the JSON that appendItem writes, without spaces or numbers, several times faster than a decoder
// for any JSON. Strings without escapes are parts of the text and cost nothing.
type storedTokens struct {
	text string
	at   int
}

// PeekKind returns the kind of the next token, 0 at the end.
func (s *storedTokens) PeekKind() jsontext.Kind {
	for s.at < len(s.text) && (s.text[s.at] == ',' || s.text[s.at] == ':') {
		s.at++
	}
	if s.at == len(s.text) {
		return 0
	}
	return jsontext.Kind(s.text[s.at])
}

// ReadToken returns the next token.
func (s *storedTokens) ReadToken() (jsontext.Token, error) {
	kind := s.PeekKind()
	start := s.at
	s.at++
	switch kind {
	case '{':
		return jsontext.BeginObject, nil
	case '}':
		return jsontext.EndObject, nil
	case '[':
		return jsontext.BeginArray, nil
	case ']':
		return jsontext.EndArray, nil
	case 't':
		s.at = start + len("true")
		return jsontext.True, nil
	case 'f':
		s.at = start + len("false")
		return jsontext.False, nil
	case '"':
		return s.str()
	}
	return jsontext.Token{}, io.ErrUnexpectedEOF
}

// str reads the rest of a string whose opening quote has been read.
func (s *storedTokens) str() (jsontext.Token, error) {
	start, escaped := s.at, false
	for ; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			escaped = true
			s.at++
		case '"':
			s.at++
			if !escaped {
				return jsontext.String(s.text[start : s.at-1]), nil
			}
			text, err := jsontext.AppendUnquote(nil, s.text[start-1:s.at])
			return jsontext.String(string(text)), err
		}
	}
	return jsontext.Token{}, io.ErrUnexpectedEOF
}
