package stagetest

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// stageLog collects the log of a stage and its functions. It shows whole lines in the test's output, and none after the
// test has ended.
type stageLog struct {
	mu      sync.Mutex
	t       testing.TB
	partial []byte
	lines   []string
	secrets map[string]struct{}
}

func newStageLog(t testing.TB) *stageLog {
	log := &stageLog{t: t, secrets: map[string]struct{}{}}
	t.Cleanup(func() { // registered first, so it runs after the stage has been closed
		log.mu.Lock()
		defer log.mu.Unlock()
		for _, leak := range leaks(log.lines, log.secrets) {
			t.Errorf("a secret is in the log (cut out here): %s", leak)
		}
		log.t = nil
	})
	return log
}

// Write takes the log in pieces of any length.
func (l *stageLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, p...)
	for {
		line, rest, found := bytes.Cut(l.partial, []byte("\n"))
		if !found {
			return len(p), nil
		}
		l.lines = append(l.lines, string(line))
		if l.t != nil {
			l.t.Logf("%s", line)
		}
		l.partial = append([]byte(nil), rest...)
	}
}

// keepSecret adds texts that no line may hold.
func (l *stageLog) keepSecret(texts ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, text := range texts {
		if len(text) >= 16 { // a shorter text is no secret of the chat, and might be a word
			l.secrets[text] = struct{}{}
		}
	}
}

// of returns the lines that a function has logged.
func (l *stageLog) of(logicalID string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []string
	for _, line := range l.lines {
		if logged, ok := strings.CutPrefix(line, logicalID+" | "); ok {
			lines = append(lines, logged)
		}
	}
	return lines
}

// refusals returns the members "reason" of a function's lines.
func (l *stageLog) refusals(logicalID string) []string {
	var reasons []string
	for _, logged := range l.of(logicalID) {
		var record struct{ Reason string }
		if json.Unmarshal([]byte(logged), &record) == nil && record.Reason != "" {
			reasons = append(reasons, record.Reason)
		}
	}
	return reasons
}

// secretForms are the forms of credentials: a signature or token with its name, 64 hexadecimal digits, a JWT, a
// verifier, an authorization, a cookie.
func secretForms() *regexp.Regexp {
	return regexp.MustCompile(strings.Join([]string{
		`(?i)x-amz-(?:signature|security-token|credential)"?\s?[=:]\s?"?[a-z0-9/+]{8,}`,
		`\b[0-9a-f]{64}\b`,
		`\beyJ[A-Za-z0-9_-]{8,}`,
		`pop\.[A-Za-z0-9_-]{8,}`,
		`(?i)(?:bearer|AWS4-HMAC-SHA256) [a-z0-9]\S+`,
		`(?i)\bcookie"?\s?[=:]\s?"?[a-z0-9]\S*`,
		`(?i)\b(?:jti|ticket)"?\s?[=:]\s?"?[a-z0-9_-]{16,}`,
	}, "|"))
}

// leaks returns the lines with a secret in them, the secret itself cut out.
func leaks(lines []string, secrets map[string]struct{}) []string {
	var pairs []string
	for secret := range secrets {
		pairs = append(pairs, secret, "<SECRET>")
	}
	forms, registered := secretForms(), strings.NewReplacer(pairs...) // a tree: a test may have thousands of secrets
	var found []string
	for _, line := range lines {
		if cut := registered.Replace(forms.ReplaceAllString(line, "<SECRET>")); cut != line {
			found = append(found, cut)
		}
	}
	return found
}

// sessionKeys returns the secret keys and session tokens of a stage's credentials file.
func sessionKeys(t testing.TB, path string) []string {
	t.Helper()
	file, err := os.ReadFile(path) //nolint:gosec // a developer names the file
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for line := range strings.Lines(string(file)) {
		name, value, _ := strings.Cut(line, "=")
		switch strings.TrimSpace(name) {
		case "aws_secret_access_key", "aws_session_token":
			keys = append(keys, strings.TrimSpace(value))
		}
	}
	if len(keys) == 0 {
		t.Fatalf("%s holds no keys: its form has changed", path)
	}
	return keys
}
