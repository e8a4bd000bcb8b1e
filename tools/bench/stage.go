package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"time"

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

// Run keeps the stage up until standard input ends.
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
	*child
	outputs   stageclient.Outputs
	artifacts string
	readyIn   time.Duration // from the start of its process
}

// startStage starts a stage in a folder of its own.
func startStage(ctx context.Context, w workshop, name string) (*runningStage, error) {
	state := filepath.Join(w.folder, name)
	if err := os.RemoveAll(state); err != nil {
		return nil, fmt.Errorf("clear the stage's folder: %w", err)
	}
	started := time.Now()
	c, err := startChild(ctx, "stage", "--template", w.template, "--artifacts", w.functions, "--state", state)
	if err != nil {
		return nil, err
	}
	_, err = c.line()
	readyIn := time.Since(started)
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	outputs, err := stageclient.LoadOutputs(filepath.Join(state, "outputs.json"))
	return &runningStage{c, outputs, w.functions, readyIn}, err
}

// workshop is where the run builds what it measures.
type workshop struct {
	root      string // of the repository
	folder    string // of the run
	functions string // the built functions, by logical id
	template  string // without the throttles, which are not what is measured
}

// prepare builds the functions and the empty one beside them in a folder.
func prepare(ctx context.Context, root, into string) (workshop, error) {
	folder, err := filepath.Abs(into)
	if err != nil {
		return workshop{}, err
	}
	w := workshop{root: root, folder: folder}
	w.functions, w.template = filepath.Join(w.folder, "functions"), filepath.Join(w.folder, "template.yaml")
	source := filepath.Join(root, "template.yaml")
	if err := localstage.Build(ctx, source, w.functions, frontendFunction); err != nil {
		return w, err
	}
	if err := w.buildEmpty(ctx); err != nil {
		return w, err
	}
	text, err := os.ReadFile(source)
	if err != nil {
		return w, fmt.Errorf("read template: %w", err)
	}
	limits := regexp.MustCompile(`(Throttling(?:Rate|Burst)Limit): \d+`)
	if err := os.WriteFile(w.template, limits.ReplaceAll(text, []byte("$1: 1000000")), 0o600); err != nil {
		return w, fmt.Errorf("write template: %w", err)
	}
	return w, nil
}
