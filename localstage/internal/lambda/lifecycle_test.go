package lambda

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"signedsocket/internal/stageclient/clienttest"

	"golang.org/x/sync/errgroup"
)

func TestFunctionFailures(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		event     string
		errorType string
		payload   string // a pattern; ID stands for the request's
		log       string
		fresh     bool // the next event gets another process
	}{
		"an error of the handler": {
			event: `{"do":"error","text":"no such room"}`, errorType: "errorString",
			payload: `^\{"errorMessage":"no such room","errorType":"errorString"\}$`,
		},
		"a panic": {
			event: `{"do":"panic","text":"out of ideas"}`, errorType: "string", fresh: true,
			payload: `^\{"errorMessage":"out of ideas","errorType":"string","stackTrace":\[\{.+\}\]\}$`,
			log:     "RequestId: ID Error: Runtime exited with error: exit status 1 Runtime.ExitError",
		},
		"an exit with a status": {
			event: `{"do":"exit","n":7}`, errorType: "Runtime.ExitError", fresh: true,
			payload: `^\{"errorType":"Runtime.ExitError",` +
				`"errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 7"\}$`,
			log: "RequestId: ID Error: Runtime exited with error: exit status 7 Runtime.ExitError",
		},
		"an exit without a reason": {
			event: `{"do":"exit"}`, errorType: "Runtime.ExitError", fresh: true,
			payload: `^\{"errorType":"Runtime.ExitError",` +
				`"errorMessage":"RequestId: ID Error: Runtime exited without providing a reason"\}$`,
		},
		"a timeout": {
			event: `{"do":"sleep","n":60000}`, errorType: "Sandbox.Timedout", fresh: true,
			payload: `^\{"errorType":"Sandbox.Timedout",` +
				`"errorMessage":"RequestId: ID Error: Task timed out after 1.50 seconds"\}$`,
			log: "Z ID Task timed out after 1.50 seconds\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logs logBuffer
			f := addFunction(t, startService(t, Options{Logs: &logs}), withTimeout(1500*time.Millisecond))
			before := invoke[int](t, f, `{"do":"pid"}`)
			inState(t, f, StateReady, 1)
			failed := invokeFailing(t, f, test.event)
			if failed.Type != test.errorType {
				t.Errorf("type = %q, want %q", failed.Type, test.errorType)
			}
			pattern := strings.ReplaceAll(test.payload, "ID", failed.RequestID)
			if !regexp.MustCompile(pattern).Match(failed.Payload) {
				t.Errorf("payload = %s, want %s", failed.Payload, pattern)
			}
			if !test.fresh {
				inState(t, f, StateReady, 1)
			}
			after := invoke[int](t, f, `{"do":"pid"}`)
			if fresh := after != before; fresh != test.fresh {
				t.Errorf("process %d, then %d; want a fresh one: %t", before, after, test.fresh)
			}
			line := strings.ReplaceAll(test.log, "ID", failed.RequestID)
			clienttest.Eventually(t, "log line "+line, func() bool { return strings.Contains(logs.String(), line) })
		})
	}
}

func TestErrorTextLeavesOutThePayload(t *testing.T) {
	t.Parallel()
	f := addFunction(t, startService(t, Options{}))
	failed := invokeFailing(t, f, `{"do":"error","text":"private words"}`)
	if strings.Contains(failed.Error(), "private") {
		t.Errorf("Error() = %q repeats what the function said", failed)
	}
}

func TestKillDuringAnInvocationFailsThatEventOnly(t *testing.T) {
	t.Parallel()
	f := addFunction(t, startService(t, Options{}))
	var group errgroup.Group
	group.Go(func() error {
		_, err := f.Invoke(t.Context(), []byte(`{"do":"sleep","n":60000}`))
		return err
	})
	inState(t, f, StateRunning, 1)
	killGroup(f.Environments()[0].PID)
	failed, ok := errors.AsType[*FunctionError](group.Wait())
	if !ok || !strings.HasSuffix(string(failed.Payload), ` Error: Runtime exited with error: signal: killed"}`) {
		t.Errorf("Invoke = %v, want a FunctionError of a killed process", failed)
	}
	invoke[int](t, f, `{"do":"pid"}`)
}

