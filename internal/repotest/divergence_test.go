package repotest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryRowOfTheDivergenceTableNamesItsTests keeps docs/local-stage.md true: a
// row names tests that exist, or says why none does.
func TestEveryRowOfTheDivergenceTableNamesItsTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root(t), "docs", "local-stage.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := testNames(t)
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 6 || strings.HasPrefix(line, "| Behaviour") {
			continue
		}
		rows++
		behaviour, last := strings.TrimSpace(cells[0]), strings.TrimSpace(cells[5])
		named := regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(last, -1)
		if len(named) == 0 && !strings.HasPrefix(last, "none") && last != "–" {
			t.Errorf("%q names no test and no reason: %s", behaviour, last)
		}
		for _, name := range named {
			if !tests[name] {
				t.Errorf("%q names %s, which does not exist", behaviour, name)
			}
		}
	}
	if rows < 50 {
		t.Errorf("found %d rows of the divergence table: its form has changed", rows)
	}
}

func testNames(t *testing.T) map[string]bool {
	t.Helper()
	declaration := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	names := map[string]bool{}
	for _, file := range trackedFiles(t, "*_test.go") {
		source, err := os.ReadFile(filepath.Join(root(t), file))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range declaration.FindAllStringSubmatch(string(source), -1) {
			names[match[1]] = true
		}
	}
	return names
}
