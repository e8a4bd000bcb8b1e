package clienttest

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Tool returns the path of the first of some programs that is installed. Without any of them the test ends as [Missing]
// says.
func Tool(t testing.TB, advice string, programs ...string) string {
	t.Helper()
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil {
			return path
		}
	}
	Missing(t, fmt.Sprintf("%s is not installed: %s", strings.Join(programs, " or "), advice))
	return ""
}

// Node returns the path of Node.js. Without it, or without npm, the test ends as [Missing] says.
func Node(t testing.TB) string {
	t.Helper()
	const advice = "install Node.js with npm"
	Tool(t, advice, "npm")
	return Tool(t, advice, "node")
}

// Missing ends a test that needs a tool which is not installed: it skips the test, and fails it where CI is "true".
// The text names the tool and says how to install it.
func Missing(t testing.TB, text string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(text)
	}
	t.Skip("NOT CHECKED: " + text)
}