func TestIdleEnvironmentIsFrozen(t *testing.T) {
	t.Parallel()
	f := addFunction(t, startService(t, Options{}))
	invoke[int](t, f, `{"do":"tick"}`)
	inState(t, f, StateReady, 1)
	pid := f.Environments()[0].PID
	clienttest.Eventually(t, "the process is stopped", func() bool { return strings.HasPrefix(processState(pid), "T") })
	before := invoke[int](t, f, `{"do":"ticks"}`)
	inState(t, f, StateReady, 1)
	for look := range 30 {
		if state := processState(pid); !strings.HasPrefix(state, "T") {
			t.Fatalf("look %d finds the process in state %q, want T", look, state)
		}
	}
	// The goroutine may go on for a few turns between the two events.
	if after := invoke[int](t, f, `{"do":"ticks"}`); after-before > 100 {
		t.Errorf("%d ticks while frozen", after-before)
	}
	f.Environments()[0].Kill()
	if state := processState(pid); state != "" {
		t.Errorf("killed while frozen, and in state %q", state)
	}
}

func TestNoFreezeLetsBackgroundWorkGoOn(t *testing.T) {
	t.Parallel()
	f := addFunction(t, startService(t, Options{NoFreeze: true}))
	before := invoke[int](t, f, `{"do":"tick"}`)
	clienttest.Eventually(t, "work between the events", func() bool {
		return invoke[int](t, f, `{"do":"ticks"}`) > before+20
	})
}

