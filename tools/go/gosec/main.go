// Command gosec runs gosec's rules over the packages in the folders it is given
// and prints what they find, less the findings that exceptions explains. It
// exits with 1 when anything is left.
//
// It stands in for gosec's own command, which brings the clients of several
// cloud services along, for a feature that is not used here.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/securego/gosec/v2"
	"github.com/securego/gosec/v2/analyzers"
	"github.com/securego/gosec/v2/issue"
	"github.com/securego/gosec/v2/rules"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "gosec: name the folders of the packages to look at")
		os.Exit(2)
	}
	left, err := run(os.Stdout, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "gosec:", err)
		os.Exit(2)
	}
	if left > 0 {
		os.Exit(1)
	}
}

// run scans the packages in folders, writes every finding without exception as
// one line and returns their number.
func run(out io.Writer, folders []string) (left int, err error) {
	root, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	found, err := scan(folders)
	if err != nil {
		return 0, err
	}
	used := map[exception]bool{}
	for _, i := range found {
		file, err := filepath.Rel(root, i.File)
		if err != nil {
			return 0, fmt.Errorf("name %s: %w", i.File, err)
		}
		if e, ok := excepted(i.RuleID, filepath.ToSlash(file)); ok {
			used[e] = true
			continue
		}
		left++
		fmt.Fprintf(out, "%s:%s: %s %s\n", file, i.Line, i.RuleID, i.What)
	}
	for _, e := range exceptions() {
		scanned := func(folder string) bool { return within(e.path, filepath.ToSlash(filepath.Clean(folder))) }
		if !used[e] && slices.ContainsFunc(folders, scanned) {
			left++
			fmt.Fprintf(out, "%s: the exception from %s excuses nothing any more: remove it\n", e.path, e.rule)
		}
	}
	return left, nil
}

// scan returns gosec's findings in order of their place.
func scan(folders []string) ([]*issue.Issue, error) {
	config := gosec.NewConfig()
	// Only the table of exceptions excuses: a comment in the code has nobody who reads it again.
	config.SetGlobal(gosec.Nosec, "true")
	logger := log.New(io.Discard, "", 0)
	analyzer := gosec.NewAnalyzer(config, false, false, false, runtime.NumCPU(), logger)
	analyzer.LoadRules(rules.Generate(false).RulesInfo())
	analyzer.LoadAnalyzers(analyzers.Generate(false).AnalyzersInfo())
	if err := analyzer.Process(nil, folders...); err != nil {
		return nil, err
	}
	found, _, failures := analyzer.Report()
	var errs []error
	for _, file := range slices.Sorted(maps.Keys(failures)) {
		for _, failure := range failures[file] {
			errs = append(errs, fmt.Errorf("%s:%d: %s", file, failure.Line, failure.Err))
		}
	}
	slices.SortFunc(found, func(a, b *issue.Issue) int {
		return strings.Compare(a.File+":"+fmt.Sprintf("%6s", a.Line), b.File+":"+fmt.Sprintf("%6s", b.Line))
	})
	return found, errors.Join(errs...)
}
