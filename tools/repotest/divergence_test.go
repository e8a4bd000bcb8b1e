package repotest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryRowOfTheDivergenceTableNamesItsTests keeps localstage/FIDELITY.md true: a
// row names tests, as TestX or TestX/some_case, that exist, or says why none does.
func TestEveryRowOfTheDivergenceTableNamesItsTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root(t), "localstage", "FIDELITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := testNames(t)
	rows, section := map[string]int{}, ""
	for line := range strings.Lines(string(page)) {
		if title, ok := strings.CutPrefix(strings.TrimSpace(line), "### "); ok {
			section = title
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 6 || strings.HasPrefix(line, "| Behaviour") {
			continue
		}
		rows[section]++
		checkRow(t, tests, section+", "+strings.TrimSpace(cells[0]), cells)
	}
	for section, least := range map[string]int{
		"Handshake": 25, "Events": 25, "Messages and frames": 20, "Ends": 10, "Management API": 12, "Refusals": 20,
		"Permissions": 8, "Quotas": 6, "HTTP API": 12, "Lambda": 25, "DynamoDB": 10,
	} {
		if rows[section] < least {
			t.Errorf("section %s has %d rows, fewer than the %d of what AWS documents: was one lost?",
				section, rows[section], least)
		}
	}
}

// checkRow checks the cells: behaviour, AWS, here, source, confidence, test.
func checkRow(t *testing.T, tests map[string]string, name string, cells []string) {
	t.Helper()
	source, confidence, last := strings.TrimSpace(cells[3]), strings.TrimSpace(cells[4]), strings.TrimSpace(cells[5])
	if !regexp.MustCompile(`^(–|[DOVI]( ?/ ?[DOVI])*( weak| \([^)]*I\))?)$`).MatchString(confidence) ||
		(source == "–") != (confidence == "–") {
		t.Errorf("%q has the source %q and the confidence %q", name, source, confidence)
	}
	named := regexp.MustCompile(`\bTest[A-Z]\w+(?:/\w+)?`).FindAllString(last, -1)
	if len(named) == 0 && !strings.HasPrefix(last, "none: ") {
		t.Errorf("%q names no test and no reason: %s", name, last)
	}
	for _, test := range named {
		function, part, _ := strings.Cut(test, "/")
		source, exists := tests[function]
		if !exists || part != "" && !strings.Contains(source, `"`+strings.ReplaceAll(part, "_", " ")+`"`) {
			t.Errorf("%q names %s, which does not exist", name, test)
		}
	}
}

// testNames returns the source of the file of every test, by the test's name.
func testNames(t *testing.T) map[string]string {
	t.Helper()
	declaration := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	names := map[string]string{}
	for _, file := range trackedFiles(t, "*_test.go") {
		source, err := os.ReadFile(filepath.Join(root(t), file))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range declaration.FindAllStringSubmatch(string(source), -1) {
			names[match[1]] += string(source)
		}
	}
	return names
}
