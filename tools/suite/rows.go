package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// row is a row of the divergence table: its section, a behaviour and how sure its AWS column is, and the tests that it
// names, as TestX or TestX/some_case.
type row struct {
	text  string
	tests []string
}

// readRows reads the divergence table of a page.
func readRows(path string) ([]row, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the divergence table: %w", err)
	}
	named := regexp.MustCompile(`\bTest[A-Z]\w+(?:/\w+)?`)
	var rows []row
	section := ""
	for line := range strings.Lines(string(text)) {
		if title, ok := strings.CutPrefix(line, "### "); ok {
			section = strings.TrimSpace(title)
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 6 || strings.HasPrefix(line, "| Behaviour") {
			continue
		}
		text := fmt.Sprintf("%s: %s (%s)", section, strings.TrimSpace(cells[0]), strings.TrimSpace(cells[4]))
		rows = append(rows, row{text, named.FindAllString(cells[5], -1)})
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s has no row of six cells: its form has changed", path)
	}
	return rows, nil
}

// judge sorts the rows whose tests have run: contradicted when one has failed, confirmed when one has passed and none
// has failed.
func judge(known []row, r *results) (confirmed, contradicted []string) {
	for _, k := range known {
		var passed, failed []string
		for _, test := range k.tests {
			switch {
			case r.failed[test]:
				failed = append(failed, test)
			case r.passed[test]:
				passed = append(passed, test)
			}
		}
		switch {
		case len(failed) > 0:
			contradicted = append(contradicted, k.text+" by "+strings.Join(failed, ", "))
		case len(passed) > 0:
			confirmed = append(confirmed, k.text+" by "+strings.Join(passed, ", "))
		}
	}
	return confirmed, contradicted
}
