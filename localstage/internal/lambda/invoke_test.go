package lambda

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"signedsocket/internal/stageclient/clienttest"

	"github.com/google/uuid"
)

func TestInvokeReturnsTheFunctionsResponse(t *testing.T) {
	t.Parallel()
	f := addFunction(t, startService(t, Options{}))
	event := `{"do":"echo","text":"` + strings.Repeat("ü", 100_000) + `"}`
	response, err := f.Invoke(t.Context(), []byte(event))
	if err != nil || string(response) != event {
		t.Errorf("Invoke = %d bytes, %v; want the event of %d bytes", len(response), err, len(event))
	}
}

func TestFunctionSeesItsContext(t *testing.T) {
	t.Parallel()
	f := addFunction(t, startService(t, Options{}), withTimeout(20*time.Second))
	type seen struct {
		RequestID, ARN, Trace, Directory string
		LeftMs                           int
	}
	first, second := invoke[seen](t, f, `{"do":"context"}`), invoke[seen](t, f, `{"do":"context"}`)
	if _, err := uuid.Parse(first.RequestID); err != nil || first.RequestID == second.RequestID {
		t.Errorf("request ids %q, %q; want two UUIDs", first.RequestID, second.RequestID)
	}
	if first.ARN != testARN {
		t.Errorf("ARN = %q, want %q", first.ARN, testARN)
	}
	if !regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`).MatchString(first.Trace) {
		t.Errorf("trace = %q", first.Trace)
	}
	if first.LeftMs < 15_000 || first.LeftMs > 20_000 {
		t.Errorf("deadline in %d ms, want almost 20,000", first.LeftMs)
	}
	want, _ := filepath.EvalSymlinks(f.config.Dir)
	if got, _ := filepath.EvalSymlinks(first.Directory); got != want {
		t.Errorf("working directory %q, want %q", got, want)
	}
}

func TestSequentialEventsShareOneEnvironment(t *testing.T) {
	t.Parallel()
	s := startService(t, Options{})
	s.releaseGrace = time.Minute
	f := addFunction(t, s)
	first := invoke[int](t, f, `{"do":"pid"}`)
	for range 200 {
		if pid := invoke[int](t, f, `{"do":"pid"}`); pid != first {
			t.Fatalf("process %d after %d: a new one for an event that could wait a moment", pid, first)
		}
	}
}

func TestParallelEventsGetEnvironmentsOfTheirOwn(t *testing.T) {
	t.Parallel()
	const parallel = 4
	f := addFunction(t, startService(t, Options{}))
	var wait sync.WaitGroup
	for range parallel {
		wait.Go(func() { invoke[int](t, f, `{"do":"sleep","n":1500}`) })
	}
	inState(t, f, StateRunning, parallel)
	wait.Wait()
	inState(t, f, StateReady, parallel)

	used := map[int]bool{}
	for range 10 {
		used[invoke[int](t, f, `{"do":"pid"}`)] = true
		inState(t, f, StateReady, parallel)
	}
	if len(used) != 1 {
		t.Errorf("ten events in a row used %d environments, want the most recently used only", len(used))
	}
}

func TestEventsOverTheConcurrencyAreThrottled(t *testing.T) {
	t.Parallel()
	f := addFunction(t, startService(t, Options{}), func(c *Config) { c.MaxConcurrency = 2 })
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() { invoke[int](t, f, `{"do":"sleep","n":1000}`) })
	}
	inState(t, f, StateRunning, 2)
	if _, err := f.Invoke(t.Context(), []byte(`{"do":"pid"}`)); !errors.Is(err, ErrThrottled) {
		t.Errorf("third event: %v, want ErrThrottled", err)
	}
	wait.Wait()
	invoke[int](t, f, `{"do":"pid"}`)
}

func TestEventsAboveMaxEnvironmentsWait(t *testing.T) {
	t.Parallel()
	f := addFunction(t, startService(t, Options{MaxEnvironments: 2}))
	var wait sync.WaitGroup
	var mu sync.Mutex
	used := map[int]int{}
	for range 12 {
		wait.Go(func() {
			pid := invoke[int](t, f, `{"do":"sleep","n":20}`)
			mu.Lock()
			defer mu.Unlock()
			used[pid]++
		})
	}
	wait.Wait()
	if len(used) > 2 {
		t.Errorf("12 events used the processes %v, want at most 2", used)
	}
}

func TestLimitsOfEventsAndResponses(t *testing.T) {
	t.Parallel()
	var logs logBuffer
	f := addFunction(t, startService(t, Options{Logs: &logs}))
	if _, err := f.Invoke(t.Context(),
		bytes.Repeat([]byte("x"), maxEventBytes+1)); !errors.Is(err, ErrRequestTooLarge) {
		t.Errorf("event over 6 MiB: %v, want ErrRequestTooLarge", err)
	}
	if s := invoke[string](t, f, fmt.Sprintf(`{"do":"big","n":%d}`, maxResponseBytes)); len(s) != maxResponseBytes-2 {
		t.Errorf("largest response: %d bytes", len(s))
	}
	failed := invokeFailing(t, f, fmt.Sprintf(`{"do":"big","n":%d}`, maxResponseBytes+1))
	want := `{"errorType":"Function.ResponseSizeTooLarge",` +
		`"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`
	if string(failed.Payload) != want {
		t.Errorf("response over the limit: %s, want %s", failed.Payload, want)
	}
	clienttest.Eventually(t, "the function is told 413", func() bool { return strings.Contains(logs.String(), "413") })
}

func TestACallerThatHangsUpStopsNothing(t *testing.T) {
	t.Parallel()
	f := addFunction(t, startService(t, Options{}))
	pid := invoke[int](t, f, `{"do":"pid"}`)
	inState(t, f, StateReady, 1)

	timeout := errors.New("integration timeout")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, timeout)
	defer cancel()
	if _, err := f.Invoke(ctx, []byte(`{"do":"sleep","n":400}`)); !errors.Is(err, timeout) {
		t.Errorf("Invoke = %v, want %v", err, timeout)
	}
	if list := f.Environments(); len(list) != 1 || list[0].State != StateRunning {
		t.Errorf("environments %v, want one that runs on", list)
	}
	inState(t, f, StateReady, 1)
	if got := invoke[int](t, f, `{"do":"pid"}`); got != pid {
		t.Errorf("process %d, want still %d", got, pid)
	}
}

