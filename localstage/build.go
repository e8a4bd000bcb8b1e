package localstage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"signedsocket/localstage/internal/template"
)

// Build makes the artifacts of a template's functions in the folder into, in the form of Config.Artifacts. It skips the
// functions with the logical ids in without.
func Build(ctx context.Context, templatePath, into string, without ...string) error {
	t, err := load(Config{Template: templatePath}, "http://127.0.0.1")
	if err != nil {
		return err
	}
	wanted := slices.DeleteFunc(t.Functions,
		func(f template.Function) bool { return slices.Contains(without, f.LogicalID) })
	_, err = builder{
		root: filepath.Dir(templatePath), into: into, log: slog.New(slog.DiscardHandler),
	}.build(ctx, wanted)
	return err
}

// longBuild is the time after which the stage logs that a build is under way.
const longBuild = 2 * time.Second

// builder makes the functions' artifacts with the make targets that "sam build" calls (BuildMethod makefile), for this
// machine instead of Lambda's.
type builder struct {
	root string // folder of the template and its Makefile
	into string // artifact folder of a function is into/<LogicalID>
	log  *slog.Logger
}

// build makes every function's artifact and returns the handler of each by logical id.
func (b builder) build(ctx context.Context, functions []template.Function) (map[string]string, error) {
	handlers := make(map[string]string, len(functions))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	for _, f := range functions {
		handlers[f.LogicalID] = filepath.Join(b.into, f.LogicalID, f.Handler)
		group.Go(func() error { return b.buildOne(ctx, f) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return handlers, nil
}

// buildOne makes the artifact of one function, without any file of an earlier build.
func (b builder) buildOne(ctx context.Context, f template.Function) error {
	if err := f.CheckSources(b.root); err != nil {
		return err
	}
	artifacts, err := filepath.Abs(filepath.Join(b.into, f.LogicalID))
	if err != nil {
		return fmt.Errorf("build %s: %w", f.LogicalID, err)
	}
	//nolint:gosec // an artifact is no secret
	if err := errors.Join(os.RemoveAll(artifacts), os.MkdirAll(artifacts, 0o755)); err != nil {
		return fmt.Errorf("build %s: %w", f.LogicalID, err)
	}
	patience := time.AfterFunc(longBuild, func() {
		b.log.Info("building a function (about a minute, the first time)", "function", f.LogicalID)
	})
	defer patience.Stop()
	// Variables on make's command line win over those that the Makefile sets for Lambda.
	//nolint:gosec // make runs a target of the developer's template
	cmd := exec.CommandContext(ctx, "make", "--no-print-directory", "build-"+f.LogicalID,
		"ARTIFACTS_DIR="+artifacts, "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	cmd.Dir = filepath.Join(b.root, f.CodeURI)
	// Flags of an outer make must not reach the inner one.
	cmd.Env = withoutMakeFlags(os.Environ())
	cmd.WaitDelay = time.Second // for the programs that make has started, when ctx ends
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: make build-%s: %w\n%s", f.LogicalID, f.LogicalID, err, bytes.TrimSpace(output))
	}
	return nil
}

func withoutMakeFlags(env []string) []string {
	kept := make([]string, 0, len(env))
	for _, variable := range env {
		name, _, _ := strings.Cut(variable, "=")
		if name != "MAKEFLAGS" && name != "MFLAGS" && name != "MAKELEVEL" && name != "MAKEOVERRIDES" {
			kept = append(kept, variable)
		}
	}
	return kept
}

// prebuilt returns the artifacts of an earlier build in dir.
func prebuilt(dir string, functions []template.Function) (map[string]string, error) {
	handlers := make(map[string]string, len(functions))
	for _, f := range functions {
		path := filepath.Join(dir, f.LogicalID, f.Handler)
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("artifact of %s: %w (build the functions first)", f.LogicalID, err)
		}
		handlers[f.LogicalID] = path
	}
	return handlers, nil
}
