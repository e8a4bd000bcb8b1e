package repotest

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestFrontendLinesFitIn120Columns holds the frontend to the width of the Go code. Prettier wraps code and leaves
// comments and long strings as they are.
func TestFrontendLinesFitIn120Columns(t *testing.T) {
	t.Parallel()
	const columns = 120
	for _, name := range trackedFiles(t, "frontend/*.ts", "frontend/*.tsx", "frontend/*js", "frontend/*.css") {
		for i, line := range strings.Split(readFile(t, name), "\n") {
			if width := utf8.RuneCountInString(line); width > columns {
				t.Errorf("%s:%d has %d columns, want at most %d", name, i+1, width, columns)
			}
		}
	}
}
