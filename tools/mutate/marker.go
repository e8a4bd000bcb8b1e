package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// markers returns the files that have a marker, by its name and relative to root. Tests and the copies in build have
// none.
func markers(root string) (map[string][]string, error) {
	files, pattern := map[string][]string{}, regexp.MustCompile(`// mutate:([a-z0-9-]+)`)
	return files, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if name := entry.Name(); name == "build" || name == "node_modules" {
			return filepath.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := filepath.Rel(root, path)
		for _, match := range pattern.FindAllSubmatch(source, -1) {
			files[string(match[1])] = append(files[string(match[1])], file)
		}
		return err
	})
}

// turnAround returns a file with the protection at the marker of a name turned around.
func turnAround(source, name string) (string, error) {
	at := regexp.MustCompile(`(?m)// mutate:` + name + `(?: => (.+))?$`).FindStringSubmatchIndex(source)
	if at == nil {
		return "", fmt.Errorf("no line ends in // mutate:%s or // mutate:%s => CODE", name, name)
	}
	start, end := strings.LastIndexByte(source[:at[0]], '\n')+1, at[0]
	if strings.TrimSpace(source[start:end]) == "" { // alone on its line, so it belongs to the next one
		start = at[1] + 1
		end = start + strings.IndexByte(source[start:], '\n')
	}
	if at[2] >= 0 {
		return source[:start] + source[at[2]:at[3]] + source[end:], nil
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	offset := func(pos token.Pos) int { return files.Position(pos).Offset }
	text := func(n ast.Node) string { return source[offset(n.Pos()):offset(n.End())] }
	var found []string
	ast.PreorderStack(file, nil, func(n ast.Node, stack []ast.Node) bool {
		if at := offset(n.Pos()); at < start || at >= end {
			return true
		}
		from, to, code := turned(n, stack, text)
		if code != "" {
			found = append(found, source[:offset(from)]+code+source[offset(to):])
		}
		return code == ""
	})
	if len(found) != 1 {
		return "", fmt.Errorf("line %d, mutate:%s: %d things on it can be turned around, want 1: split the line, "+
			"or write => CODE behind the name", strings.Count(source[:start], "\n")+1, name, len(found))
	}
	return found[0], nil
}

// turned returns the piece of a node to replace, as the package comment lists them, and the code for it. The code is
// empty when the node is none of these.
func turned(n ast.Node, stack []ast.Node, text func(ast.Node) string) (from, to token.Pos, code string) {
	switch n := n.(type) {
	case *ast.IfStmt:
		return n.Cond.Pos(), n.Cond.End(), "false && (" + text(n.Cond) + ")"
	case *ast.CaseClause:
		if s, ok := stack[len(stack)-2].(*ast.SwitchStmt); ok && s.Tag == nil && n.List != nil {
			never := make([]string, len(n.List))
			for i, condition := range n.List {
				never[i] = "false && (" + text(condition) + ")"
			}
			return n.List[0].Pos(), n.Colon, strings.Join(never, ", ")
		}
	case *ast.ReturnStmt:
		if len(n.Results) > 0 {
			last := n.Results[len(n.Results)-1]
			return last.Pos(), last.End(), "nil"
		}
	case *ast.AssignStmt:
		if _, call := n.Rhs[0].(*ast.CallExpr); call && len(n.Lhs) == 1 && text(n.Lhs[0]) == "err" {
			return n.Rhs[0].Pos(), n.End(), "error(nil)"
		}
	case *ast.ExprStmt:
		return n.Pos(), n.End(), "if false { " + text(n) + " }"
	case ast.Expr:
		return turnedExpression(n, stack, text)
	}
	return token.NoPos, token.NoPos, ""
}

func turnedExpression(n ast.Expr, stack []ast.Node, text func(ast.Node) string) (from, to token.Pos, code string) {
	switch parent, ok := stack[len(stack)-1].(*ast.BinaryExpr); {
	case ok && parent.Op == token.LAND:
		return n.Pos(), n.End(), "(true || (" + text(n) + "))"
	case ok && parent.Op == token.LOR:
		return n.Pos(), n.End(), "(false && (" + text(n) + "))"
	}
	other := map[string]string{"true": "false", "false": "true"}[text(n)]
	return n.Pos(), n.End(), cmp.Or(other, alwaysHolds(text(n)))
}

// alwaysHolds returns literal with a condition of DynamoDB that always holds in the place of its own. It returns ""
// when literal has none, or more than one. DynamoDB refuses values that no condition uses, and parentheses around
// parentheses.
func alwaysHolds(literal string) string {
	const one = `\((?:[^()]|\([^()]*\))*\)|\w+\([^()]*\)|\S+ (?:<|<=|=|>=|>|<>) :\w+`
	found := regexp.MustCompile(`^"((?: AND )?)(` + one + `)((?: AND )?)"$`).FindStringSubmatch(literal)
	if found == nil {
		return ""
	}
	return `"` + found[1] + "(" + found[2] + " OR NOT " + found[2] + ")" + found[3] + `"`
}
