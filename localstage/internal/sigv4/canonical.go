package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
)

// appendCanonicalRequest appends the canonical request, which the signature covers.
//
// Source: IAM User Guide, "Create a signed AWS API request".
func appendCanonicalRequest(b []byte, c *claim, r *http.Request, payloadHash []byte) []byte {
	b = append(b, r.Method...)
	b = append(b, '\n')
	b = appendCanonicalPath(b, c.path)
	b = append(b, '\n')
	b = c.query.appendCanonical(b)
	b = append(b, '\n')
	for name := range strings.SplitSeq(c.signedHeaders, ";") {
		b = append(b, name...)
		b = append(b, ':')
		b = appendHeader(b, r, name)
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = append(b, c.signedHeaders...)
	b = append(b, '\n')
	return append(b, payloadHash...)
}

// appendCanonicalPath appends the path of the request, encoded once more, as for all services but S3:
// /prod/@connections/x%3D becomes /prod/%40connections/x%253D. Dot segments and repeated slashes stay, as in the SDK
// for Go; no path of a stage has them.
func appendCanonicalPath(b []byte, raw string) []byte {
	for i := range len(raw) {
		if raw[i] == '/' {
			b = append(b, '/')
		} else {
			b = appendEscaped(b, raw[i])
		}
	}
	return b
}

// appendHeader appends the values of a header, given in lower case, each trimmed
// and with runs of spaces made one, joined by commas.
func appendHeader(b []byte, r *http.Request, name string) []byte {
	values := headerValues(r, name)
	switch {
	case name == "host":
		return appendCollapsed(b, r.Host)
	case name == "content-length" && len(values) == 0 && r.ContentLength >= 0:
		return strconv.AppendInt(b, r.ContentLength, 10)
	}
	for i, value := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCollapsed(b, value)
	}
	return b
}

func appendCollapsed(b []byte, value string) []byte {
	value = strings.TrimSpace(value)
	if !strings.Contains(value, "  ") {
		return append(b, value...)
	}
	for i := range len(value) {
		if value[i] == ' ' && value[i-1] == ' ' { // a trimmed value does not begin with a space
			continue
		}
		b = append(b, value[i])
	}
	return b
}

// headerValues returns the values of a header given in lower case.
func headerValues(r *http.Request, name string) []string {
	// As http.CanonicalHeaderKey, without an allocation for the usual lengths.
	key := make([]byte, 0, 64)
	upper := true
	for i := range len(name) {
		c := name[i]
		if upper && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper = c == '-'
		key = append(key, c)
	}
	return r.Header[string(key)]
}

// appendStringToSign appends the string to sign for a canonical request.
func appendStringToSign(b []byte, c *claim, canonicalRequest []byte) []byte {
	b = append(b, algorithm...)
	b = append(b, '\n')
	b = append(b, c.timestamp...)
	b = append(b, '\n')
	for _, part := range []string{c.scope.date, c.scope.region, c.scope.service} {
		b = append(b, part...)
		b = append(b, '/')
	}
	b = append(b, terminator...)
	b = append(b, '\n')
	sum := sha256.Sum256(canonicalRequest)
	return hex.AppendEncode(b, sum[:])
}
