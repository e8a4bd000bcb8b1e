package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage"
)

// frontendFunction is left out of what is measured: it is a server of its own, in Node.js.
const frontendFunction = "FrontendFunction"

// stage is the command that runs a local stage with functions that are built already, in a process of its own, and
// prints its outputs when it is ready.
type stage struct {
	Template  string `help:"Template to run."`
	Artifacts string `help:"Folder with the built functions."`
	State     string `help:"Folder for everything else."`
}

// Run keeps the stage up until standard input ends, which it does together with the process that measures.
func (s *stage) Run() error {
	ctx := context.Background()
	running, err := localstage.New(ctx, localstage.Config{
		Template: s.Template, Artifacts: s.Artifacts, State: s.State, Without: []string{frontendFunction},
		// What measures broadcasts is one sender and few users.
		Parameters: map[string]string{"MessagesPerWindow": "1000", "ConnectionsPerUser": "100"},
	})
	if err != nil {
		return err
	}
	err = json.NewEncoder(os.Stdout).Encode(running.Outputs())
	_, _ = io.Copy(io.Discard, os.Stdin)
	closing, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return errors.Join(err, running.Close(closing))
}

// runningStage is a stage in a process of its own.
type runningStage struct {
	process *exec.Cmd
	input   io.Closer
	outputs string        // file
	readyIn time.Duration // from the start of its process
}

// startStage starts a stage in a folder of its own.
func startStage(ctx context.Context, w workshop, name string) (*runningStage, error) {
	self, err := os.Executable()
	state := filepath.Join(w.folder, name)
	if err := errors.Join(err, os.RemoveAll(state)); err != nil {
		return nil, err
	}
	s := &runningStage{outputs: filepath.Join(state, "outputs.json")}
	s.process = exec.CommandContext(ctx, self, "stage", "--template", w.template, "--artifacts", w.functions, "--state", state)
	s.process.Stderr, s.process.WaitDelay = os.Stderr, time.Second
	input, err := s.process.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	started := time.Now()
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	s.input = input
	err = json.NewDecoder(output).Decode(new(json.RawMessage))
	s.readyIn = time.Since(started)
	if err != nil {
		err = fmt.Errorf("the stage ended before it was ready: %w", err)
		s.close(&err)
	}
	return s, err
}

// variable names the stage to the suites.
func (s *runningStage) variable() string { return stageclient.OutputsVariable + "=" + s.outputs }

// close ends the stage and adds to the error of the function that defers it.
func (s *runningStage) close(err *error) {
	_ = s.input.Close() // a pipe
	if ended := s.process.Wait(); ended != nil {
		*err = errors.Join(*err, fmt.Errorf("close the stage: %w", ended))
	}
}

// ReadyResult is what the stage itself takes.
type ReadyResult struct {
	ReadyMs float64 `json:"readyMs"` // from the start of its process until it is ready, with built functions; the median
	IdleMB  float64 `json:"idleMB"`  // its own memory when nothing happens, without the functions; 0: cannot be read
}

// measureReady starts the stage a number of times.
func (r *Results) measureReady(ctx context.Context, w workshop, e effort) error {
	var took []time.Duration
	for range e.ready {
		s, err := startStage(ctx, w, "ready")
		if err != nil {
			return err
		}
		time.Sleep(time.Second) // then its memory is that of an idle stage
		took = append(took, s.readyIn)
		r.Ready.IdleMB = max(r.Ready.IdleMB, residentMemory(s.process.Process.Pid))
		if s.close(&err); err != nil {
			return err
		}
	}
	slices.Sort(took)
	r.Ready.ReadyMs = milliseconds(took[len(took)/2])
	return nil
}

// IdleResult is the memory that the stage takes for a connection on which nothing happens. No page shows it.
type IdleResult struct {
	connections int
	kilobytes   float64 // of a connection; 0: cannot be read
}