func TestWarmInitializesBeforeTheFirstEvent(t *testing.T) {
	t.Parallel()
	s := startService(t, Options{})
	f := addFunction(t, s)
	if err := s.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	inState(t, f, StateReady, 1)
	warm := f.Environments()[0].PID
	if pid := invoke[int](t, f, `{"do":"pid"}`); pid != warm {
		t.Errorf("process %d, want the warm one, %d", pid, warm)
	}
	addFunction(t, s, withInit("exit"), func(c *Config) { c.Name = "Broken" })
	if err := s.Warm(t.Context()); err == nil || !strings.Contains(err.Error(), "Broken") {
		t.Errorf("Warm = %v, want an error that names the function", err)
	}
}

func TestAddRefusesFunctionsThatCannotRun(t *testing.T) {
	t.Parallel()
	s := startService(t, Options{})
	valid := Config{Name: "Test", ARN: testARN, Bootstrap: "testdata/sleeper/bootstrap"}
	tests := map[string]struct {
		change func(*Config)
		want   string
	}{
		"no name":         {func(c *Config) { c.Name = "" }, "required"},
		"no ARN":          {func(c *Config) { c.ARN = "Test" }, "required"},
		"no bootstrap":    {func(c *Config) { c.Bootstrap = "testdata/nothing" }, "build the function"},
		"a folder":        {func(c *Config) { c.Bootstrap = "testdata/sleeper" }, "build the function"},
		"not executable":  {func(c *Config) { c.Bootstrap = "doc.go" }, "build the function"},
		"a reserved name": {func(c *Config) { c.Environment = map[string]string{"AWS_REGION": "x"} }, "reserved"},
		"a bad name":      {func(c *Config) { c.Environment = map[string]string{"A-B": "x"} }, "A-B"},
		"a bad value":     {func(c *Config) { c.Environment = map[string]string{"AB": "x\x00"} }, "AB"},
		"too many variables": {
			func(c *Config) { c.Environment = map[string]string{"AB": strings.Repeat("x", 4096)} }, "4096",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := valid
			test.change(&c)
			if _, err := s.Add(c); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Add = %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestFunctionSeesOnlyLambdasVariables(t *testing.T) {
	t.Parallel()
	f := addFunction(t, startService(t, Options{}), func(c *Config) {
		c.Environment = map[string]string{"TABLE_NAME": "chat", "TZ": "Europe/Berlin"}
		c.Credentials = Credentials{"AKIDEXAMPLE", "a secret", "a token"}
		c.MemoryMB = 256
	})
	got := map[string]string{}
	for _, variable := range invoke[[]string](t, f, `{"do":"environment"}`) {
		name, value, _ := strings.Cut(variable, "=")
		got[name] = value
	}
	want := map[string]string{
		"_HANDLER":                        "^bootstrap$",
		"_X_AMZN_TRACE_ID":                "^Root=1-",
		"AWS_REGION":                      "^eu-west-3$",
		"AWS_DEFAULT_REGION":              "^eu-west-3$",
		"AWS_LAMBDA_FUNCTION_NAME":        "^Test$",
		"AWS_LAMBDA_FUNCTION_VERSION":     `^\$LATEST$`,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "^256$",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "^/aws/lambda/Test$",
		"AWS_LAMBDA_LOG_STREAM_NAME":      `^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$`,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "^on-demand$",
		"AWS_LAMBDA_RUNTIME_API":          `^127\.0\.0\.1:\d+$`,
		"AWS_ACCESS_KEY_ID":               "^AKIDEXAMPLE$",
		"AWS_SECRET_ACCESS_KEY":           "^a secret$",
		"AWS_SESSION_TOKEN":               "^a token$",
		"AWS_CONFIG_FILE":                 "^/dev/null$",
		"AWS_SHARED_CREDENTIALS_FILE":     "^/dev/null$",
		"LAMBDA_TASK_ROOT":                "^" + regexp.QuoteMeta(f.config.Dir) + "$",
		"LAMBDA_RUNTIME_DIR":              "^/var/runtime$",
		"LANG":                            `^en_US\.UTF-8$`,
		"PATH":                            ".",
		"TABLE_NAME":                      "^chat$",
		"TZ":                              "^Europe/Berlin$",
	}
	for name, pattern := range want {
		if value, ok := got[name]; !ok || !regexp.MustCompile(pattern).MatchString(value) {
			t.Errorf("%s = %q, want %s", name, value, pattern)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("also sees %v", got)
	}
}

// developersVariables are set in the tests' own environment, and must not reach a function.
func developersVariables() map[string]string {
	return map[string]string{
		"TEST_HOME":           homeDirectory(),
		"HOME":                "/home/developer",
		"AWS_PROFILE":         "production",
		"AWS_ACCESS_KEY_ID":   "AKIADEVELOPER",
		"AWS_SESSION_TOKEN":   "of the developer",
		"AWS_EXECUTION_ENV":   "laptop",
		"_LAMBDA_SERVER_PORT": "1",
	}
}

func TestServicesOfOneProcessAreSeparate(t *testing.T) {
	t.Parallel()
	var pids []int
	for range 3 {
		s := startService(t, Options{})
		f := addFunction(t, s)
		pids = append(pids, invoke[int](t, f, `{"do":"pid"}`))
		s.Close()
	}
	slices.Sort(pids)
	if len(slices.Compact(pids)) != 3 {
		t.Errorf("processes %v, want three", pids)
	}
}