func TestFailedInitIsRepeatedWithTheFirstEvent(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		init    string
		payload string
		report  string
	}{
		"exit": {
			init: "exit", report: "Status: error\tError Type: Runtime.ExitError",
			payload: `{"errorType":"Runtime.ExitError",` +
				`"errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 3"}`,
		},
		"reported error": {
			init: "report", report: "Status: error\tError Type: ConfigError",
			payload: `{"errorMessage":"no table","errorType":"ConfigError"}`,
		},
		"timeout": {
			init: "slow", report: "Status: timeout",
			payload: `{"errorType":"Sandbox.Timedout",` +
				`"errorMessage":"RequestId: ID Error: Task timed out after 0.80 seconds"}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logs logBuffer
			s := startService(t, Options{Logs: &logs})
			s.initLimit = time.Second
			f := addFunction(t, s, withInit(test.init), withTimeout(800*time.Millisecond))
			failed := invokeFailing(t, f, `{"do":"pid"}`)
			if want := strings.ReplaceAll(test.payload, "ID", failed.RequestID); string(failed.Payload) != want {
				t.Errorf("payload = %s, want %s", failed.Payload, want)
			}
			inState(t, f, StateStarted, 0)
			if reports := strings.Count(logs.String(), "INIT_REPORT Init Duration: "); reports != 1 ||
				!strings.Contains(logs.String(), test.report) {
				t.Errorf("log = %s, want one INIT_REPORT with %q", logs.String(), test.report)
			}
		})
	}
}

func TestEveryEventOfABrokenFunctionIsAnswered(t *testing.T) {
	t.Parallel()
	f := addFunction(t, startService(t, Options{MaxEnvironments: 2}), withInit("exit"))
	var wait sync.WaitGroup
	for range 7 {
		wait.Go(func() { invokeFailing(t, f, `{}`) })
	}
	wait.Wait()
}

func TestBootstrapThatIsNoProgram(t *testing.T) {
	t.Parallel()
	f := addFunction(t, startService(t, Options{}), withBootstrap("testdata/notaprogram/bootstrap"))
	failed := invokeFailing(t, f, `{}`)
	want := fmt.Sprintf(`{"errorType":"Runtime.InvalidEntrypoint",`+
		`"errorMessage":"RequestId: %s Error: fork/exec %s: exec format error"}`,
		failed.RequestID, f.config.Bootstrap)
	if string(failed.Payload) != want {
		t.Errorf("payload = %s, want %s", failed.Payload, want)
	}
}

func TestIdleEnvironmentEndsAfterItsLifetime(t *testing.T) {
	t.Parallel()
	f := addFunction(t, startService(t, Options{IdleLifetime: 50 * time.Millisecond}))
	pid := invoke[int](t, f, `{"do":"pid"}`)
	clienttest.Eventually(t, "no environment", func() bool { return len(f.Environments()) == 0 })
	if state := processState(pid); state != "" {
		t.Errorf("process in state %q", state)
	}
	invoke[int](t, f, `{"do":"pid"}`)
}

func TestSpareEnvironmentsOfABurstEndSoon(t *testing.T) {
	t.Parallel()
	s := startService(t, Options{})
	s.keptIdle, s.spareLifetime = 1, 50*time.Millisecond
	f := addFunction(t, s)
	var burst sync.WaitGroup
	for range 3 {
		burst.Go(func() { invoke[int](t, f, `{"do":"sleep","n":1500}`) })
	}
	inState(t, f, StateRunning, 3)
	burst.Wait()
	inState(t, f, StateReady, 1)
}

func TestRegisteredFunctionGetsSIGTERM(t *testing.T) {
	t.Parallel()
	var logs logBuffer
	s := startService(t, Options{Logs: &logs})
	f := addFunction(t, s, withInit("sigterm"))
	invoke[int](t, f, `{"do":"pid"}`)
	clienttest.Eventually(t, "registered", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for e := range f.environments {
			return e.sigterm
		}
		return false
	})
	inState(t, f, StateReady, 1)
	s.Close()
	if !strings.Contains(logs.String(), "Test | got SIGTERM\n") {
		t.Errorf("log = %q, want the handler's line", logs.String())
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	next := make(chan Fault, 1)
	f := addFunction(t, startService(t, Options{Fault: func(string) Fault { return <-next }}))

	next <- Fault{Delay: 200 * time.Millisecond}
	began := time.Now()
	invoke[int](t, f, `{"do":"pid"}`)
	if elapsed := time.Since(began); elapsed < 200*time.Millisecond {
		t.Errorf("delayed event took %v", elapsed)
	}
	next <- Fault{Kill: true, KillAfter: 50 * time.Millisecond}
	if failed := invokeFailing(t, f, `{"do":"sleep","n":60000}`); failed.Type != typeExit {
		t.Errorf("killed: %v", failed)
	}
	next <- Fault{Kill: true, KillAfter: 50 * time.Millisecond}
	before := invoke[int](t, f, `{"do":"pid"}`) // answered before the kill, which must not hit the next event
	inState(t, f, StateReady, 1)
	next <- Fault{}
	if after := invoke[int](t, f, `{"do":"sleep","n":150}`); after != before {
		t.Errorf("process %d, then %d", before, after)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	t.Parallel()
	s := startService(t, Options{})
	f := addFunction(t, s, func(c *Config) { c.MaxConcurrency = 2 })
	idle := invoke[int](t, f, `{"do":"pid"}`)
	var group errgroup.Group
	for range 2 {
		group.Go(func() error {
			_, err := f.Invoke(t.Context(), []byte(`{"do":"sleep","n":60000}`))
			return err
		})
	}
	inState(t, f, StateRunning, 2)
	s.Close()
	if err := group.Wait(); !errors.Is(err, ErrClosed) {
		t.Errorf("Invoke under way = %v, want ErrClosed", err)
	}
	if state := processState(idle); state != "" {
		t.Errorf("process in state %q after Close", state)
	}
	if _, err := f.Invoke(t.Context(), []byte(`{}`)); !errors.Is(err, ErrClosed) {
		t.Errorf("Invoke after Close = %v, want ErrClosed", err)
	}
	if _, err := s.Add(f.config); !errors.Is(err, ErrClosed) {
		t.Errorf("Add after Close = %v, want ErrClosed", err)
	}
	s.Close()
}
