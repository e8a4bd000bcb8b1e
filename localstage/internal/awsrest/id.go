package awsrest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// These are the lengths of an identifier: eleven bytes, and their text in base64.
const (
	idBytes   = 11
	idTime    = 5 // the bytes that count the time
	idTextLen = 16
)

// NewID returns an identifier of API Gateway, for a connection, a request or a message: sixteen characters of URL-safe
// base64 that end in "=". Its leading bytes count the time in steps of 4 ms, the other 48 bits are random.
// Source: observed; the leading characters of AWS's identifiers grow with time.
func NewID(now time.Time) string {
	var raw [idBytes]byte
	var clock [8]byte
	binary.BigEndian.PutUint64(clock[:], uint64(now.UnixMilli()>>2))
	copy(raw[:idTime], clock[8-idTime:])
	rand.Read(raw[idTime:])
	return base64.URLEncoding.EncodeToString(raw[:])
}

// IsID reports whether s has the form of an identifier.
func IsID(s string) bool {
	if len(s) != idTextLen || s[idTextLen-1] != '=' {
		return false
	}
	for _, c := range s[:idTextLen-1] {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && !('0' <= c && c <= '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
