package dynamodb

import (
	"bytes"
	"encoding/binary"
	"fmt"
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
	return appendItem(binary.AppendUvarint(nil, uint64(item.itemSize())), item)
}

// split returns the item's size and JSON form.
func (s storedItem) split() (size int, wire []byte) {
	n, length := binary.Uvarint(s)
	return int(n), s[max(0, length):]
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

// checkAttributes refuses names that no attribute may have.
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
