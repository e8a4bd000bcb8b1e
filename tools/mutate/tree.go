package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// tree is a copy of the repository to be changed.
type tree struct{ root string }

// copyTree brings the copy number n below into up to date: the files that git
// tracks or would track, and nothing else but what earlier runs have built.
func copyTree(ctx context.Context, root, into string, n int) (*tree, error) {
	t := &tree{root: filepath.Join(into, strconv.Itoa(n))}
	cmd := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the files of the repository: %w", err)
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(strings.Trim(string(output), "\x00"), "\x00") {
		wanted[name] = true
		if err := copyFile(filepath.Join(root, name), filepath.Join(t.root, name)); err != nil {
			return nil, fmt.Errorf("copy %s: %w", name, err)
		}
	}
	return t, t.removeOthers(wanted)
}

// copyFile copies what has changed, so that the build cache of the copy stays good.
func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted, and git does not know it yet
	}
	if err != nil {
		return err
	}
	if existing, err := os.ReadFile(to); err == nil && bytes.Equal(existing, content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}

// removeOthers removes Go files that the repository no longer has.
func (t *tree) removeOthers(wanted map[string]bool) error {
	return filepath.WalkDir(t.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(t.root, path)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name == "build":
			return filepath.SkipDir
		case entry.IsDir(), wanted[filepath.ToSlash(name)]:
			return nil
		}
		return os.Remove(path)
	})
}

// baseline runs all tests that the mutations name, and errors unless all are green.
func (t *tree) baseline(ctx context.Context, chosen []mutation) error {
	tests, packages := map[string]bool{}, map[string]bool{}
	for _, m := range chosen {
		for _, name := range m.tests {
			tests[name] = true
		}
		for _, name := range m.packages {
			packages[name] = true
		}
	}
	if len(tests) == 0 {
		return nil
	}
	output, err := t.test(ctx, slices.Sorted(maps.Keys(packages)), slices.Sorted(maps.Keys(tests)))
	if err != nil {
		return fmt.Errorf("the named tests are not green without any mutation: %w\n%s", err, output)
	}
	passed := passes(output)
	for name := range tests {
		if !passed[name] {
			return fmt.Errorf("the test %s does not exist in the packages named with it", name)
		}
	}
	return nil
}

// try makes a mutation, runs its tests and takes it back.
func (t *tree) try(ctx context.Context, m mutation) (result, error) {
	path := filepath.Join(t.root, m.file)
	original, err := os.ReadFile(path)
	if err != nil {
		return result{}, err
	}
	mutated, err := m.edit(string(original))
	if err != nil {
		return result{text: "DOES NOT APPLY: " + err.Error()}, nil
	}
	if err := os.WriteFile(path, []byte(mutated), 0o600); err != nil {
		return result{}, err
	}
	output, failed := t.test(ctx, m.packages, m.tests)
	if err := os.WriteFile(path, original, 0o600); err != nil {
		return result{}, err
	}
	return judge(m, output, failed), ctx.Err()
}

// test runs tests of packages by name.
func (t *tree) test(ctx context.Context, packages, tests []string) (string, error) {
	args := []string{"test", "-count=1", "-v", "-timeout=120s", "-run", "^(" + strings.Join(tests, "|") + ")$"}
	cmd := exec.CommandContext(ctx, "go", append(args, packages...)...)
	cmd.Dir = t.root
	output, err := cmd.CombinedOutput()
	return string(output), err
}

// judge says whether all tests that were named for a mutation turned red.
func judge(m mutation, output string, failed error) result {
	switch {
	case strings.Contains(output, "[build failed]"), strings.Contains(output, "[setup failed]"), strings.Contains(output, "build the functions:"):
		return result{text: "DOES NOT BUILD: " + firstError(output)}
	case failed == nil:
		return result{text: "SURVIVED: " + strings.Join(m.tests, ", ") + " stayed green"}
	}
	red := failures(output)
	var green []string
	for _, name := range m.tests {
		if !red[name] {
			green = append(green, name)
		}
	}
	if len(green) > 0 {
		return result{text: "SURVIVED: " + strings.Join(green, ", ") + " stayed green"}
	}
	return result{noticed: true, text: "noticed by " + strings.Join(m.tests, ", ")}
}

// failures are the tests that failed, or were running when the time was up.
func failures(output string) map[string]bool {
	return named(output, `(?m)^(?:--- FAIL: |\t+)(Test\w+) \(`)
}

func passes(output string) map[string]bool { return named(output, `(?m)^--- PASS: (Test\w+) \(`) }

func named(output, pattern string) map[string]bool {
	names := map[string]bool{}
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(output, -1) {
		names[match[1]] = true
	}
	return names
}

func firstError(output string) string {
	if found := regexp.MustCompile(`(?m)^\s*\S+\.go:\d+:\d+: .*$`).FindString(output); found != "" {
		return strings.TrimSpace(found)
	}
	return "see go test"
}
