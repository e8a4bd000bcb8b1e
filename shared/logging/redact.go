package logging

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// scrub first masks everything that looks like a secret, then cuts the text: a cut secret would no longer look like
// one.
func (r *redactor) scrub(s string, limit int) string {
	if len(s) >= minSecret { // mutate:log-secrets
		for _, rule := range r.rules() {
			s = rule.pattern.ReplaceAllStringFunc(s, rule.mask)
		}
	}
	if len(s) > limit {
		cut := limit
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return escape(s)
}

// escape replaces characters that control a terminal or a log viewer by their codes. JSON replaces the line feed and
// its like, but not the other control characters and those that turn the direction of text.
func escape(s string) string {
	if !strings.ContainsFunc(s, unseen) {
		return s
	}
	var out strings.Builder
	for _, r := range s {
		if unseen(r) {
			quoted := strconv.QuoteRuneToASCII(r)
			out.WriteString(quoted[1 : len(quoted)-1])
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func unseen(r rune) bool {
	return r >= 0x7f && unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// rule masks one kind of secret: mask replaces each match of the pattern.
type rule struct {
	pattern *regexp.Regexp
	mask    func(match string) string
}

// rules returns the rules in their order: first those that mask the rest of a line, last those that mask the least. So
// no rule removes the name by which a later one finds a secret.
func rules() []rule {
	named := func(separators string) func(string) string {
		return func(match string) string { return match[:strings.IndexAny(match, separators)+1] + redacted }
	}
	all := func(string) string { return redacted }
	return []rule{
		{regexp.MustCompile(`(?i)(?:authorization|cookie|sec-websocket-protocol|x-amz-[a-z-]+)["']?\s*:[^\r\n]*`),
			named(":")},
		{regexp.MustCompile(`(?i)bearer +[^\s"]+`), named(" ")},
		{regexp.MustCompile(`(?i)(?:x-amz-[a-z-]+|jti|cc|credential|signature|authorization|cookie)(?:=|%3d)[^&\s"]+`),
			named("=%")},
		{regexp.MustCompile(`(?:wss?|https?)://[^\s"?]+\?[^\s"]*`), named("?")},
		{regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`), all}, // a JSON Web Token
		{regexp.MustCompile(`pop\.[A-Za-z0-9_-]+`), all},                               // a verifier, as it is offered
		{regexp.MustCompile(`[A-Za-z0-9+/_-]{40,}={0,2}`), maskDigits},
	}
}

// maskDigits masks a long run of base64 or hexadecimal digits. It keeps the request ids of AWS services, which are
// capital letters and digits: an operator needs them to ask AWS for help.
func maskDigits(match string) string {
	if strings.ContainsFunc(match, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) {
		return redacted
	}
	return match
}
