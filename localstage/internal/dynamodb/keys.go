package dynamodb

import (
	"bytes"
	"strings"
)

// Limits of key values in bytes. Source: DynamoDB developer guide, "Quotas in Amazon DynamoDB".
const (
	maxPartitionKey = 2048
	maxSortKey      = 1024
)

// A key is stored as bytes whose order is DynamoDB's: items of one partition key lie together, sorted by sort key
// (numbers by value, strings and binaries by their bytes). The partition key's part delimits itself, so that no
// partition's prefix is the beginning of another's. The sort key's part is the rest.

// partitionEnd ends the partition key's part of a stored key, unless that is a number.
const partitionEnd = "\x00\x01"

// appendPartitionKey appends the self-delimiting form of a partition key value.
func appendPartitionKey(dst []byte, v value) []byte {
	if n, ok := v.(numberValue); ok {
		return appendNumberKey(dst, n)
	}
	text, _ := scalarText(v)
	// A zero byte is escaped. An unescaped one followed by 1 ends the key, which sorts before every continuation.
	dst = append(dst, strings.ReplaceAll(text, "\x00", "\x00\xff")...)
	return append(dst, partitionEnd...)
}

// appendSortKey appends the form of a sort key value.
func appendSortKey(dst []byte, v value) []byte {
	if n, ok := v.(numberValue); ok {
		return appendNumberKey(dst, n)
	}
	text, _ := scalarText(v)
	return append(dst, text...)
}

// Classes of numbers by sign, and the offset that makes every exponent of a number a byte.
const (
	negativeNumber = 1
	zeroNumber     = 2
	positiveNumber = 3
	exponentOffset = -minMagnitude - 1
)

// appendNumberKey appends a number so that byte order is numeric order: class, exponent, digits, end. A negative number
// has all but its class inverted, because its larger magnitude comes first.
func appendNumberKey(dst []byte, n numberValue) []byte {
	sign, digits, exponent := n.parts()
	if sign == 0 {
		return append(dst, zeroNumber)
	}
	class, mask := byte(positiveNumber), byte(0)
	if sign < 0 {
		class, mask = negativeNumber, 0xff
	}
	dst = append(dst, class, byte(exponent+exponentOffset)^mask) //nolint:gosec // the offset makes it a byte
	for i := range len(digits) {
		dst = append(dst, digits[i]^mask)
	}
	return append(dst, mask)
}

// afterPrefix returns the first key that sorts behind all keys beginning with prefix, nil when there is none.
func afterPrefix(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}

// after returns the key that directly follows key.
func after(key []byte) []byte {
	return append(bytes.Clone(key), 0)
}

// check refuses a key value of the wrong type, an empty one, and one that is too long. mismatch makes the error for a
// wrong type, which differs between items and keys.
func (k keyAttribute) check(v value, limit int, mismatch func() *Error) error {
	if v == nil || v.typeName() != k.Type {
		return mismatch()
	}
	text, _ := scalarText(v)
	if k.Type != "N" && text == "" {
		kind := map[string]string{"S": "string", "B": "binary"}[k.Type]
		return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot "+
			"contain an empty %s value. Key: %s", kind, k.Name)
	}
	if len(text) > limit && k.Type != "N" {
		return invalid("One or more parameter values were invalid: Size of key %s has exceeded the maximum size "+
			"limit of %d bytes", k.Name, limit)
	}
	return nil
}

// keyOf returns the stored key of a whole item.
func (t *table) keyOf(item mapValue) ([]byte, error) {
	for _, attribute := range t.keyAttributes() {
		v := item[attribute.Name]
		if v == nil {
			return nil,
				invalidItem("One or more parameter values were invalid: Missing the key %s in the item", attribute.Name)
		}
		err := attribute.check(v, t.keyLimit(attribute), func() *Error {
			return invalidItem("One or more parameter values were invalid: Type mismatch for key %s expected: %s "+
				"actual: %s",
				attribute.Name, attribute.Type, v.typeName())
		})
		if err != nil {
			return nil, err
		}
	}
	return t.encodeKey(item), nil
}

// keyFrom returns the stored key of a Key parameter, which must hold the key attributes and nothing else.
func (t *table) keyFrom(key mapValue) ([]byte, error) {
	mismatch := func() *Error { return invalidItem("The provided key element does not match the schema") }
	for _, attribute := range t.keyAttributes() {
		if err := attribute.check(key[attribute.Name], t.keyLimit(attribute), mismatch); err != nil {
			return nil, err
		}
	}
	if len(key) != len(t.keyAttributes()) {
		return nil, mismatch()
	}
	return t.encodeKey(key), nil
}

func (t *table) keyLimit(attribute keyAttribute) int {
	if attribute == t.PartitionKey {
		return maxPartitionKey
	}
	return maxSortKey
}

func (t *table) encodeKey(item mapValue) []byte {
	key := appendPartitionKey(nil, item[t.PartitionKey.Name])
	if t.SortKey.Name != "" {
		key = appendSortKey(key, item[t.SortKey.Name])
	}
	return key
}

// keyAttributesOf returns the part of an item that is its key.
func (t *table) keyAttributesOf(item mapValue) mapValue {
	key := mapValue{}
	for _, attribute := range t.keyAttributes() {
		key[attribute.Name] = item[attribute.Name]
	}
	return key
}
