// Command bench measures what the project promises and prints the figures with the goals beside them. It does so in one
// run on one machine, because only ratios mean anything elsewhere. Posts, broadcasts and starts of functions are
// benchmarks beside the code, and it runs them. It measures the stage itself.
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
	Measure options `cmd:"" default:"withargs" help:"Measures and prints. Without a command this happens."`
	Stage   stage   `cmd:"" hidden:""` // the program starts itself with this one
}

type options struct {
	Alone bool   `help:"Measures the stage alone, its start and memory of 10,000 connections, and saves nothing."`
	Root  string `default:"." placeholder:"DIR" help:"Folder of the repository (${default})."`
	Quick bool   `help:"Measures so little that the numbers mean nothing: shows that everything works."`
	Into  string `default:"build/bench" type:"path" placeholder:"DIR" help:"Folder for all files (${default})."`
}

func main() {
	weight := make([]byte, 32<<20) // as the stage's command has
	defer runtime.KeepAlive(weight)
	var c commandLine
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed := kong.Parse(&c, kong.Name("bench"), kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Description("Measures what the project promises, in one run on one machine."))
	parsed.FatalIfErrorf(parsed.Run())
}

// steps are what is measured, in this order. Each adds it to the results.
func (o options) steps() []step {
	ready := step{"starts of the stage", (*Results).measureReady}
	if o.Alone {
		return []step{ready, {"memory of idle connections", (*Results).measureIdle}}
	}
	return []step{
		{"posts", (*Results).measurePosts},
		{"posts after freezes", (*Results).measureFreezes},
		{"starts of the functions", (*Results).measureStarts},
		ready,
		{"broadcasts", (*Results).measureBroadcasts},
		{"messages with history and without", (*Results).measureHistory},
	}
}

type step struct {
	name    string
	measure func(*Results, context.Context, workshop, effort) error
}

// Run measures one thing after the other, prints the results and saves them. A missed goal is no error. The error says
// what could not be measured.
func (o options) Run(ctx context.Context) error {
	started := time.Now()
	note := func(what string) { fmt.Fprintf(os.Stderr, "%3.0f s  %s\n", time.Since(started).Seconds(), what) }
	r := &Results{Machine: machine(o.Root), Quick: o.Quick}
	note("building the functions and the benchmarks")
	w, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	for _, s := range o.steps() {
		note(s.name)
		if err := s.measure(r, ctx, w, o.effort()); err != nil {
			return fmt.Errorf("measure %s: %w", s.name, err)
		}
	}
	if o.Alone {
		return r.print(os.Stdout, "alone")
	}
	return errors.Join(r.save(filepath.Join(o.Into, "results.json")), r.print(os.Stdout, "all"))
}

// effort is how thoroughly everything is measured.
type effort struct {
	posts         string // time of each benchmark of posts
	rounds        int    // of these benchmarks, of which the median counts
	freezes       int
	rooms         []room
	starts, ready int
	messages      int // with history and without, to each room
	pages         int // of history
	returns       int // clients that come back at once
	connections   int // that do nothing
}

func (o options) effort() effort {
	if o.Quick {
		return effort{
			posts: "50ms", rounds: 1, freezes: 2, rooms: []room{{1, 5}, {10, 5}, {100, 5}}, starts: 2, ready: 1,
			messages: 5, pages: 2, returns: 20, connections: 100,
		}
	}
	var files syscall.Rlimit // that a process may have open; a connection is one
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files)
	return effort{
		posts: "1500ms", rounds: 3, freezes: 10, starts: 25, ready: 5, messages: 300, pages: 30, returns: 1000,
		rooms:       []room{{1, 200}, {10, 200}, {100, 200}, {1_000, 50}, {5_000, 20}},
		connections: max(1_000, int(min(files.Cur, 11_000))-1_000),
	}
}
