package tool_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"signedsocket/test/tool"
)

// ended notes how a test ends instead of ending.
type ended struct {
	testing.TB
	with string
}

func (*ended) Helper()          {}
func (e *ended) Fatal(a ...any) { e.with = "failed: " + fmt.Sprint(a...); runtime.Goexit() }
func (e *ended) Skip(a ...any)  { e.with = "skipped: " + fmt.Sprint(a...); runtime.Goexit() }

// endOf returns how a test ends, or "" when it goes on.
func endOf(test func(t testing.TB)) string {
	var e ended
	done := make(chan struct{})
	go func() { defer close(done); test(&e) }()
	<-done
	return e.with
}

func TestAMissingToolSkipsATestAndFailsItInCI(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	for ci, want := range map[string]string{"": "skipped: ", "true": "failed: "} {
		t.Setenv("CI", ci)
		end := endOf(func(t testing.TB) { tool.Path(t, "make venv installs it", absent, absent+"2") })
		if !strings.HasPrefix(end, want) || !strings.Contains(end, absent+"2") ||
			!strings.Contains(end, "make venv installs it") {
			t.Errorf("with CI=%q the test has %s", ci, end)
		}
		var path string
		if end := endOf(func(t testing.TB) { path = tool.Path(t, "", absent, "go") }); end != "" || path == "" {
			t.Errorf("with CI=%q an installed tool is at %q, and the test has %s", ci, path, end)
		}
	}
}
