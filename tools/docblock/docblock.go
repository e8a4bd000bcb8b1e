// Package docblock keeps generated text in pages that people write. A block stands between two comments,
//
//	<!-- begin NAME: how it is made -->
//	<!-- end NAME -->
//
// and everything between them is replaced.
package docblock

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// Get returns the text of a block; false when the page has no such block.
func Get(page, name string) (string, bool) {
	before, after, found := cut(page, name)
	if !found {
		return "", false
	}
	return page[len(before) : len(page)-len(after)], true
}

// Replace returns the page with another text in a block. The error says that the page has no such block.
func Replace(page, name, text string) (string, error) {
	before, after, found := cut(page, name)
	if !found {
		return "", fmt.Errorf("the page has no block %q: it needs the lines <!-- begin %s: … --> and <!-- end %s -->", name, name, name)
	}
	return before + strings.Trim(text, "\n") + "\n" + after, nil
}

// cut returns what comes before a block and after it, its two comments included.
func cut(page, name string) (before, after string, found bool) {
	begin := strings.Index(page, "<!-- begin "+name+": ")
	if begin < 0 {
		return "", "", false
	}
	line := strings.Index(page[begin:], "-->\n")
	end := strings.Index(page, "<!-- end "+name+" -->")
	if line < 0 || end < begin+line {
		return "", "", false
	}
	return page[:begin+line+len("-->\n")], page[end:], true
}

// Write replaces blocks, by name, in a file. A block that the file does not have is left out if others are there; the error says
// that it has none of them, or that it cannot be read or written.
func Write(path string, blocks map[string]string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read page: %w", err)
	}
	page, replaced := string(content), 0
	for name, text := range blocks {
		if with, err := Replace(page, name, text); err == nil {
			page, replaced = with, replaced+1
		}
	}
	if replaced == 0 {
		return fmt.Errorf("%s has none of the %d blocks", path, len(blocks))
	}
	if bytes.Equal(content, []byte(page)) {
		return nil
	}
	if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}
