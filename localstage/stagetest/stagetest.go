// Package stagetest starts local stages for tests: on free ports, with functions that are built once per test binary.
// Everything is gone when the test ends.
//
// The log of a stage and its functions goes to the test's output. It must hold no secret: a test fails if its stage
// logs one.
package stagetest

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage"
	"signedsocket/localstage/internal/lambda"
)

// Options changes the stage of the repository's template.
type Options struct {
	Edit       func(template string) string // edits the template's text before the stage reads it
	Parameters map[string]string
	Faults     localstage.Faults
	State      string                   // default: a folder of the test's own
	Page       bool                     // build and run the page, too, which takes Node.js
	Configure  func(*localstage.Config) // called last, with the whole configuration
}

// Stage is a running stage with its history.
type Stage struct {
	*localstage.Stage
	log *stageLog

	mu      sync.Mutex
	invoked map[string]int                        // by the function's name
	next    map[string]localstage.InvocationFault // of the next invocation, by logical id
}

// Start starts a stage and closes it when the test ends. It fails the test if the stage cannot start.
func Start(t testing.TB, o Options) *Stage {
	t.Helper()
	log := newStageLog(t)
	stage := &Stage{log: log, invoked: map[string]int{}, next: map[string]localstage.InvocationFault{}}
	config := localstage.Config{
		Template:   editedTemplate(t, o.Edit),
		Parameters: withPatience(o.Parameters),
		State:      o.State,
		Artifacts:  Artifacts(t),
		Without:    []string{FrontendFunction},
		Faults:     o.Faults,
		Logs:       log,
		Log:        slog.New(slog.NewTextHandler(log, nil)),
		IssuerKey:  issuerKey(t),
	}
	if config.State == "" {
		config.State = t.TempDir()
	}
	if o.Page {
		config.Artifacts, config.Adapter, config.Without = withPage(t), adapter(t), nil
	}
	if o.Configure != nil {
		o.Configure(&config)
	}
	stage.countInvocations(&config)
	var err error
	if stage.Stage, err = localstage.New(t.Context(), config); err != nil {
		t.Fatalf("start the stage: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := stage.Close(ctx); err != nil {
			t.Errorf("close the stage: %v", err)
		}
	})
	log.keepSecret(sessionKeys(t, stage.Outputs().Local.CredentialsFile)...)
	return stage
}

// withPatience returns parameters with the longest life of a signed URL, unless they set one. A busy machine may take
// longer than the default of ten seconds from the request for a URL to the handshake.
func withPatience(parameters map[string]string) map[string]string {
	const lifetime = "UrlLifetimeSeconds"
	all := map[string]string{lifetime: "60"}
	maps.Copy(all, parameters)
	return all
}

// countInvocations counts every invocation, and returns the fault of FailNext, or else the test's own, for it.
func (s *Stage) countInvocations(c *localstage.Config) {
	fault := c.FunctionFault
	c.FunctionFault = func(function string) lambda.Fault {
		s.mu.Lock()
		s.invoked[function]++
		for logicalID, once := range s.next {
			if isFunction(function, logicalID) {
				delete(s.next, logicalID)
				s.mu.Unlock()
				return once
			}
		}
		s.mu.Unlock()
		if fault == nil {
			return lambda.Fault{}
		}
		return fault(function)
	}
}

// Invocations returns the number of a function's invocations, by its logical id.
func (s *Stage) Invocations(logicalID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := 0
	for name, n := range s.invoked {
		if isFunction(name, logicalID) {
			count += n
		}
	}
	return count
}

// isFunction reports whether a function's name is that of a logical id.
func isFunction(name, logicalID string) bool { return strings.Contains(name, "-"+logicalID+"-") }

// FailNext gives a fault to the next invocation of a function, by its logical id.
func (s *Stage) FailNext(logicalID string, fault localstage.InvocationFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next[logicalID] = fault
}

// Client returns a client of the stage. The stage's log must not hold the credentials that the client sends.
func (s *Stage) Client(t testing.TB) *stageclient.Client {
	t.Helper()
	outputs, err := stageclient.LoadOutputs(s.OutputsFile())
	if err != nil {
		t.Fatal(err)
	}
	return &stageclient.Client{Outputs: outputs, HTTP: s.log.witness()}
}

// Lines returns the lines that a function has logged.
func (s *Stage) Lines(logicalID string) []string { return s.log.of(logicalID) }

// Refusals returns the reasons of a function's refusals, in the order of its log: the values of "reason" in its lines.
func (s *Stage) Refusals(logicalID string) []string { return s.log.refusals(logicalID) }

// AwaitRefusals waits until a function has logged at least n refusals and returns them all. A line may come a moment
// later than its answer.
func (s *Stage) AwaitRefusals(t testing.TB, logicalID string, n int) []string {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; <-look.C {
		reasons := s.Refusals(logicalID)
		if len(reasons) >= n {
			return reasons
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has logged the reasons %q, want %d", logicalID, reasons, n)
		}
	}
}

// AwaitConnections waits until the gateway holds n connections.
func (s *Stage) AwaitConnections(t testing.TB, n int) {
	t.Helper()
	clienttest.Eventually(t, fmt.Sprintf("the gateway to hold %d connections", n), func() bool {
		return len(s.Gateway().Connections()) == n
	})
}

// Root is the folder of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Clean(filepath.Join(filepath.Dir(file), "../.."))
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
