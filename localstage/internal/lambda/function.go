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

// Credentials are the keys of a function's role, as the SDKs look for them.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
}

// Config describes a function.
type Config struct {
	// Name is the function's name. Required.
	Name string
	// Label heads the function's log lines. Default Name.
	Label string
	// ARN is the function's own, unqualified; its region becomes AWS_REGION. Required.
	ARN string
	// Bootstrap is the path of the executable, built for this machine. Required.
	Bootstrap string
	// Arguments of the executable. Lambda passes none; a program of the service's own
	// that stands before the function may need some.
	Arguments []string
	// Runtime is a managed runtime, such as nodejs24.x, that becomes
	// AWS_EXECUTION_ENV. OS-only runtimes have none.
	Runtime string
	// Handler becomes _HANDLER. Default "bootstrap".
	Handler string
	// Dir is the artifact's folder: the working directory and LAMBDA_TASK_ROOT, in
	// place of Lambda's /var/task. Default: where Bootstrap lies.
	Dir string
	// Environment holds the function's own variables.
	Environment map[string]string
	// Credentials of the function's role.
	Credentials Credentials
	// Timeout limits an invocation. Default 3 s.
	Timeout time.Duration
	// MemoryMB is told to the function and not enforced. Default 128.
	MemoryMB int
	// MaxConcurrency is how many events are handled at a time; more are throttled.
	// Zero or less means Lambda's limit for an account, 1,000.
	MaxConcurrency int
}

// Function is a function of a Service.
type Function struct {
	service   *Service
	config    Config
	variables []string
	capacity  int // how many environments may exist

	mu           sync.Mutex
	environments map[*environment]struct{}
	idle         []*environment // the most recently used last
	pending      []*invocation  // admitted, and waiting for an environment
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

// Invoke hands an event to the function and returns its response, as Lambda's
// synchronous Invoke does. It returns a *FunctionError when the function failed,
// and ErrThrottled, ErrRequestTooLarge or ErrClosed when it was not invoked.
//
// When ctx ends first, Invoke returns its cause and the function runs on to its
// own timeout: on Lambda, too, a caller that hangs up stops nothing. For the same
// reason the event must not be changed after the call.
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
	// PID is the process of the bootstrap, which leads a process group of the same
	// number. Zero: not started yet, or gone.
	PID int
	// State is what the environment was doing.
	State State

	environment *environment
}

// Kill kills the environment's processes and returns when they are gone. An
// invocation that is under way fails with Runtime.ExitError.
func (e Environment) Kill() {
	e.environment.killUnlocked()
	<-e.environment.done
}
