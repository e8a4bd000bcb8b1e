// Package tool finds the programs of other projects that a test starts, and ends the test without them.
package tool

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Path returns the path of the first of some programs that is installed. Without any of them it skips the test, and
// fails it where CI is "true". The advice says how to install one.
func Path(t testing.TB, advice string, programs ...string) string {
	t.Helper()
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil {
			return path
		}
	}
	text := fmt.Sprintf("%s is not installed: %s", strings.Join(programs, " or "), advice)
	if os.Getenv("CI") == "true" {
		t.Fatal(text)
	}
	t.Skip("NOT CHECKED: " + text)
	return ""
}

// Node returns the path of Node.js. Without it, or without npm, the test ends as in [Path].
func Node(t testing.TB) string {
	t.Helper()
	const advice = "install Node.js with npm"
	Path(t, advice, "npm")
	return Path(t, advice, "node")
}
