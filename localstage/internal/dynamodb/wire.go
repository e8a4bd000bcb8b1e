package dynamodb

import (
	"encoding/base64"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// maxNesting is the largest depth of lists and maps.
// Source: DynamoDB developer guide, "Quotas in Amazon DynamoDB", nested attribute depth.
const maxNesting = 32

// UnmarshalJSONFrom reads the JSON form of an item, a key, or ExpressionAttributeValues, and makes every value
// canonical. It refuses everything that is not exactly one value of one known type.
func (m *mapValue) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == 'n' {
		return dec.SkipValue()
	}
	r := valueReader{dec: dec}
	*m = r.attributes(0)
	return r.err
}

// tokenReader is the source of a valueReader: a [jsontext.Decoder], or an item that this engine has written.
type tokenReader interface {
	PeekKind() jsontext.Kind
	ReadToken() (jsontext.Token, error)
}

// valueReader reads attribute values token by token. It keeps the first error and then reads nothing more.
type valueReader struct {
	dec     tokenReader
	trusted bool // written by this engine, and canonical already
	err     error
}

func (r *valueReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// token reads a token, which must be of one of two kinds.
func (r *valueReader) token(what string, kind, or jsontext.Kind) jsontext.Token {
	if r.err != nil {
		return jsontext.Null
	}
	token, err := r.dec.ReadToken()
	switch {
	case err != nil:
		r.fail(err)
	case token.Kind() != kind && token.Kind() != or:
		r.fail(malformed("expected %s, got %s", what, token.Kind()))
	default:
		return token
	}
	return jsontext.Null
}

// more reports whether the current object or array goes on, and otherwise reads its end.
func (r *valueReader) more(end jsontext.Kind) bool {
	if r.err != nil {
		return false
	}
	if r.dec.PeekKind() != end {
		return true
	}
	r.token("the end", end, end)
	return false
}

func (r *valueReader) text() string {
	if token := r.token("a string", '"', '"'); r.err == nil {
		return token.String()
	}
	return ""
}

func (r *valueReader) boolean() bool {
	token := r.token("true or false", 't', 'f')
	return r.err == nil && token.Bool()
}

// attributes reads an object whose members are attribute values.
func (r *valueReader) attributes(depth int) mapValue {
	r.token("a map of attribute values", '{', '{')
	attributes := mapValue{}
	for r.more('}') {
		name := r.text()
		attributes[name] = r.value(depth)
	}
	return attributes
}

// value reads one attribute value: an object whose only member has the name of its type.
func (r *valueReader) value(depth int) value {
	if depth > maxNesting && !r.trusted {
		r.fail(invalid("Nesting Levels have exceeded supported limits"))
	}
	r.token("an attribute value", '{', '{')
	if !r.more('}') {
		r.fail(invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"))
		return nil
	}
	v := r.content(r.text(), depth)
	if r.more('}') {
		r.fail(invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the " +
			"supported datatypes"))
	}
	return v
}

func (r *valueReader) content(typeName string, depth int) value {
	switch typeName {
	case "S":
		return stringValue(r.text())
	case "N":
		return r.number()
	case "B":
		return binaryValue(r.binary())
	case "BOOL":
		return boolValue(r.boolean())
	case "NULL":
		if !r.boolean() {
			r.fail(invalid("One or more parameter values were invalid: Null attribute value types must have the " +
				"value of true"))
		}
		return nullValue{}
	case "L":
		r.token("a list of attribute values", '[', '[')
		list := listValue{}
		for r.more(']') {
			list = append(list, r.value(depth+1))
		}
		return list
	case "M":
		return r.attributes(depth + 1)
	case "SS", "NS", "BS":
		return r.set(typeName[:1])
	}
	r.fail(malformed("%q is not a type of attribute values", typeName))
	return nil
}

func (r *valueReader) set(element string) value {
	r.token("a set of values", '[', '[')
	var members []string
	for r.more(']') {
		switch element {
		case "N":
			members = append(members, string(r.number()))
		case "B":
			members = append(members, r.binary())
		default:
			members = append(members, r.text())
		}
	}
	if r.trusted || r.err != nil {
		return setValue{element, members}
	}
	set, err := newSet(element, members)
	if err != nil {
		r.fail(err)
	}
	return set
}

func (r *valueReader) number() numberValue {
	text := r.text()
	if r.trusted || r.err != nil {
		return numberValue(text)
	}
	number, err := parseNumber(text)
	if err != nil {
		r.fail(err)
	}
	return number
}

func (r *valueReader) binary() string {
	data, err := base64.StdEncoding.DecodeString(r.text())
	if err != nil {
		r.fail(malformed("a binary value is not base64"))
	}
	return string(data)
}

// appendValue appends the JSON form of v. Equal values have the same form.
func appendValue(dst []byte, v value) []byte {
	dst = append(append(append(dst, '{', '"'), v.typeName()...), '"', ':')
	switch v := v.(type) {
	case stringValue:
		dst = appendQuoted(dst, string(v))
	case numberValue:
		dst = append(append(append(dst, '"'), v...), '"')
	case binaryValue:
		dst = appendBase64(dst, string(v))
	case boolValue:
		if v {
			dst = append(dst, "true"...)
		} else {
			dst = append(dst, "false"...)
		}
	case nullValue:
		dst = append(dst, "true"...)
	case listValue:
		dst = appendList(dst, v)
	case mapValue:
		dst = appendItem(dst, v)
	case setValue:
		dst = appendSet(dst, v)
	}
	return append(dst, '}')
}

// appendItem appends the JSON form of an item, attributes sorted by name.
func appendItem(dst []byte, item mapValue) []byte {
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(item)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, name), ':')
		dst = appendValue(dst, item[name])
	}
	return append(dst, '}')
}

func appendList(dst []byte, list listValue) []byte {
	dst = append(dst, '[')
	for i, element := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, element)
	}
	return append(dst, ']')
}

func appendSet(dst []byte, set setValue) []byte {
	dst = append(dst, '[')
	for i, member := range set.members {
		if i > 0 {
			dst = append(dst, ',')
		}
		if set.element == "B" {
			dst = appendBase64(dst, member)
		} else {
			dst = appendQuoted(dst, member)
		}
	}
	return append(dst, ']')
}

func appendQuoted(dst []byte, text string) []byte {
	// Texts come from decoded JSON and are valid UTF-8, so this returns no error.
	dst, _ = jsontext.AppendQuote(dst, text)
	return dst
}

func appendBase64(dst []byte, data string) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, []byte(data))
	return append(dst, '"')
}
