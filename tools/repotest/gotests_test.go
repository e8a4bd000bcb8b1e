package repotest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"
)

// maySkip lists the functions that may skip a test. LocalOnly skips what a stage of AWS cannot do; the others skip
// nothing in CI.
func maySkip() []string {
	return []string{
		"test/tool/tool.go: Path",
		"internal/stageclient/clienttest/running.go: LocalOnly",
	}
}

// A test that sleeps is slow on a fast machine and fails on a busy one.
func TestNoTestSleeps(t *testing.T) {
	t.Parallel()
	for _, name := range trackedFiles(t, "*_test.go") {
		for _, place := range sleeps(t, name, readFile(t, name)) {
			t.Errorf("%s sleeps: poll with clienttest.Eventually, wait for a channel, or move a clock", place)
		}
	}
}

// A test without its tool fails in CI, where a skip would stay unseen.
func TestTestsSkipInOnePlace(t *testing.T) {
	t.Parallel()
	unused := maySkip()
	for _, name := range trackedFiles(t, "*.go") {
		for function, place := range skips(t, name, readFile(t, name)) {
			key := name + ": " + function
			if !slices.Contains(maySkip(), key) {
				t.Errorf("%s: %s skips a test: call tool.Path", place, function)
			}
			unused = slices.DeleteFunc(unused, func(listed string) bool { return listed == key })
		}
	}
	if len(unused) > 0 {
		t.Errorf("these functions skip no test any more, take them out of maySkip: %q", unused)
	}
}

func TestSleepsAndSkipsAreFound(t *testing.T) {
	t.Parallel()
	const source = `package p

import clock "time"

func wait() { clock.Sleep(clock.Second) }

func (s *suite) leave(t *testing.T) { defer func() { t.SkipNow() }() }

func begin(b *testing.B) { b.Skipf("%d", 1) }

func other() { scanner.Skip(1).Sleep(); clock.After(1) }
`
	if got := sleeps(t, "p_test.go", source); !slices.Equal(got, []string{"p_test.go:5"}) {
		t.Errorf("sleeps are found at %v", got)
	}
	got := skips(t, "p_test.go", source)
	if len(got) != 3 || got["leave"] != "p_test.go:7" || got["begin"] != "p_test.go:9" || got["other"] == "" {
		t.Errorf("skips are found at %v", got)
	}
}

// sleeps returns the lines of a Go file that call time.Sleep.
func sleeps(t *testing.T, name, text string) []string {
	t.Helper()
	files, file := parse(t, name, text)
	clock := "" // the name of package time in the file
	for _, spec := range file.Imports {
		if spec.Path.Value == `"time"` {
			clock = "time"
			if spec.Name != nil {
				clock = spec.Name.Name
			}
		}
	}
	var places []string
	eachCall(file, func(receiver ast.Expr, method string, at token.Pos) {
		if of, ok := receiver.(*ast.Ident); ok && of.Name == clock && method == "Sleep" {
			places = append(places, line(files, at))
		}
	})
	return places
}

// skips returns the functions of a Go file that call a method Skip, Skipf or SkipNow, each with a line of it.
func skips(t *testing.T, name, text string) map[string]string {
	t.Helper()
	files, file := parse(t, name, text)
	places := map[string]string{}
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		eachCall(function, func(_ ast.Expr, method string, at token.Pos) {
			if slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, method) {
				places[function.Name.Name] = line(files, at)
			}
		})
	}
	return places
}

func parse(t *testing.T, name, text string) (*token.FileSet, *ast.File) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return files, file
}

// eachCall visits the calls of the form receiver.method(…) below a node.
func eachCall(node ast.Node, visit func(receiver ast.Expr, method string, at token.Pos)) {
	ast.Inspect(node, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if selector, ok := call.Fun.(*ast.SelectorExpr); ok {
				visit(selector.X, selector.Sel.Name, call.Pos())
			}
		}
		return true
	})
}

// line names a line of a file, as a compiler does.
func line(files *token.FileSet, at token.Pos) string {
	position := files.Position(at)
	return fmt.Sprintf("%s:%d", position.Filename, position.Line)
}
