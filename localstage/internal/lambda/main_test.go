package lambda

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"signedsocket/internal/stageclient/clienttest"

	"go.uber.org/goleak"
)

const testARN = "arn:aws:lambda:eu-west-3:111122223333:function:Test"

// stageVariable makes the test binary a stage, for another test binary to kill.
const stageVariable = "LAMBDA_TEST_STAGE"

func TestMain(m *testing.M) {
	if kind := os.Getenv(stageVariable); kind != "" {
		runStage(kind)
		return
	}
	for name, value := range developersVariables() {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if folder, err := buildFunction(); err == nil {
			_ = os.RemoveAll(folder)
		}
		os.Exit(code)
	}))
}

// buildFunction builds testdata/function once and returns the folder of the program.
var buildFunction = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "lambda-test-*")
	if err != nil {
		return "", err
	}
	command := exec.Command("go", "build", "-o", filepath.Join(folder, "bootstrap"), "./testdata/function")
	// The go command needs a home. The tests have removed it from the environment.
	command.Env = append(os.Environ(), "HOME="+os.Getenv("TEST_HOME"))
	if output, err := command.CombinedOutput(); err != nil {
		return folder, fmt.Errorf("%w: %s", err, output)
	}
	return folder, nil
})

func builtFunction(t testing.TB) string {
	t.Helper()
	folder, err := buildFunction()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, "bootstrap")
}

// startService returns a service that ends with the test.
func startService(t testing.TB, o Options) *Service {
	t.Helper()
	s := New(o)
	t.Cleanup(s.Close)
	return s
}

// addFunction adds the built function with the given changes.
func addFunction(t testing.TB, s *Service, changes ...func(*Config)) *Function {
	t.Helper()
	c := Config{Name: "Test", ARN: testARN, Timeout: 30 * time.Second}
	for _, change := range changes {
		change(&c)
	}
	if c.Bootstrap == "" {
		c.Bootstrap = builtFunction(t)
	}
	f, err := s.Add(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func withInit(kind string) func(*Config) {
	return func(c *Config) { c.Environment = map[string]string{"INIT": kind} }
}

func withTimeout(d time.Duration) func(*Config) {
	return func(c *Config) { c.Timeout = d }
}

func withBootstrap(path string) func(*Config) {
	return func(c *Config) { c.Bootstrap = path }
}

// invoke invokes the function and decodes its response.
func invoke[T any](t testing.TB, f *Function, event string) T {
	t.Helper()
	response, err := f.Invoke(t.Context(), []byte(event))
	if err != nil {
		t.Fatalf("Invoke(%s): %v", event, err)
	}
	var v T
	if err := json.Unmarshal(response, &v); err != nil {
		t.Fatalf("Invoke(%s) = %s: %v", event, response, err)
	}
	return v
}

// invokeFailing invokes the function and returns its error.
func invokeFailing(t testing.TB, f *Function, event string) *FunctionError {
	t.Helper()
	response, err := f.Invoke(t.Context(), []byte(event))
	failed, ok := errors.AsType[*FunctionError](err)
	if !ok {
		t.Fatalf("Invoke(%s) = %s, %v; want a FunctionError", event, response, err)
	}
	return failed
}

// homeDirectory is the home directory, in which the go command keeps its caches.
func homeDirectory() string {
	home, _ := os.UserHomeDir()
	return home
}

// inState waits until exactly the given number of environments are in a state.
func inState(t testing.TB, f *Function, want State, number int) {
	t.Helper()
	clienttest.Eventually(t, fmt.Sprintf("%d environments in state %s", number, want), func() bool {
		count := 0
		for _, e := range f.Environments() {
			if e.State == want {
				count++
			}
		}
		return count == number
	})
}

// processState returns the letter of ps for a process, or "" when there is none. A zombie counts as none: a container
// may have no process that reaps it.
func processState(pid int) string {
	output, err := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		if syscall.Kill(pid, 0) == nil {
			return "?"
		}
		return ""
	}
	state := strings.TrimSpace(string(output))
	if strings.HasPrefix(state, "Z") {
		return ""
	}
	return state
}

// logBuffer collects logs.
type logBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
