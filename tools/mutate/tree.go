package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// tree is the folder of a copy of the repository.
type tree string

// copyTree makes the copy number n below into: the files that git tracks or would track.
func copyTree(ctx context.Context, root, into string, n int) (tree, error) {
	t := filepath.Join(into, strconv.Itoa(n))
	cmd := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("list the files of the repository: %w (--root names its folder)", err)
	}
	if err := os.RemoveAll(t); err != nil {
		return "", err
	}
	for name := range strings.SplitSeq(strings.Trim(string(output), "\x00"), "\x00") {
		if err := copyFile(filepath.Join(root, name), filepath.Join(t, name)); err != nil {
			return "", err
		}
	}
	return tree(t), nil
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted, but git still lists it
	}
	if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755)); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o700) // the Makefile starts scripts
}

// baseline runs all tests that the mutations name, and errors unless all are green.
func (t tree) baseline(ctx context.Context, chosen []mutation) error {
	var packages, tests []string
	for _, m := range chosen {
		packages, tests = append(packages, m.where), append(tests, m.tests...)
	}
	output, err := t.test(ctx, "20m", packages, tests)
	if err != nil {
		reasons := regexp.MustCompile(`(?m)^(--- FAIL|FAIL|panic:|\S+\.go:\d+:).*$`).FindAllString(output, -1)
		return fmt.Errorf("the named tests are not green without any mutation, repair them: %w\n%s",
			err, strings.Join(reasons, "\n"))
	}
	for _, name := range tests {
		if !strings.Contains(output, "\n--- PASS: "+name+" (") {
			return fmt.Errorf("the test %s has not run: correct its package in %s", name, protections)
		}
	}
	return nil
}

// try makes a mutation, runs its tests and takes it back. It returns the problem when they do not notice.
func (t tree) try(ctx context.Context, m mutation) (problem string, err error) {
	path, original, mutated, err := m.edit(string(t))
	if err != nil {
		return "DOES NOT APPLY: " + err.Error(), nil
	}
	if err := os.WriteFile(path, []byte(mutated), 0o600); err != nil {
		return "", err
	}
	output, failed := t.test(ctx, "2m", []string{m.where}, m.tests)
	if err := os.WriteFile(path, []byte(original), 0o600); err != nil {
		return "", err
	}
	return judge(m, output, failed), ctx.Err()
}

// test runs tests of packages by name.
func (t tree) test(ctx context.Context, timeout string, packages, tests []string) (string, error) {
	pattern := "^(" + strings.Join(distinct(tests), "|") + ")$"
	args := append([]string{"test", "-count=1", "-v", "-timeout=" + timeout, "-run", pattern}, distinct(packages)...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = string(t)
	output, err := cmd.CombinedOutput()
	return "\n" + string(output), err
}

func distinct(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }

// judge returns "" when all tests that are named for a mutation turned red: each failed, or was running when the time
// was up.
func judge(m mutation, output string, failed error) (problem string) {
	if regexp.MustCompile(`\[(build|setup) failed\]|build the functions:`).MatchString(output) {
		return "DOES NOT BUILD: " + regexp.MustCompile(`\S+\.go:\d+:\d+: .*`).FindString(output)
	}
	green := slices.DeleteFunc(slices.Clone(m.tests), func(name string) bool {
		return failed != nil && regexp.MustCompile(`\n(--- FAIL: |\t+)`+name+` \(`).MatchString(output)
	})
	if len(green) == 0 {
		return ""
	}
	return "SURVIVED: " + strings.Join(green, ", ") + " stayed green"
}
