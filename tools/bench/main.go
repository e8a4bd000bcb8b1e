// Command bench measures what the project promises and prints the figures with the goals beside them. It does so in one
// run on one machine, because only ratios mean anything elsewhere. Posts and broadcasts are benchmarks beside the code,
// and it runs them. It measures the starts of the functions and of the stage itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// commandLine is what the program can be asked to do.
type commandLine struct {
	Run   runCommand   `cmd:"" default:"withargs" help:"Measures everything. Without a command this happens."`
	Alone aloneCommand `cmd:"" help:"Measures the stage alone: its start, and memory of 10,000 connections."`
	Stage stage        `cmd:"" hidden:""` // the program starts itself with this one
}

type runCommand struct{ options }

type aloneCommand struct{ options }

type options struct {
	Root  string `default:"." placeholder:"DIR" help:"Folder of the repository (${default})."`
	Quick bool   `help:"Measures so little that the numbers mean nothing: shows that everything works."`
	Into  string `default:"build/bench" placeholder:"DIR" help:"Folder for programs and results.json (${default})."`
}

func main() {
	weight := make([]byte, 32<<20) // as the stage's command has
	defer runtime.KeepAlive(weight)
	var c commandLine
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	parsed := kong.Parse(&c, kong.Name("bench"),
		kong.Description("Measures what the project promises, in one run on one machine."))
	parsed.BindTo(ctx, (*context.Context)(nil))
	err := parsed.Run()
	stop()
	parsed.FatalIfErrorf(err)
}

// Run measures everything, prints it and saves it. A missed goal is no error.
func (c *runCommand) Run(ctx context.Context) error {
	r, err := c.measure(ctx, []step{
		{"posts", (*Results).measurePosts},
		{"posts after freezes", (*Results).measureFreezes},
		{"starts of the functions", (*Results).measureStarts},
		{"starts of the stage", (*Results).measureReady},
		{"broadcasts", (*Results).measureBroadcasts},
	})
	if err != nil {
		return err
	}
	return errors.Join(r.save(filepath.Join(c.Into, "results.json")), r.print(os.Stdout, "all"))
}

// Run measures what the stage takes for itself, and for a connection on which nothing happens. It saves nothing.
func (c *aloneCommand) Run(ctx context.Context) error {
	r, err := c.measure(ctx, []step{
		{"starts of the stage", (*Results).measureReady}, {"memory of idle connections", (*Results).measureIdle},
	})
	if err != nil {
		return err
	}
	return r.print(os.Stdout, "alone")
}

// step measures one thing and adds it to the results.
type step struct {
	name    string
	measure func(*Results, context.Context, workshop, effort) error
}

// measure measures one thing after the other. The error says what could not be measured.
func (o options) measure(ctx context.Context, steps []step) (*Results, error) {
	started := time.Now()
	note := func(what string) { fmt.Fprintf(os.Stderr, "%3.0f s  %s\n", time.Since(started).Seconds(), what) }
	r := &Results{Machine: machine(o.Root), Quick: o.Quick}
	note("building the functions and the benchmarks")
	w, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	for _, s := range steps {
		note(s.name)
		if err := s.measure(r, ctx, w, o.effort()); err != nil {
			return nil, fmt.Errorf("measure %s: %w", s.name, err)
		}
	}
	return r, nil
}

// effort is how thoroughly everything is measured.
type effort struct {
	posts         string // time of each benchmark of posts
	rounds        int    // of these benchmarks, of which the median counts
	freezes       int
	rooms         []room
	starts, ready int
	connections   int // that do nothing
}

func (o options) effort() effort {
	if o.Quick {
		return effort{
			posts: "50ms", rounds: 1, freezes: 2, rooms: []room{{1, 5}, {10, 5}, {100, 5}}, starts: 2, ready: 1,
			connections: 100,
		}
	}
	return effort{
		posts: "1500ms", rounds: 3, freezes: 10, starts: 25, ready: 5,
		rooms:       []room{{1, 200}, {10, 200}, {100, 200}, {1_000, 50}, {5_000, 20}},
		connections: min(10_000, max(1_000, openFiles()-1_000)),
	}
}

// openFiles returns how many files a process may have open. A connection is one.
func openFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024 // as everywhere
	}
	return int(min(limit.Cur, 1<<20)) // the Go runtime has raised it as far as it goes
}
