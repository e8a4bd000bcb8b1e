package docblock

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

const page = "# Title\n\n<!-- begin numbers: make numbers -->\nold\n<!-- end numbers -->\n\nend\n"

func TestReplaceChangesTheBlockOnly(t *testing.T) {
	t.Parallel()
	got, err := Replace(page, "numbers", "\n1\n2\n\n")
	want := "# Title\n\n<!-- begin numbers: make numbers -->\n1\n2\n<!-- end numbers -->\n\nend\n"
	if err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	if again, err := Replace(got, "numbers", "1\n2"); err != nil || again != got {
		t.Errorf("the block does not hold the text: %q, %v", again, err)
	}
}

func TestPagesWithoutTheBlockAreLeftAlone(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]string{
		"none":     "# Title\n",
		"another":  "<!-- begin numbers-2: x -->\n<!-- end numbers -->\n",
		"no end":   "<!-- begin numbers: x -->\n",
		"no begin": "<!-- end numbers -->\n",
		"reversed": "<!-- end numbers -->\n<!-- begin numbers: x -->\n",
		"open":     "<!-- begin numbers: x\n<!-- end numbers -->",
	} {
		if got, err := Replace(page, "numbers", "1"); err == nil {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// judged notes that a test has failed instead of failing.
type judged struct {
	testing.TB
	failed bool
}

func (*judged) Helper()                 {}
func (j *judged) Errorf(string, ...any) { j.failed = true }
func (j *judged) Fatal(...any)          { j.failed = true; runtime.Goexit() }

// passes says whether Check passes a page, and what the page's file holds then.
func passes(t *testing.T, path string, blocks map[string]string) (bool, string) {
	t.Helper()
	var j judged
	done := make(chan struct{})
	go func() { defer close(done); Check(&j, "", path, blocks) }()
	<-done
	content, err := os.ReadFile(path)
	return !j.failed, fmt.Sprint(string(content), err)
}

func TestAPageIsCheckedAndUpdated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	good, err := Replace(page, "numbers", "1")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		update string
		blocks map[string]string
		passes bool
		want   string
	}{
		{"", map[string]string{"numbers": "old"}, true, page},
		{"", map[string]string{"numbers": "1"}, false, page},
		{"", map[string]string{"elsewhere": "1"}, false, page},
		{"1", map[string]string{"elsewhere": "1"}, false, page},
		{"1", map[string]string{"numbers": "1"}, true, good},
		{"", map[string]string{"numbers": "1"}, true, good},
		{"", map[string]string{"numbers": "2"}, false, good},
	} {
		t.Setenv("UPDATE_DOCS", test.update)
		if ok, content := passes(t, path, test.blocks); ok != test.passes || content != test.want+"<nil>" {
			t.Errorf("UPDATE_DOCS=%q with %v: passes %v, the file holds %q", test.update, test.blocks, ok, content)
		}
	}
	if ok, _ := passes(t, path+"x", nil); ok {
		t.Error("a missing file passes")
	}
}
