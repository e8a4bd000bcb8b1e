// Package text holds the rules for text that one person writes and another person's browser shows: message bodies and
// display names. It refuses text that could disturb the page or the log around it: control characters, direction
// overrides, piles of accents, blank text. It brings other text into one normal form, so that equal-looking text is
// equal.
//
// testdata/text.json has examples of the rules, and cuts.json of names that are too long; the browser client's tests
// read them too. The client repairs text that this package refuses: "repaired" and "repairedLine" are its results.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// maxMarks is how many combining marks one character may carry in normalization form C. The scripts of living
	// languages need three. A pile of a hundred covers the lines above and below.
	maxMarks = 4
	// maxBreaks is how many line breaks a message may hold.
	maxBreaks = 40
)

// Clean returns a message's text in Unicode normalization form C. The second result is false for text that other people
// may not see. Text is refused if it:
//
//   - is not valid UTF-8,
//   - holds a control character other than line feed,
//   - holds a bidirectional embedding, override or isolate, with which text can pretend to be other text,
//   - holds no visible character,
//   - holds more than maxMarks combining marks in a row, or more than maxBreaks line breaks.
//
// The caller checks the length.
func Clean(s string) (string, bool) {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, forbidden) {
		return "", false
	}
	clean := norm.NFC.String(s)
	switch {
	case !strings.ContainsFunc(clean, visible): // mutate:text-visible
		return "", false
	case hasPile(clean): // mutate:text-marks
		return "", false
	case breaks(clean) > maxBreaks: // mutate:text-breaks
		return "", false
	}
	return clean, true
}

// CleanLine is Clean for text of one line, such as a name: it removes white space around the text and refuses line
// breaks in it.
func CleanLine(s string) (string, bool) {
	clean, ok := Clean(strings.TrimSpace(s))
	if !ok || breaks(clean) > 0 {
		return "", false
	}
	return clean, true
}

// Cut returns the longest beginning of a clean line that has at most most bytes and ends between two characters as
// readers see them: a letter with its marks, joined emoji, a flag. It removes white space at the end.
func Cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	end, flags := 0, 0
	var before rune
	for i, r := range s {
		if i > most {
			break
		}
		if !continues(before, r, flags) {
			end = i
		}
		if flags++; !regional(r) {
			flags = 0
		}
		before = r
	}
	return strings.TrimSpace(s[:end])
}

// continues reports whether r belongs to the same character as the rune before it. flags is how many regional
// indicators end with that rune: two of them are a flag.
func continues(before, r rune, flags int) bool {
	const joiner, lightest, darkest = 0x200D, 0x1F3FB, 0x1F3FF // the last two are tones of skin
	return unicode.Is(unicode.M, r) || zeroWidth(r) || before == joiner || r >= lightest && r <= darkest ||
		regional(r) && flags%2 == 1
}

func regional(r rune) bool { return unicode.Is(unicode.Regional_Indicator, r) }

// forbidden reports whether r is a C0 or C1 control other than line feed, or one of the characters of Unicode Standard
// Annex 9 that change the direction of the text after them.
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

// breaks counts the characters after which a browser begins a new line.
func breaks(s string) int {
	n := 0
	for _, r := range s {
		if r == '\n' || r == '\u2028' || r == '\u2029' {
			n++
		}
	}
	return n
}

// visible reports whether r leaves ink by itself. Characters that this version of Unicode does not know count as
// visible: they may be the emoji of the next one.
func visible(r rune) bool {
	return !unicode.IsSpace(r) && !unicode.Is(unicode.M, r) && !zeroWidth(r) && !blank(r)
}

// zeroWidth reports whether r takes no room, so that marks after it land on the character before it: format characters
// and Unicode's Default_Ignorable_Code_Point, such as U+200B and U+3164.
func zeroWidth(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// blank reports whether r is a symbol or letter without ink: the empty Braille pattern, the null note head, the
// Egyptian full and half blanks, and the place of an embedded object.
func blank(r rune) bool {
	switch r {
	case 0x2800, 0x1D159, 0x13441, 0x13442, 0xFFFC:
		return true
	}
	return false
}

// hasPile reports whether a character carries more than maxMarks combining marks. Characters of zero width between the
// marks do not end the pile.
func hasPile(s string) bool {
	marks := 0
	for _, r := range s {
		switch {
		case zeroWidth(r):
		case unicode.Is(unicode.M, r):
			if marks++; marks > maxMarks {
				return true
			}
		default:
			marks = 0
		}
	}
	return false
}
