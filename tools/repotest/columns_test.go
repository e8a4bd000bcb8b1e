package repotest

import (
	"strings"
	"testing"
)

// TestLinesFitIn120Columns holds code to the width that the linter and Prettier format it for. A tab takes 4 columns.
// Characters of East Asian scripts and pictures take two, which the linter does not see. Prettier leaves comments and
// long texts as they are.
func TestLinesFitIn120Columns(t *testing.T) {
	t.Parallel()
	const columns = 120
	for _, name := range trackedFiles(t, "*.go", "frontend/*.ts", "frontend/*.tsx", "frontend/*js", "frontend/*.css") {
		if strings.Contains(name, "/testdata/") {
			continue
		}
		for i, line := range strings.Split(readFile(t, name), "\n") {
			if width := widthOf(line); width > columns {
				t.Errorf("%s:%d has %d columns, want at most %d", name, i+1, width, columns)
			}
		}
	}
}

func widthOf(line string) (columns int) {
	for _, char := range line {
		switch {
		case char == '\t':
			columns += 4
		case char >= '\u2E80':
			columns += 2
		default:
			columns++
		}
	}
	return columns
}
