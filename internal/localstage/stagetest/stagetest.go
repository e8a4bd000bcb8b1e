// Package stagetest starts local stages for tests: on free ports, with the
// functions built once per test binary, logs in the test's output, and
// everything gone when the test ends.
package stagetest

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"signedsocket/internal/localstage"
)

// Options changes the stage from the one that the repository's template describes.
type Options struct {
	Edit       func(template string) string // edits the template's text before the stage reads it
	Parameters map[string]string
	Faults     localstage.Faults
	State      string                   // default: a folder of the test's own
	Configure  func(*localstage.Config) // last word on everything else
}

// Start starts a stage and closes it when the test ends. It fails the test if the stage cannot start.
func Start(t testing.TB, o Options) *localstage.Stage {
	t.Helper()
	logs := newLog(t)
	config := localstage.Config{
		Template:   editedTemplate(t, o.Edit),
		Parameters: o.Parameters,
		State:      o.State,
		Artifacts:  Artifacts(t),
		Faults:     o.Faults,
		Logs:       logs,
	}
	if config.State == "" {
		config.State = t.TempDir()
	}
	if o.Configure != nil {
		o.Configure(&config)
	}
	stage, err := localstage.New(t.Context(), config)
	if err != nil {
		t.Fatalf("start the stage: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := stage.Close(ctx); err != nil {
			t.Errorf("close the stage: %v", err)
		}
	})
	return stage
}

// Root is the folder of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Clean(filepath.Join(filepath.Dir(file), "../../.."))
}

// Template is the path of the repository's template.
func Template() string { return filepath.Join(Root(), "template.yaml") }

func editedTemplate(t testing.TB, edit func(string) string) string {
	t.Helper()
	if edit == nil {
		return Template()
	}
	original, err := os.ReadFile(Template())
	if err != nil {
		t.Fatal(err)
	}
	edited := edit(string(original))
	if edited == string(original) {
		t.Fatal("the edit changed nothing in template.yaml: it no longer matches the template")
	}
	path := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(path, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// testLog writes whole lines to the test's log, and none after the test has ended.
type testLog struct {
	mu      sync.Mutex
	t       testing.TB
	partial []byte
}

func newLog(t testing.TB) io.Writer {
	log := &testLog{t: t}
	t.Cleanup(func() {
		log.mu.Lock()
		defer log.mu.Unlock()
		log.t = nil
	})
	return log
}

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, p...)
	for {
		line, rest, found := bytes.Cut(l.partial, []byte("\n"))
		if !found {
			return len(p), nil
		}
		if l.t != nil {
			l.t.Logf("%s", line)
		}
		l.partial = append([]byte(nil), rest...)
	}
}
