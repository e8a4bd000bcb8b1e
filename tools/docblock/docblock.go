// Package docblock keeps generated text in pages that people write. A block stands between two comments,
//
//	<!-- begin NAME: how it is made -->
//	<!-- end NAME -->
//
// and everything between them is generated.
package docblock

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Check fails a test unless the page at path has these texts in its blocks. With UPDATE_DOCS=1 it writes them first.
// The advice says how to do so.
func Check(t testing.TB, advice, path string, blocks map[string]string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(content)
	for name, text := range blocks {
		updated, err := Replace(page, name, text)
		switch {
		case err != nil:
			t.Errorf("%s: %v", path, err)
		case updated != page && os.Getenv("UPDATE_DOCS") == "":
			t.Errorf("%s: the block %q is out of date, run %s; want:\n%s", path, name, advice, text)
		default:
			page = updated
		}
	}
	if page != string(content) {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Replace returns the page with another text in a block. The error says that the page has no such block.
func Replace(page, name, text string) (string, error) {
	pattern := regexp.MustCompile(fmt.Sprintf(`(?s)^(.*<!-- begin %s: [^\n]*-->\n)(.*)(<!-- end %[1]s -->.*)$`, name))
	parts := pattern.FindStringSubmatch(page)
	if parts == nil {
		return "", fmt.Errorf("no block %q: write the lines <!-- begin %[1]s: … --> and <!-- end %[1]s -->", name)
	}
	return parts[1] + strings.Trim(text, "\n") + "\n" + parts[3], nil
}
