// Command bench measures what the project promises and prints the numbers with the goals beside them: posts to
// connections by five ways, broadcasts on the local stage, starts of the functions, and the stage itself, all in one run
// on one machine, because only ratios mean anything elsewhere.
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

	"signedsocket/tools/docblock"
)

// commandLine is what the program can be asked to do. The last three it asks of itself, for processes of their own.
type commandLine struct {
	Run      runCommand   `cmd:"" default:"withargs" help:"Measure everything and print it. This is what happens without a command."`
	Alone    aloneCommand `cmd:"" help:"Measure the stage alone: its start and its memory with 10,000 connections."`
	Page     pageCommand  `cmd:"" help:"Put the results of a run into a page."`
	Endpoint endpoint     `cmd:"" hidden:""`
	Poster   poster       `cmd:"" hidden:""`
	Stage    stage        `cmd:"" hidden:""`
}

type runCommand struct {
	Root  string `default:"." placeholder:"DIR" help:"Folder of the repository (${default})."`
	Quick bool   `help:"Measure so little that the numbers mean nothing: shows that everything works."`
	Into  string `default:"build/bench" placeholder:"DIR" help:"Folder for what is built, and for results.json (${default})."`
}

type pageCommand struct {
	Results string `arg:"" help:"File with the results."`
	Copy    string `arg:"" help:"File that gets a copy of them."`
	Page    string `arg:"" help:"Page with the block \"benchmarks\"."`
}

func main() {
	weight := make([]byte, 32<<20) // as the stage's command has
	defer runtime.KeepAlive(weight)
	var c commandLine
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	parsed := kong.Parse(&c, kong.Name("bench"), kong.Description("Measures what the project promises, in one run on one machine."))
	parsed.BindTo(ctx, (*context.Context)(nil))
	err := parsed.Run()
	stop()
	parsed.FatalIfErrorf(err)
}

// Run measures everything, prints it and saves it. The error says what could not be measured; missed goals are none.
func (c *runCommand) Run(ctx context.Context) error {
	started := time.Now()
	results, err := measureAll(ctx, c, func(what string) {
		fmt.Fprintf(os.Stderr, "%3.0f s  %s\n", time.Since(started).Seconds(), what)
	})
	if err != nil {
		return err
	}
	if err := results.save(filepath.Join(c.Into, "results.json")); err != nil {
		return err
	}
	return results.print(os.Stdout)
}

// Run replaces the page's block.
func (c *pageCommand) Run() error {
	results, err := loadResults(c.Results)
	if err != nil {
		return err
	}
	if results.Quick {
		return errors.New("the last make bench was a quick one, which measures nothing: run make bench without QUICK")
	}
	if err := results.save(c.Copy); err != nil {
		return err
	}
	return docblock.Write(c.Page, map[string]string{"benchmarks": results.markdown()})
}

// effort is how thoroughly everything is measured.
type effort struct {
	posts  postPlan
	levels []level
	starts int
	ready  int
}

func thorough() effort {
	return effort{
		posts:  postPlan{warmUp: 300 * time.Millisecond, measured: 1500 * time.Millisecond, rounds: 3, freezes: 10, frozenPosts: 48},
		levels: []level{{1, 200}, {10, 200}, {100, 200}, {1_000, 50}, {5_000, 20}},
		starts: 25,
		ready:  5,
	}
}

func quick() effort {
	return effort{
		posts:  postPlan{warmUp: 20 * time.Millisecond, measured: 50 * time.Millisecond, rounds: 1, freezes: 2, frozenPosts: 16},
		levels: []level{{1, 5}, {10, 5}, {100, 5}},
		starts: 2,
		ready:  1,
	}
}

// measureAll measures one thing after the other.
func measureAll(ctx context.Context, c *runCommand, progress func(string)) (*Results, error) {
	e := thorough()
	if c.Quick {
		e = quick()
	}
	r := &Results{Machine: thisMachine(c.Root), Quick: c.Quick}
	progress("building the functions")
	w, err := prepare(ctx, c.Root, c.Into)
	if err != nil {
		return nil, err
	}
	for _, latency := range []time.Duration{0, 10 * time.Millisecond} {
		progress(fmt.Sprintf("posts, a server that takes %v", latency))
		posts, err := measurePosts(ctx, e.posts, latency)
		if err != nil {
			return nil, fmt.Errorf("measure posts: %w", err)
		}
		r.Posts = append(r.Posts, posts...)
	}
	progress("posts after freezes")
	if r.Freezes, err = measureFreezes(ctx, e.posts); err != nil {
		return nil, fmt.Errorf("measure posts after freezes: %w", err)
	}
	progress("starts of the functions")
	if r.Starts, err = measureStarts(ctx, w, e.starts); err != nil {
		return nil, fmt.Errorf("measure starts: %w", err)
	}
	progress("starts of the stage")
	if r.Ready, err = measureReady(ctx, w, e.ready); err != nil {
		return nil, fmt.Errorf("measure the stage: %w", err)
	}
	if r.Broadcasts, err = measureBroadcasts(ctx, w, e.levels, progress); err != nil {
		return nil, fmt.Errorf("measure broadcasts: %w", err)
	}
	return r, nil
}
