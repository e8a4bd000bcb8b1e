// Command mutate proves that the tests guard the protections: it takes one protection after another out of a copy of
// the repository, and the tests named for that protection must turn red. A mutation that survives is a gap in the
// tests.
//
// A protection in Go code has a marker, a comment with "mutate:" and its name, at the end of its line or alone on the
// line above. The syntax on that line decides how the protection is turned around:
//
//	if COND                     if false && (COND)
//	case A, B: without a tag    case false && (A), false && (B):
//	return X, err               return X, nil
//	err := f()                  err := error(nil)
//	f()                         if false { f() }
//	A && with B on the line     A && (true || (B))
//	A || with B on the line     A || (false && (B))
//	"a < :b", for DynamoDB      "(a < :b OR NOT a < :b)", with any AND before or behind it kept
//	true, false                 false, true
//
// A line with anything else, or with two of these, is refused: split it, or write "=> CODE" behind the name, and the
// code of the line becomes CODE.
//
// A protection in the template is a place: "Role.Sid" or "Resource.Property.Key" is removed,
// "Resource.Property = VALUE" is set, and "; " joins several.
//
// The file protections.yaml names the tests of each protection.
//
// Exit codes: 0 every mutation was noticed, 1 some was not, 2 it could not run.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/sync/errgroup"
)

type flags struct {
	Root     string         `default:"." placeholder:"DIR" help:"Folder of the repository (${default})."`
	Into     string         `default:"build/mutate" placeholder:"DIR" help:"Folder for the copies (${default})."`
	Parallel int            `default:"2" placeholder:"N" help:"Mutations at the same time (${default})."`
	Only     *regexp.Regexp `default:"." placeholder:"REGEXP" help:"Only the mutations with such a name."`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("mutate"),
		kong.Description("Takes out one protection after another; the tests named for it must turn red."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	survivors, err := run(ctx, f, os.Stdout)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	case survivors > 0:
		os.Exit(1)
	}
}

// run tries the mutations, prints what happens and returns how many survived.
func run(ctx context.Context, f flags, out io.Writer) (survivors int, err error) {
	all, err := mutations(f.Root)
	if err != nil {
		return 0, err
	}
	chosen := slices.DeleteFunc(all, func(m mutation) bool { return !f.Only.MatchString(m.name) })
	if len(chosen) == 0 {
		return 0, fmt.Errorf("--only matches no name in %s", protections)
	}
	problems, err := tryAll(ctx, f, chosen, out)
	if err != nil {
		return 0, err
	}
	fmt.Fprintln(out)
	for i, problem := range problems {
		if problem != "" {
			survivors++
			fmt.Fprintf(out, "%s: %s\n", chosen[i].name, problem)
		}
	}
	fmt.Fprintf(out, "%d of %d noticed\n", len(chosen)-survivors, len(chosen))
	return survivors, nil
}

// tryAll tries mutations in copies of the repository, some at a time, and returns the problem of each, or "". Before
// that it runs every named test in one unchanged copy: a test that is red anyway notices nothing.
func tryAll(ctx context.Context, f flags, chosen []mutation, out io.Writer) ([]string, error) {
	copies := make(chan tree, f.Parallel)
	for n := range f.Parallel {
		t, err := copyTree(ctx, f.Root, f.Into, n)
		if err == nil && n == 0 {
			err = t.baseline(ctx, chosen)
		}
		if err != nil {
			return nil, err
		}
		copies <- t
	}
	problems := make([]string, len(chosen))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(f.Parallel)
	for i, m := range chosen {
		group.Go(func() (err error) {
			t := <-copies
			defer func() { copies <- t }()
			started := time.Now()
			problems[i], err = t.try(ctx, m)
			outcome := cmp.Or(problems[i], "noticed by "+strings.Join(m.tests, ", "))
			fmt.Fprintf(out, "%s: %s (%.0f s)\n", m.name, outcome, time.Since(started).Seconds())
			return err
		})
	}
	return problems, group.Wait()
}
