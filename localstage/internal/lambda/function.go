package lambda

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	// maxEventBytes and maxResponseBytes are the limits of a synchronous
	// invocation.
	// Source: AWS Lambda developer guide, "Lambda quotas"; the 100 bytes are
	// granted by aws-lambda-runtime-interface-emulator, as by Lambda.
	maxEventBytes    = 6 * 1024 * 1024
	maxResponseBytes = 6*1024*1024 + 100
)

// Credentials are the keys of a function's role, in the names of the SDKs.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
}

// Config describes a function.
type Config struct {
	// Name is the function's name. Required.
	Name string
	// Label stands at the head of the function's log lines. Default Name.
	Label string
	// ARN is the function's own, unqualified. Its region becomes AWS_REGION. Required.
	ARN string
	// Bootstrap is the path of the executable, built for this machine. Required.
	Bootstrap string
	// Arguments of the executable. Lambda passes none. A program of the service that stands before the function may
	// need some.
	Arguments []string
	// Runtime is a managed runtime, such as nodejs24.x, that becomes
	// AWS_EXECUTION_ENV. OS-only runtimes have none.
	Runtime string
	// Handler becomes _HANDLER. Default "bootstrap".
	Handler string
	// Dir is the artifact's folder: the working directory and LAMBDA_TASK_ROOT, in place of Lambda's /var/task.
	// Default: the folder of Bootstrap.
	Dir string
	// Environment holds the function's own variables.
	Environment map[string]string
	// Credentials of the function's role.
	Credentials Credentials
	// Timeout limits an invocation. Default 3 s.
	Timeout time.Duration
	// MemoryMB is shown to the function and not enforced. Default 128.
	MemoryMB int
	// MaxConcurrency is the number of events that the function handles at a time. More are throttled. Zero or less
	// means Lambda's limit for an account, 1,000.
	MaxConcurrency int
}

// Function is a function of a Service.
type Function struct {
	service   *Service
	config    Config
	variables []string
	capacity  int // largest number of environments

	mu           sync.Mutex
	environments map[*environment]struct{}
	idle         []*environment // the most recently used is last
	pending      []*invocation  // admitted, waiting for an environment
	unanswered   int            // all admitted events without an answer
	closed       bool
}

func newFunction(s *Service, c Config) (*Function, error) {
	arn := strings.Split(c.ARN, ":")
	if c.Name == "" || len(arn) != 7 {
		return nil, fmt.Errorf("name %q and ARN %q: both are required, the ARN as "+
			"arn:aws:lambda:<region>:<account>:function:<name>", c.Name, c.ARN)
	}
	if err := checkVariables(c.Environment); err != nil {
		return nil, err
	}
	bootstrap, err := findBootstrap(c.Bootstrap)
	if err != nil {
		return nil, err
	}
	c.Bootstrap = bootstrap
	c.Handler = cmp.Or(c.Handler, "bootstrap")
	c.Label = cmp.Or(c.Label, c.Name)
	c.Dir = cmp.Or(c.Dir, filepath.Dir(bootstrap))
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return nil, fmt.Errorf("folder of the artifact: %w", err)
	}
	// Defaults and limits of the API's CreateFunction.
	c.Timeout = cmp.Or(c.Timeout, 3*time.Second)
	c.MemoryMB = cmp.Or(c.MemoryMB, 128)
	if c.MaxConcurrency <= 0 {
		c.MaxConcurrency = 1000
	}
	return &Function{
		service:      s,
		config:       c,
		variables:    variables(c, arn[3]),
		capacity:     min(c.MaxConcurrency, s.options.MaxEnvironments),
		environments: make(map[*environment]struct{}),
	}, nil
}

// findBootstrap returns the executable's absolute path.
func findBootstrap(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find bootstrap: %w", err)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("bootstrap %s does not exist: build the function", path)
	case err != nil:
		return "", fmt.Errorf("find bootstrap: %w", err)
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0:
		return "", fmt.Errorf("bootstrap %s is not an executable file: build the function again", path)
	}
	return path, nil
}

// Invoke passes an event to the function and returns its response, as Lambda's synchronous Invoke does. It returns a
// *FunctionError when the function failed, and ErrThrottled, ErrRequestTooLarge or ErrClosed when it was not invoked.
//
// When ctx ends first, Invoke returns its cause and the function runs on to its own timeout: on Lambda, too, a caller
// that hangs up stops nothing. For the same reason the event must not change after the call.
func (f *Function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	if len(event) > maxEventBytes {
		return nil, ErrRequestTooLarge
	}
	var fault Fault
	if f.service.options.Fault != nil {
		fault = f.service.options.Fault(f.config.Name)
	}
	inv := newInvocation(event, fault)
	if err := f.admit(inv); err != nil {
		return nil, err
	}
	if fault.Delay > 0 {
		time.AfterFunc(fault.Delay, func() { f.submit(inv) })
	} else {
		f.submit(inv)
	}
	select {
	case o := <-inv.outcome:
		return o.payload, o.err
	case <-ctx.Done():
		return nil, fmt.Errorf("invoke %s: %w", f.config.Name, context.Cause(ctx))
	}
}

// Environments returns the function's environments in no particular order.
func (f *Function) Environments() []Environment {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]Environment, 0, len(f.environments))
	for e := range f.environments {
		list = append(list, Environment{PID: e.pid, State: e.state, environment: e})
	}
	return list
}

// Environment is a snapshot of an execution environment.
type Environment struct {
	// PID is the process of the bootstrap, which leads a process group of the same number. Zero means that it has not
	// started or is gone.
	PID int
	// State is the environment's state at the snapshot.
	State State

	environment *environment
}

// Kill kills the environment's processes and returns when they are gone. An invocation under way fails with
// Runtime.ExitError.
func (e Environment) Kill() {
	e.environment.killUnlocked()
	<-e.environment.done
}