// measureIdle opens connections and compares the stage's memory with that before.
func (r *Results) measureIdle(ctx context.Context, w workshop, e effort) (err error) {
	s, err := startStage(ctx, w, "alone")
	if err != nil {
		return err
	}
	defer s.close(&err)
	r.idle = IdleResult{connections: e.connections}
	before := residentMemory(s.process.Process.Pid)
	conns, err := openConnections(ctx, s.outputs, e.connections)
	var closing sync.WaitGroup
	defer closing.Wait()
	defer func() {
		for _, conn := range slices.DeleteFunc(conns, func(c *stageclient.Conn) bool { return c == nil }) {
			closing.Go(conn.Abort)
		}
	}()
	if err != nil {
		return err
	}
	time.Sleep(e.settling)
	if after := residentMemory(s.process.Process.Pid); before > 0 && after > 0 {
		r.idle.kilobytes = (after - before) * 1024 / float64(e.connections)
	}
	return nil
}

// openConnections opens connections to a stage, some at the same time, a hundred for a user.
func openConnections(ctx context.Context, outputs string, size int) ([]*stageclient.Conn, error) {
	loaded, err := stageclient.LoadOutputs(outputs)
	if err != nil {
		return nil, err
	}
	client := &stageclient.Client{Outputs: loaded}
	credentials, err := client.Credentials(ctx, "SignUrlFunction")
	if err != nil {
		return nil, err
	}
	conns := make([]*stageclient.Conn, size)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for i := range conns {
		group.Go(func() error {
			proof, user := stageclient.NewProof(), fmt.Sprintf("bench-%d", i/100)
			grant := stageclient.NewGrant(stageclient.User{Sub: user, Name: user}, []string{"lobby"}, proof.Challenge, time.Now())
			signed, err := client.SignLocally(ctx, credentials, grant)
			if err == nil {
				conns[i], err = client.Dial(ctx, signed, stageclient.DialOptions{Verifier: proof.Verifier})
			}
			return err
		})
	}
	return conns, group.Wait()
}

// workshop is where the run builds what it measures.
type workshop struct {
	root        string   // of the repository
	folder      string   // of the run
	functions   string   // the built functions, by logical id
	template    string   // without the throttles, which are not what is measured
	environment []string // of the benchmarks
}

// bootstrap returns the program of a function.
func (w workshop) bootstrap(logicalID string) string {
	return filepath.Join(w.functions, logicalID, "bootstrap")
}

// prepare builds the functions, the empty one beside them, and the programs with the benchmarks.
func prepare(ctx context.Context, o options) (workshop, error) {
	folder, err := filepath.Abs(o.Into)
	if err != nil {
		return workshop{}, err
	}
	w := workshop{
		root: o.Root, folder: folder,
		functions: filepath.Join(folder, "functions"), template: filepath.Join(folder, "template.yaml"),
	}
	source := filepath.Join(o.Root, "template.yaml")
	if err := localstage.Build(ctx, source, w.functions, frontendFunction); err != nil {
		return w, err
	}
	text, err := os.ReadFile(source)
	if err != nil {
		return w, err
	}
	limits := regexp.MustCompile(`(Throttling(?:Rate|Burst)Limit): \d+`)
	text = limits.ReplaceAll(text, []byte("$1: 1000000"))
	makefile, err := os.ReadFile(filepath.Join(o.Root, "Makefile"))
	_, flags, _ := strings.Cut(string(makefile), "\nFUNCTION_FLAGS = ")
	flags, _, _ = strings.Cut(flags, "\n")
	return w, errors.Join(
		err, os.WriteFile(w.template, text, 0o600),
		w.run(ctx, "CGO_ENABLED=0 go build "+flags+` -o "$1" ./tools/bench/testdata/empty`, w.bootstrap(emptyFunction)),
		w.run(ctx, `go test -c -o "$1" ./`+postPackage, filepath.Join(folder, postProgram)),
		w.run(ctx, `go test -c -o "$1" ./`+broadcastPackage, filepath.Join(folder, broadcastProgram)),
	)
}

// run runs a command of a shell in the repository, with the path that it writes as $1.
func (w workshop) run(ctx context.Context, command, path string) error {
	build := exec.CommandContext(ctx, "sh", "-c", command, "sh", path)
	build.Dir = w.root
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, output)
	}
	return nil
}
