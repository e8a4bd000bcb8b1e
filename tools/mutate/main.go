// Command mutate proves that the tests hold what they promise: it takes one
// protection after another out of a copy of the repository and demands that the
// tests named for it turn red. What survives is a hole in the tests.
//
// Exit codes: 0 every mutation was noticed, 1 some was not, 2 it could not run.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/sync/errgroup"
)

type flags struct {
	Root     string `default:"." placeholder:"DIR" help:"Folder of the repository (${default})."`
	Into     string `default:"build/mutate" placeholder:"DIR" help:"Folder for the copies, below which what was compiled is kept for the next run (${default})."`
	Parallel int    `default:"2" placeholder:"N" help:"Mutations tried at the same time (${default})."`
	Only     string `placeholder:"REGEXP" help:"Tries only the mutations with such a name."`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("mutate"), kong.Description("Takes out one protection after another and demands that the tests named for it turn red."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	survived, err := run(ctx, f, os.Stdout)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	case survived > 0:
		fmt.Fprintf(os.Stderr, "mutate: %d mutations were not noticed\n", survived)
		os.Exit(1)
	}
}

// run tries the mutations and returns how many went unnoticed.
func run(ctx context.Context, f flags, out io.Writer) (survived int, err error) {
	only, err := regexp.Compile(f.Only)
	if err != nil {
		return 0, fmt.Errorf("--only: %w", err)
	}
	var chosen []mutation
	for _, m := range mutations() {
		if only.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	results, err := tryAll(ctx, f, chosen, out)
	if err != nil {
		return 0, err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nMUTATION\tRESULT\tSECONDS")
	for _, r := range results {
		if !r.noticed {
			survived++
		}
		fmt.Fprintf(table, "%s\t%s\t%.0f\n", r.mutation.name, r.text, r.took.Seconds())
	}
	fmt.Fprintf(table, "%d of %d noticed\t\t\n", len(results)-survived, len(results))
	return survived, table.Flush()
}

// result is what became of a mutation.
type result struct {
	mutation mutation
	noticed  bool
	text     string
	took     time.Duration
}

// tryAll tries mutations in copies of the repository, some at a time. Before, it
// runs every test that is named in one unchanged copy: a test that is red anyway notices nothing.
func tryAll(ctx context.Context, f flags, chosen []mutation, out io.Writer) ([]result, error) {
	copies := make(chan *tree, f.Parallel)
	for n := range f.Parallel {
		t, err := copyTree(ctx, f.Root, f.Into, n)
		if err != nil {
			return nil, err
		}
		copies <- t
	}
	first := <-copies
	if err := first.baseline(ctx, chosen); err != nil {
		return nil, err
	}
	copies <- first
	results := make([]result, len(chosen))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(f.Parallel)
	for i, m := range chosen {
		group.Go(func() error {
			t := <-copies
			defer func() { copies <- t }()
			started := time.Now()
			r, err := t.try(ctx, m)
			r.mutation, r.took = m, time.Since(started)
			results[i] = r
			fmt.Fprintf(out, "%s: %s\n", m.name, r.text) // one Write, so lines stay whole
			return err
		})
	}
	return results, group.Wait()
}
