package recording

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// masked is written in the place of a secret.
const masked = "MASKED"

// secretParameters are the parameters of an address that hold secrets or name users. Case does not matter, because
// attacks vary it.
func secretParameters() []string {
	return []string{"x-amz-signature", "x-amz-security-token", "x-amz-credential", "jti", "cc", "access_token",
		"authorization"}
}

// secretHeaders are the header fields that hold secrets or name users. Other fields are masked by the form of a secret.
func secretHeaders() []string {
	return []string{"Authorization", "Cookie", "Set-Cookie", "X-Amz-Security-Token"}
}

// masker removes secrets by their form.
type masker []form

// form is the form of a secret in a text, and its replacement.
type form struct {
	pattern *regexp.Regexp
	with    string
}

func newMasker() masker {
	return masker{
		{regexp.MustCompile(`(?i)((?:x-amz-(?:signature|security-token|credential)|` +
			`(?:[?&]|\\u0026)(?:jti|cc|access_token))=)[^&\s"'\\]+`), "${1}" + masked},
		{regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,2}`), masked},
		{regexp.MustCompile(`pop\.[A-Za-z0-9_-]{8,}`), "pop." + masked},
		{regexp.MustCompile(`(?i)("(?:access_token|id_token|refresh_token|challenge|verifier|guest)"\s*:\s*")[^"]*`),
			"${1}" + masked},
		{regexp.MustCompile(`\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b`), masked},
		{regexp.MustCompile(`\b[0-9a-f]{64}\b`), masked},
		{regexp.MustCompile(`\b[0-9]{12}\b`), "111122223333"},                  // an account id
		{regexp.MustCompile(`\*{8}[0-9]{4}\b`), "********3333"},                // one as API Gateway masks it
		{regexp.MustCompile(`\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b`), "192.0.2.1"}, // of the client
	}
}

// text masks the secrets of a text.
func (m masker) text(s string) string {
	for _, secret := range m {
		s = secret.pattern.ReplaceAllString(s, secret.with)
	}
	return s
}

// target masks an address. It keeps the order and the spelling of the parameters, because a test may be about them.
func (m masker) target(u *url.URL) string {
	copied := *u
	parts := strings.Split(u.RawQuery, "&")
	for i, part := range parts {
		name, _, found := strings.Cut(part, "=")
		if found && slices.Contains(secretParameters(), strings.ToLower(name)) {
			parts[i] = name + "=" + masked
		}
	}
	copied.RawQuery = strings.Join(parts, "&")
	return m.text(copied.String())
}

// fields masks header fields.
func (m masker) fields(header http.Header) http.Header {
	copied := make(http.Header, len(header))
	for name, values := range header {
		for _, value := range values {
			if slices.Contains(secretHeaders(), http.CanonicalHeaderKey(name)) {
				value = masked
			}
			copied[name] = append(copied[name], m.text(value))
		}
	}
	return copied
}
