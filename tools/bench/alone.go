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

// aloneCommand measures the local stage without functions in the way: what it takes for itself, what a connection takes
// on which nothing happens, and posts straight to it, beside the least that a broadcast can take on this machine.
type aloneCommand struct {
	Root  string `default:"." placeholder:"DIR" help:"Folder of the repository (${default})."`
	Quick bool   `help:"Measure so little that the numbers mean nothing: shows that everything works."`
	Into  string `default:"build/bench" placeholder:"DIR" help:"Folder for what is built (${default})."`
}

// AloneResults are what a run of aloneCommand has measured.
type AloneResults struct {
	Machine         Machine
	Ready           ReadyResult
	Connections     int     // that were held
	KBPerConnection float64 // of the stage's memory; 0 where it cannot be read
	Direct          []DirectResult
}

// aloneEffort is how thoroughly the stage alone is measured.
type aloneEffort struct {
	starts, connections, rounds int
	levels                      []int         // recipients
	settling                    time.Duration // before the memory is read, so that what opening the connections left behind is gone
}

// idleConnections are held by the stage, if the system lets a process have so many files open.
const idleConnections = 10_000

// spareFiles are the files that a process needs for something else than those connections: both ends of a bare broadcast.
const spareFiles = 3_000

// Run measures everything and prints it.
func (c *aloneCommand) Run(ctx context.Context) error {
	started := time.Now()
	results, err := measureAlone(ctx, c, func(what string) {
		fmt.Fprintf(os.Stderr, "%3.0f s  %s\n", time.Since(started).Seconds(), what)
	})
	if err != nil {
		return err
	}
	return printTables(os.Stdout, results.Machine, results.tables())
}

func measureAlone(ctx context.Context, c *aloneCommand, progress func(string)) (r *AloneResults, err error) {
	e := aloneEffort{starts: 5, connections: min(idleConnections, max(1_000, openFiles()-spareFiles)), rounds: 50, levels: []int{100, 1000}, settling: 5 * time.Second}
	if c.Quick {
		e = aloneEffort{starts: 1, connections: 100, rounds: 3, levels: []int{10}}
	}
	r = &AloneResults{Machine: thisMachine(c.Root)}
	progress("building the functions")
	w, err := prepare(ctx, c.Root, c.Into)
	if err != nil {
		return nil, err
	}
	progress("starts of the stage")
	if r.Ready, err = measureReady(ctx, w, e.starts); err != nil {
		return nil, err
	}
	s, err := startStage(ctx, w, "alone")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	everybody := &audience{}
	defer everybody.leave()
	progress(fmt.Sprintf("opening %d connections", e.connections))
	if err := r.hold(ctx, s, everybody, e); err != nil {
		return nil, err
	}
	for _, recipients := range e.levels {
		progress(fmt.Sprintf("posts to %d of them", recipients))
		result, err := measureDirect(ctx, s, everybody, recipients, e.rounds)
		if err != nil {
			return nil, err
		}
		r.Direct = append(r.Direct, result)
	}
	return r, nil
}

// hold opens connections and reads what the stage takes for them.
func (r *AloneResults) hold(ctx context.Context, s *runningStage, a *audience, e aloneEffort) error {
	pid := s.process.Process.Pid
	before := residentMemory(pid)
	if err := a.join(ctx, &stageclient.Client{Outputs: s.outputs}, e.connections); err != nil {
		return err
	}
	time.Sleep(e.settling)
	r.Connections = e.connections
	if after := residentMemory(pid); before > 0 && after > 0 {
		r.KBPerConnection = (after - before) * 1024 / float64(e.connections)
	}
	return nil
}

// openFiles is how many files a process may have open.
func openFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024 // as everywhere
	}
	return int(min(limit.Cur, 1<<20)) // the Go runtime has raised it as far as it goes
}

func (r *AloneResults) tables() []table {
	posts := table{
		title:  "Posts straight to the stage's @connections, from the first until the last receiver has its frame, beside a bare broadcast: coder/websocket in one process",
		header: []string{"Recipients", "Stage, p50", "Bare, p50", "Times", "µs of the stage's CPU a post", "Lost"},
	}
	for _, d := range r.Direct {
		posts.rows = append(posts.rows, []string{
			fmt.Sprint(d.Recipients), fmt.Sprintf("%.1f ms", d.StageMs), fmt.Sprintf("%.1f ms", d.BareMs), fmt.Sprintf("%.1f", d.StageMs/d.BareMs),
			fmt.Sprintf("%.0f", d.CPUMicroseconds), fmt.Sprint(d.Lost),
		})
	}
	goals := Results{Ready: r.Ready}
	all := append(goals.goals(), Goal{
		fmt.Sprintf("memory of an idle connection, %d held", r.Connections), "≤ 20 KB", fmt.Sprintf("%.1f KB", r.KBPerConnection), r.KBPerConnection <= 20,
	})
	return []table{posts, goalTable(all)}
}
