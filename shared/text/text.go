// Package text holds the rules for text that one person writes and another person's browser shows:
// message bodies and display names. It keeps out what could disturb the page or the log around the
// text (control characters, direction overrides), and brings the rest into one normal form, so that
// equal-looking text is equal.
package text

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Clean returns s in Unicode normalization form C. The second result is false when s may not be
// shown to others: it is not valid UTF-8, or holds a control character other than line feed, or a
// bidirectional embedding, override or isolate, with which text can pretend to be other text.
// Length is the caller's business.
func Clean(s string) (string, bool) {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, forbidden) {
		return "", false
	}
	return norm.NFC.String(s), true
}

// CleanLine is Clean for text of one line, such as a name: surrounding white space goes, a line
// feed is refused, and nothing left is refused too.
func CleanLine(s string) (string, bool) {
	clean, ok := Clean(strings.TrimSpace(s))
	if !ok || clean == "" || strings.ContainsRune(clean, '\n') {
		return "", false
	}
	return clean, true
}

// forbidden reports whether r is a C0 or C1 control other than line feed, or one of the characters
// of Unicode Standard Annex 9 that change the direction of the text after them.
func forbidden(r rune) bool {
	switch {
	case r == '\n':
		return false
	case r < 0x20, r >= 0x7F && r <= 0x9F: // mutate:frame-text
		return true
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
		return true
	}
	return false
}
