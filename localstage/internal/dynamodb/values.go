package dynamodb

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// value is one attribute value: a stringValue, numberValue, binaryValue, boolValue, nullValue, listValue, mapValue
// or setValue. A nil value is an attribute that is absent.
type value interface {
	// typeName returns the type's name in the protocol, such as "S" or "NS".
	typeName() string
	// size returns the value's part of an item's size, in bytes.
	// Source: DynamoDB developer guide, "DynamoDB item sizes and formats".
	size() int
}

type (
	stringValue string
	binaryValue string // the bytes themselves, not their base64 form
	boolValue   bool
	nullValue   struct{}
	listValue   []value
	mapValue    map[string]value // also an item: its attributes by name

	// setValue is a set of strings, numbers or binaries. Its members are sorted and distinct, so that equal sets
	// are equal slices.
	setValue struct {
		element string // "S", "N" or "B"
		members []string
	}
)

func (stringValue) typeName() string { return "S" }
func (binaryValue) typeName() string { return "B" }
func (boolValue) typeName() string   { return "BOOL" }
func (nullValue) typeName() string   { return "NULL" }
func (listValue) typeName() string   { return "L" }
func (mapValue) typeName() string    { return "M" }
func (s setValue) typeName() string  { return s.element + "S" }

func (s stringValue) size() int { return len(s) }
func (b binaryValue) size() int { return len(b) }
func (boolValue) size() int     { return 1 }
func (nullValue) size() int     { return 1 }

// containerOverhead is the size of a list or map itself. Every element counts one byte more.
const containerOverhead = 3

func (l listValue) size() int {
	size := containerOverhead
	for _, element := range l {
		size += 1 + element.size()
	}
	return size
}

func (m mapValue) size() int {
	size := containerOverhead + len(m)
	for name, element := range m {
		size += len(name) + element.size()
	}
	return size
}

func (s setValue) size() int {
	size := 0
	for _, member := range s.members {
		if s.element == "N" {
			size += numberValue(member).size()
		} else {
			size += len(member)
		}
	}
	return size
}

// itemSize returns the size of the item as such: names and values, without a map's overhead.
func (m mapValue) itemSize() int {
	size := 0
	for name, attribute := range m {
		size += len(name) + attribute.size()
	}
	return size
}

// newSet checks the members of a set and sorts them. Numbers must be canonical.
func newSet(element string, members []string) (setValue, error) {
	if len(members) == 0 {
		return setValue{},
			invalid("One or more parameter values were invalid: a set of type %sS may not be empty", element)
	}
	set := setValue{element: element, members: members}
	slices.SortFunc(set.members, set.compare)
	if len(slices.Compact(slices.Clone(members))) != len(members) {
		return setValue{}, invalid("One or more parameter values were invalid: Input collection of type %sS contains "+
			"duplicates", element)
	}
	return set, nil
}

func (s setValue) compare(a, b string) int {
	if s.element == "N" {
		return compareNumbers(numberValue(a), numberValue(b))
	}
	return strings.Compare(a, b)
}

func (s setValue) has(member string) bool {
	_, found := slices.BinarySearchFunc(s.members, member, s.compare)
	return found
}

// union and without return new sets. The result of without may have no members, which no item may hold.
func (s setValue) union(other setValue) setValue {
	members := slices.Concat(s.members, other.members)
	slices.SortFunc(members, s.compare)
	return setValue{s.element, slices.Compact(members)}
}

func (s setValue) without(other setValue) setValue {
	return setValue{s.element, slices.DeleteFunc(slices.Clone(s.members), other.has)}
}

// equalValues reports whether a and b are both present, of one type, and equal.
func equalValues(a, b value) bool {
	switch a := a.(type) {
	case nil:
		return false
	case listValue:
		b, ok := b.(listValue)
		return ok && slices.EqualFunc(a, b, equalValues)
	case mapValue:
		b, ok := b.(mapValue)
		return ok && maps.EqualFunc(a, b, equalValues)
	case setValue:
		b, ok := b.(setValue)
		return ok && a.element == b.element && slices.Equal(a.members, b.members)
	default:
		return a == b // comparable types only; another type in b is simply unequal
	}
}

// compareValues orders two strings (by their UTF-8 bytes), two numbers or two binaries. ok is false for other types,
// and when a value is absent.
func compareValues(a, b value) (order int, ok bool) {
	if n, isNumber := a.(numberValue); isNumber {
		m, isNumber := b.(numberValue)
		if !isNumber {
			return 0, false
		}
		return compareNumbers(n, m), true
	}
	x, okA := scalarText(a)
	y, okB := scalarText(b)
	if !okA || !okB || a.typeName() != b.typeName() {
		return 0, false
	}
	return strings.Compare(x, y), true
}

// scalarText returns the text or the bytes of a string, number or binary: the types that a key may have.
func scalarText(v value) (text string, ok bool) {
	switch v := v.(type) {
	case stringValue:
		return string(v), true
	case numberValue:
		return string(v), true
	case binaryValue:
		return string(v), true
	}
	return "", false
}

// contains is the function contains() of condition expressions: part of a text, member of a set, element of a list.
func contains(container, part value) bool {
	switch container := container.(type) {
	case stringValue:
		part, ok := part.(stringValue)
		return ok && strings.Contains(string(container), string(part))
	case binaryValue:
		part, ok := part.(binaryValue)
		return ok && strings.Contains(string(container), string(part))
	case setValue:
		member, ok := scalarText(part)
		return ok && part.typeName() == container.element && container.has(member)
	case listValue:
		return slices.ContainsFunc(container, func(element value) bool { return equalValues(element, part) })
	}
	return false
}

// length is the function size() of condition expressions. ok is false for types that have no size.
func length(v value) (n int, ok bool) {
	switch v := v.(type) {
	case stringValue:
		return utf8.RuneCountInString(string(v)), true
	case binaryValue:
		return len(v), true
	case setValue:
		return len(v.members), true
	case listValue:
		return len(v), true
	case mapValue:
		return len(v), true
	}
	return 0, false
}

// nesting returns the depth of lists and maps in v.
func nesting(v value) int {
	deepest := 0
	switch v := v.(type) {
	case listValue:
		for _, element := range v {
			deepest = max(deepest, nesting(element))
		}
	case mapValue:
		for _, element := range v {
			deepest = max(deepest, nesting(element))
		}
	default:
		return 0
	}
	return deepest + 1
}

// clone copies the lists and maps of v. No other value ever changes in place.
func clone(v value) value {
	switch v := v.(type) {
	case listValue:
		copied := make(listValue, len(v))
		for i, element := range v {
			copied[i] = clone(element)
		}
		return copied
	case mapValue:
		return v.clone()
	}
	return v
}

func (m mapValue) clone() mapValue {
	copied := make(mapValue, len(m))
	for name, element := range m {
		copied[name] = clone(element)
	}
	return copied
}
