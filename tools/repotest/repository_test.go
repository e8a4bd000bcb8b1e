// Package repotest holds the tests about the repository itself that a linter cannot express: what the pages say about
// template and code, what workflows may do, and what must never be committed. It has no code of its own.
package repotest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// trackedFiles lists the files that git tracks or would track, by pattern.
func trackedFiles(t *testing.T, patterns ...string) []string {
	t.Helper()
	args := append([]string{"ls-files", "--cached", "--others", "--exclude-standard", "--"}, patterns...)
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = root(t)
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	var names []string
	for _, name := range strings.Fields(string(output)) {
		if _, err := os.Stat(filepath.Join(root(t), name)); err == nil { // or it is about to be removed
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		t.Fatalf("git lists no file for %v: the rules would hold for nothing", patterns)
	}
	return names
}

func root(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return path
}
