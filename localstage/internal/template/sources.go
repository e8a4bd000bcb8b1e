package template

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// CheckSources returns an error unless the function can be built: dir, the template's folder, must hold its code
// folder, and that a Makefile with the target build-<LogicalID>. The error is one line that names the missing part.
func (f Function) CheckSources(dir string) error {
	folder := filepath.Join(dir, f.CodeURI)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return fmt.Errorf("%s: its CodeUri %s is no folder", f.LogicalID, folder)
	}
	path := filepath.Join(folder, "Makefile")
	data, err := os.ReadFile(path) //nolint:gosec // a developer names the file
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: its CodeUri %s has no Makefile", f.LogicalID, folder)
	}
	if err != nil {
		return fmt.Errorf("%s: read its Makefile: %w", f.LogicalID, err)
	}
	// A rule may name several targets. A pattern, a variable or an included file may make the target, too: then make
	// itself finds the error.
	target := regexp.MustCompile(`(?m)^(-?include\s|\$\(.+\)\s*:([^=]|$)|([^\t#:=\n]*\s)?build-(` +
		regexp.QuoteMeta(f.LogicalID) + `|[^\s:]*%[^\s:]*)(\s[^:=\n]*)?:([^=]|$))`)
	if !target.Match(data) {
		return fmt.Errorf("%s: %s has no target build-%s", f.LogicalID, path, f.LogicalID)
	}
	return nil
}
