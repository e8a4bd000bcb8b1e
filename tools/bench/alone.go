package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"signedsocket/internal/stageclient"
)

// aloneCommand measures the local stage without functions in the way: what it takes for itself, and what a connection
// takes on which nothing happens.
type aloneCommand struct {
	Root  string `default:"." placeholder:"DIR" help:"Folder of the repository (${default})."`
	Quick bool   `help:"Measure so little that the numbers mean nothing: shows that everything works."`
	Into  string `default:"build/bench" placeholder:"DIR" help:"Folder for what is built (${default})."`
}

// aloneEffort is how thoroughly the stage alone is measured.
type aloneEffort struct {
	starts, connections int
	settling            time.Duration // before the memory is read: what opening the connections left behind is gone
}

// idleConnections are held by the stage, if the system lets a process have so many files open.
const idleConnections = 10_000

// spareFiles are the files that a process needs for something else than those connections.
const spareFiles = 1_000

// Run measures everything and prints it with its goals.
func (c *aloneCommand) Run(ctx context.Context) error {
	e := aloneEffort{
		starts: 5, connections: min(idleConnections, max(1_000, openFiles()-spareFiles)), settling: 5 * time.Second,
	}
	if c.Quick {
		e = aloneEffort{starts: 1, connections: 100}
	}
	fmt.Fprintf(os.Stderr, "building the functions, starting the stage and opening %d connections\n", e.connections)
	machine := thisMachine(c.Root)
	w, err := prepare(ctx, c.Root, c.Into)
	if err != nil {
		return err
	}
	ready, err := measureReady(ctx, w, e.starts)
	if err != nil {
		return err
	}
	kilobytes, err := measureIdle(ctx, w, e)
	if err != nil {
		return err
	}
	goals := append((&Results{Ready: ready}).goals(), Goal{
		fmt.Sprintf("memory of an idle connection, %d held", e.connections), "≤ 20 KB",
		fmt.Sprintf("%.1f KB", kilobytes), kilobytes <= 20,
	})
	return printTables(os.Stdout, machine, []table{goalTable(goals)})
}

// measureIdle returns how much of the stage's memory a connection takes, in KB; 0 where it cannot be read.
func measureIdle(ctx context.Context, w workshop, e aloneEffort) (kilobytes float64, err error) {
	s, err := startStage(ctx, w, "alone")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r := &room{client: &stageclient.Client{Outputs: s.outputs}, answers: make(chan stageclient.Frame, 8)}
	defer r.close()
	pid := s.process.Process.Pid
	before := residentMemory(pid)
	if err := r.fill(ctx, e.connections); err != nil {
		return 0, err
	}
	time.Sleep(e.settling)
	if after := residentMemory(pid); before > 0 && after > 0 {
		kilobytes = (after - before) * 1024 / float64(e.connections)
	}
	return kilobytes, nil
}

// openFiles is how many files a process may have open.
func openFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024 // as everywhere
	}
	return int(min(limit.Cur, 1<<20)) // the Go runtime has raised it as far as it goes
}
