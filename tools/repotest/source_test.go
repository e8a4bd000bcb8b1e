package repotest

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	maxFileLines     = 300
	maxTestFileLines = 500
	maxFunctionLines = 60
)

func TestGoFilesKeepTheHouseRules(t *testing.T) {
	t.Parallel()
	documented := map[string]int{}
	for _, name := range trackedFiles(t, "*.go") {
		source, err := os.ReadFile(filepath.Join(root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		checkLayout(t, name, source)
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, name, source, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		checkFunctions(t, name, files, file)
		if !strings.HasSuffix(file.Name.Name, "_test") {
			documented[filepath.Dir(name)] += docComments(name, file)
		}
	}
	for dir, comments := range documented {
		if comments != 1 && !strings.Contains(dir, "testdata") {
			t.Errorf("%s has %d package comments, want exactly 1 that says what the package is for", dir, comments)
		}
	}
}

func docComments(name string, file *ast.File) int {
	if file.Doc == nil || strings.HasSuffix(name, "_test.go") {
		return 0
	}
	return 1
}

func checkLayout(t *testing.T, name string, source []byte) {
	t.Helper()
	if formatted, err := format.Source(source); err != nil || !bytes.Equal(formatted, source) {
		t.Errorf("%s is not formatted: run make fmt", name)
	}
	limit := maxFileLines
	if strings.HasSuffix(name, "_test.go") {
		limit = maxTestFileLines
	}
	if lines := bytes.Count(source, []byte("\n")); lines > limit {
		t.Errorf("%s has %d lines, more than %d: split it by what its parts hold", name, lines, limit)
	}
}

func checkFunctions(t *testing.T, name string, files *token.FileSet, file *ast.File) {
	t.Helper()
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if function.Name.Name == "init" && function.Recv == nil {
			t.Errorf("%s has an init function: nothing happens before main", name)
		}
		lines := files.Position(function.End()).Line - files.Position(function.Pos()).Line
		if lines > maxFunctionLines && !strings.HasSuffix(name, "_test.go") {
			t.Errorf("%s: %s has %d lines, more than %d", name, function.Name.Name, lines, maxFunctionLines)
		}
	}
}

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
