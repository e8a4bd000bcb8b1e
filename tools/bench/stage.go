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
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage"
)

// frontendFunction is not measured: it is a server of its own, in Node.js.
const frontendFunction = "FrontendFunction"

// stage is the command that runs a local stage in a process of its own, with functions that are built already. It
// prints the outputs of the stage when that is ready.
type stage struct {
	Template  string `help:"Template to run."`
	Artifacts string `help:"Folder with the built functions."`
	State     string `help:"Folder for everything else."`
	History   string `help:"The stage's HistoryDays."`
}

// Run keeps the stage up until standard input ends, which it does together with the process that measures.
func (s *stage) Run() error {
	ctx := context.Background()
	running, err := localstage.New(ctx, localstage.Config{
		Template: s.Template, Artifacts: s.Artifacts, State: s.State, Without: []string{frontendFunction},
		// The measured broadcasts have one sender and few users.
		Parameters: map[string]string{
			"MessagesPerWindow": "1000", "ConnectionsPerUser": "100", "HistoryDays": s.History,
		},
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
	readyIn time.Duration // from the start of its process
}

// memory returns the memory of the stage itself, without the functions, in MB; 0 when it cannot be read.
func (s *runningStage) memory() float64 { return memory(s.process.Process.Pid, "VmRSS:") }

// The environment variables that name a stage to the benchmarks: the one that is measured, and one without history
// beside it.
const (
	outputsVariable = stageclient.OutputsVariable
	withoutHistory  = outputsVariable + "_WITHOUT_HISTORY"
)

// withStage starts a stage in a folder of its own, names it to the benchmarks by a variable and closes it after use.
func (w *workshop) withStage(
	ctx context.Context, name, variable, historyDays string, use func(*runningStage) error,
) (err error) {
	state := filepath.Join(w.folder, name)
	self, err := os.Executable()
	if err := errors.Join(err, os.RemoveAll(state)); err != nil {
		return err
	}
	s := &runningStage{process: exec.CommandContext(ctx, self, "stage",
		"--template", w.template, "--artifacts", w.functions, "--state", state, "--history", historyDays)}
	s.process.Stderr, s.process.WaitDelay = os.Stderr, time.Second
	input, err := s.process.StdinPipe()
	if err != nil {
		return err
	}
	output, err := s.process.StdoutPipe()
	if err != nil {
		return err
	}
	started := time.Now()
	if err := s.process.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, input.Close(), s.process.Wait()) }()
	if err := json.NewDecoder(output).Decode(new(json.RawMessage)); err != nil {
		return fmt.Errorf("the stage ended before it was ready: %w", err)
	}
	s.readyIn = time.Since(started)
	w.environment = append(w.environment, variable+"="+filepath.Join(state, "outputs.json"))
	return use(s)
}

// measureReady starts the stage a number of times.
func (r *Results) measureReady(ctx context.Context, w workshop, e effort) error {
	var took []time.Duration
	idle := 0.0
	for range e.ready {
		err := w.withStage(ctx, "ready", outputsVariable, "0", func(s *runningStage) error {
			time.Sleep(time.Second) // then its memory is that of an idle stage
			took, idle = append(took, s.readyIn), max(idle, s.memory())
			return nil
		})
		if err != nil {
			return err
		}
	}
	slices.Sort(took)
	ready := took[len(took)/2].Seconds() * 1000
	r.add(Measurement{"Stage", map[string]float64{"ready-ms": ready, "idle-MB": idle}})
	return nil
}

// workshop is where the run builds what it measures.
type workshop struct {
	folder      string   // of the run
	functions   string   // the built functions, by logical id
	template    string   // without the throttles, which are not what is measured
	environment []string // of the benchmarks
}

// prepare builds the functions and the programs with the benchmarks.
func prepare(ctx context.Context, o options) (workshop, error) {
	w := workshop{
		folder: o.Into, functions: filepath.Join(o.Into, "functions"), template: filepath.Join(o.Into, "template.yaml"),
	}
	source := filepath.Join(o.Root, "template.yaml")
	if err := localstage.Build(ctx, source, w.functions, frontendFunction); err != nil {
		return w, err
	}
	text, err := os.ReadFile(source)
	if err != nil {
		return w, err
	}
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", o.Into+"/", postPackage, stagePackage)
	build.Dir, build.Stderr = o.Root, os.Stderr
	return w, errors.Join(os.WriteFile(w.template, withoutThrottles(text), 0o600), build.Run())
}

// withoutThrottles raises the throttles of a template, whether they are numbers or parameters.
func withoutThrottles(template []byte) []byte {
	limits := regexp.MustCompile(`(Throttling(?:Rate|Burst)Limit): [^,}\n]+`)
	return limits.ReplaceAll(template, []byte("$1: 1000000"))
}
