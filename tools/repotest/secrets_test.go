package repotest

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// forbidden are texts that no committed file may hold.
func forbidden() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"an access key that is not AWS's documented example": regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z2-7]{16}\b`),
		"a private key": regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`),
		"a JWT":         regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.`),
	}
}

func TestNoCommittedFileHoldsASecret(t *testing.T) {
	t.Parallel()
	for _, name := range trackedFiles(t, ".") {
		content, err := os.ReadFile(filepath.Join(root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		for what, pattern := range forbidden() {
			if found := pattern.Find(content); found != nil {
				t.Errorf("%s holds %s", name, what)
			}
		}
	}
}

// TestLockFilesNameOnlyPublicRegistries keeps a mirror of one machine out of everybody's installs.
func TestLockFilesNameOnlyPublicRegistries(t *testing.T) {
	t.Parallel()
	address := regexp.MustCompile(`https?://[^/"\s]+`)
	funding := regexp.MustCompile(`^https://(?:opencollective\.com|github\.com|www\.patreon\.com|tidelift\.com|` +
		`paypal\.me|feross\.org)`)
	for _, name := range trackedFiles(t, "*package-lock.json", "go.sum", "*requirements*.txt", "*constraints*.txt") {
		content, err := os.ReadFile(filepath.Join(root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range address.FindAllString(string(content), -1) {
			if found != "https://registry.npmjs.org" && filepath.Base(name) == "package-lock.json" &&
				!funding.MatchString(found) {
				t.Errorf("%s names %s", name, found)
			}
		}
	}
}
