package sigv4

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// maxParameters bounds the work that a query can cause.
const maxParameters = 64

// These are the parameters of a presigned request.
const (
	paramAlgorithm     = "X-Amz-Algorithm"
	paramCredential    = "X-Amz-Credential" //nolint:gosec // the name of a parameter
	paramDate          = "X-Amz-Date"
	paramExpires       = "X-Amz-Expires"
	paramSecurityToken = "X-Amz-Security-Token" //nolint:gosec // the name of a parameter
	paramSignature     = "X-Amz-Signature"
	paramSignedHeaders = "X-Amz-SignedHeaders"
)

// parameter is one name and value of a query, decoded, and each in the encoding
// of canonical requests.
type parameter struct {
	name, value               string
	encodedName, encodedValue string
}

// query holds the parameters of a raw query in their order, repeated names included.
type query []parameter

// parseQuery parses a raw query strictly. It refuses everything that parsers read in different ways: broken escapes,
// NUL and other control characters, semicolons, more than 64 parameters, and names that begin with X-Amz- when they are
// repeated or written in another case. So no twin of a parameter can stand in for the checked one.
func parseQuery(raw string) (query, error) {
	var q query
	for piece := range strings.SplitSeq(raw, "&") {
		if piece == "" {
			continue
		}
		if len(q) == maxParameters {
			return nil, errors.New("the query has more than 64 parameters")
		}
		name, value, _ := strings.Cut(piece, "=")
		var p parameter
		var err error
		if p.name, p.encodedName, err = decode(name); err != nil {
			return nil, err
		}
		if p.value, p.encodedValue, err = decode(value); err != nil {
			return nil, err
		}
		q = append(q, p)
	}
	return q, q.checkAmzNames() // mutate:stage-twin-parameters
}

// checkAmzNames refuses ambiguous X-Amz-* names.
func (q query) checkAmzNames() error {
	if len(q) == 0 {
		return nil
	}
	reserved := []string{
		paramAlgorithm, paramCredential, paramDate, paramExpires,
		paramSecurityToken, paramSignature, paramSignedHeaders,
	}
	const prefix = "X-Amz-"
	seen := make(map[string]bool)
	for _, p := range q {
		if len(p.name) < len(prefix) || !strings.EqualFold(p.name[:len(prefix)], prefix) {
			continue
		}
		folded := strings.ToLower(p.name)
		if seen[folded] {
			return errors.New("an X-Amz- parameter is repeated")
		}
		seen[folded] = true
		isTwin := func(name string) bool { return name != p.name && strings.ToLower(name) == folded }
		if !strings.HasPrefix(p.name, prefix) || slices.ContainsFunc(reserved, isTwin) {
			return errors.New("an X-Amz- parameter is in the wrong case")
		}
	}
	return nil
}

// value returns the value of the first parameter with a name, or "". An X-Amz-* name has only one.
func (q query) value(name string) string {
	for _, p := range q {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

func (q query) has(name string) bool {
	return slices.ContainsFunc(q, func(p parameter) bool { return p.name == name })
}

// appendCanonical appends the canonical query string: all parameters except the signature, sorted by encoded name and
// then by encoded value.
//
// Source: IAM User Guide, "Create a signed AWS API request".
func (q query) appendCanonical(b []byte) []byte {
	sorted := slices.Clone(q)
	slices.SortFunc(sorted, func(x, y parameter) int {
		return cmp.Or(strings.Compare(x.encodedName, y.encodedName), strings.Compare(x.encodedValue, y.encodedValue))
	})
	separate := false
	for _, p := range sorted {
		if p.name == paramSignature {
			continue
		}
		if separate {
			b = append(b, '&')
		}
		separate = true
		b = append(b, p.encodedName...)
		b = append(b, '=')
		b = append(b, p.encodedValue...)
	}
	return b
}

// decode returns a part of a query decoded, and in canonical encoding, in which each byte that is not unreserved is %XX
// in upper case.
//
// A raw + stays a + in both. Signers write a space as %20 and a plus as %2B, and API Gateway is known to answer a +
// with 403. So a + must match neither: otherwise an attacker could exchange a signed %2B for a +, which the next parser
// takes for a space.
func decode(s string) (decoded, encoded string, err error) {
	//nolint:gosec // r is ASCII here
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 || !isUnreserved(byte(r)) }) {
		return s, s, nil
	}
	var dec, enc []byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == ';' || c <= ' ' || c == 0x7f:
			return "", "", errors.New("the query has a character that must be percent-encoded")
		case c == '+':
			dec, enc = append(dec, '+'), append(enc, '+')
			continue
		case c == '%':
			var ok bool
			if c, ok = unescape(s[i:]); !ok {
				return "", "", errors.New("the query has a broken percent escape, or a NUL")
			}
			i += 2
		}
		dec, enc = append(dec, c), appendEscaped(enc, c)
	}
	return string(dec), string(enc), nil
}

// unescape decodes the %XX at the beginning of s. NUL counts as broken.
func unescape(s string) (byte, bool) {
	if len(s) < 3 {
		return 0, false
	}
	high, highOK := unhex(s[1])
	low, lowOK := unhex(s[2])
	c := high<<4 | low
	return c, highOK && lowOK && c != 0
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	default:
		return 0, false
	}
}

// appendEscaped appends c as it is if it is unreserved, else as %XX.
func appendEscaped(b []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	if isUnreserved(c) {
		return append(b, c)
	}
	return append(b, '%', digits[c>>4], digits[c&15])
}

// isUnreserved reports whether c is one of RFC 3986's unreserved characters.
func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}
