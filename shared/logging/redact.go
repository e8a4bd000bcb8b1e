package logging

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// scrub masks what looks like a secret, then cuts the text. In this order: a cut secret would no
// longer look like one.
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

// escape writes out characters that control a terminal or a log viewer. JSON does so for the line feed and its like,
// but not for the other control characters, nor for those that turn the direction of text.
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

// rule masks one kind of secret: what its pattern matches becomes what mask makes of it.
type rule struct {
	pattern *regexp.Regexp
	mask    func(match string) string
}

// rules returns what is masked, in this order: what takes in the rest of a line first, and what takes in
// the least last, so that no rule takes away the name by which the next would know a secret.
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

// maskDigits masks a long run of base64 or hexadecimal digits, but for the request ids of AWS services:
// runs of capital letters and digits, which an operator needs when asking AWS for help.
func maskDigits(match string) string {
	if strings.ContainsFunc(match, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) {
		return redacted
	}
	return match
}
