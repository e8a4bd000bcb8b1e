package docblock

import (
	"os"
	"path/filepath"
	"testing"
)

const page = "# Title\n\n<!-- begin numbers: make numbers -->\nold\n<!-- end numbers -->\n\nend\n"

func TestReplaceChangesTheBlockOnly(t *testing.T) {
	t.Parallel()
	got, err := Replace(page, "numbers", "\n1\n2\n\n")
	if want := "# Title\n\n<!-- begin numbers: make numbers -->\n1\n2\n<!-- end numbers -->\n\nend\n"; err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	if text, found := Get(got, "numbers"); !found || text != "1\n2\n" {
		t.Errorf("the block holds %q", text)
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
		if _, found := Get(page, "numbers"); found {
			t.Errorf("%s: found a block", name)
		}
	}
}

func TestWriteTakesTheBlocksThatAFileHas(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, map[string]string{"numbers": "1", "elsewhere": "2"}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if text, _ := Get(string(content), "numbers"); err != nil || text != "1\n" {
		t.Errorf("the file holds %q, %v", content, err)
	}
	if err := Write(path, map[string]string{"elsewhere": "2"}); err == nil {
		t.Error("a file without any of the blocks was taken")
	}
	if err := Write(path+"x", nil); err == nil {
		t.Error("a missing file was taken")
	}
}
