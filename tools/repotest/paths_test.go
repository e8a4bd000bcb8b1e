package repotest

import (
	"path/filepath"
	"regexp"
	"testing"
)

// namedPath is a file or folder in backquotes, such as `shared/grant/parse.go` or `functions/*`.
var namedPath = regexp.MustCompile("`((?:cmd|docs|frontend|functions|internal|localstage|shared|test|tools)/[^` ]*)`")

// TestTheArchitecturePageNamesFilesThatExist keeps the walks of docs/architecture.md true when files move.
func TestTheArchitecturePageNamesFilesThatExist(t *testing.T) {
	t.Parallel()
	named := namedPath.FindAllStringSubmatch(readFile(t, "docs/architecture.md"), -1)
	if len(named) < 30 {
		t.Fatalf("only %d paths are named: the two walks name more", len(named))
	}
	for _, match := range named {
		if found, err := filepath.Glob(filepath.Join(root(t), match[1])); err != nil || len(found) == 0 {
			t.Errorf("there is no %s (%v)", match[1], err)
		}
	}
}
