package sigv4

import (
	"strings"
	"testing"
)

func TestCanonicalQuery(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ raw, want string }{
		"empty":                         {"", ""},
		"sorted by name":                {"b=1&a=2", "a=2&b=1"},
		"repeated, sorted by value":     {"a=2&a=1", "a=1&a=2"},
		"sorted after encoding":         {"a=a-b&a=a/b", "a=a%2Fb&a=a-b"},
		"a name before a longer one":    {"ab=1&a-=3&a=2", "a=2&a-=3&ab=1"},
		"upper case before lower case":  {"a=1&B=2", "B=2&a=1"},
		"bare name":                     {"a", "a="},
		"empty name":                    {"=a", "=a"},
		"empty parts":                   {"&&a=1&", "a=1"},
		"equal sign in a value":         {"a=b=c", "a=b%3Dc"},
		"escapes in upper case":         {"a=%2f%c3%a9", "a=%2F%C3%A9"},
		"unreserved escapes decoded":    {"a=%41%7e", "a=A~"},
		"reserved characters encoded":   {"a=!*'()/:@$,?", "a=%21%2A%27%28%29%2F%3A%40%24%2C%3F"},
		"raw UTF-8":                     {"a=é", "a=%C3%A9"},
		"plus stays":                    {"a=b+c%2Bd%20e", "a=b+c%2Bd%20e"},
		"signature left out":            {"X-Amz-Signature=1&a=2", "a=2"},
		"signature left out, escaped":   {"X-Amz-Signatur%65=1&a=2", "a=2"},
		"a name that is like signature": {"X-Amz-Signature2=1", "X-Amz-Signature2=1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q, err := parseQuery(tt.raw)
			if err != nil {
				t.Fatalf("parseQuery(%q): %v", tt.raw, err)
			}
			if got := string(q.appendCanonical(nil)); got != tt.want {
				t.Errorf("canonical query of %q = %q, want %q", tt.raw, got, tt.want)
			}
		})
	}
}

func TestParseQueryRefuses(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"escape cut":               "a=%",
		"escape cut after a digit": "a=%4",
		"escape of no hex":         "a=%4g",
		"escape in a name":         "%=a",
		"NUL escaped":              "a=%00",
		"NUL":                      "a=\x00",
		"control character":        "a=\n",
		"space":                    "a=b c",
		"delete":                   "a=\x7f",
		"semicolon":                "a=1;b=2",
		"65 parameters":            strings.Repeat("a=1&", 65),
		"Amz name repeated":        "X-Amz-Date=1&X-Amz-Date=1",
		"Amz name twice, escaped":  "X-Amz-Date=1&X-Amz-D%61te=1",
		"Amz name in two cases":    "X-Amz-Date=1&X-Amz-DATE=1",
		"Amz name in lower case":   "x-amz-date=1",
		"Amz name in mixed case":   "X-Amz-signature=1",
		"unknown Amz name":         "x-Amz-Unknown=1",
		"unknown Amz name twice":   "X-Amz-Unknown=1&X-Amz-unknown=2",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if q, err := parseQuery(raw); err == nil {
				t.Errorf("parseQuery(%q) = %+v, want an error", raw, q)
			}
		})
	}
	if _, err := parseQuery(strings.Repeat("a=1&", 64)); err != nil {
		t.Errorf("parseQuery of 64 parameters: %v", err)
	}
}
