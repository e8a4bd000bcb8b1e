package lambda

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// initLimit is the time between an environment's start and its first request for an event.
// Source: AWS Lambda developer guide, "Understanding the Lambda execution
// environment lifecycle", init phase.
const initLimit = 10 * time.Second

// releaseGrace is how long an event waits for an environment that has sent its response and not yet asked for more.
// After that another process starts. It is as long as a start takes. A Go function asks within 0.1 ms.
const releaseGrace = 10 * time.Millisecond

// Of the idle environments of a function, keptIdle stay for IdleLifetime. Further ones, left from a burst, end after
// spareLifetime: each takes about 15 MB. Lambda documents neither time.
const (
	keptIdle      = 8
	spareLifetime = 30 * time.Second
)

// Options configures a Service. The zero value injects no faults and logs nothing.
type Options struct {
	// Logs receives the lines that functions write to stdout and stderr, each as "<label> | <line>", and Lambda's own
	// lines about failures. Nil discards them.
	Logs io.Writer
	// Log receives the service's own events (starts and ends of processes, at
	// debug level). Nil discards them.
	Log *slog.Logger
	// Reports adds Lambda's START, END and REPORT lines to Logs.
	Reports bool
	// NoFreeze lets idle environments run. By default they are stopped between invocations, as on Lambda: background
	// work halts, and connections go stale.
	NoFreeze bool
	// MaxEnvironments bounds the processes of one function, to spare the machine. More events wait, which they never do
	// on Lambda. Default 50.
	MaxEnvironments int
	// IdleLifetime is the time after which an idle environment ends. Some of many end sooner. Default 10 minutes;
	// Lambda does not document its own.
	IdleLifetime time.Duration
	// Fault returns the fault of the next invocation. It may be called concurrently. Nil means no faults.
	Fault func(function string) Fault
}

// Fault is a fault of one invocation. The zero value is none.
type Fault struct {
	// Delay is the time between the event and its environment.
	Delay time.Duration
	// Kill kills the environment KillAfter it got the event.
	Kill      bool
	KillAfter time.Duration
	// AtCall happens at one of the invocation's calls to AWS.
	AtCall CallFault
}

// Service hosts functions. A process may have several.
type Service struct {
	options   Options
	logs      *logSink
	spawner   *spawner
	calls     *callWatch
	processes sync.WaitGroup // goroutines, each of which owns one environment

	initLimit     time.Duration // fields for tests
	releaseGrace  time.Duration
	keptIdle      int
	spareLifetime time.Duration

	mu        sync.Mutex
	functions []*Function
	closed    bool
}

// New returns a service without functions. Close it after use.
func New(o Options) *Service {
	if o.Logs == nil {
		o.Logs = io.Discard
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxEnvironments <= 0 {
		o.MaxEnvironments = 50
	}
	if o.IdleLifetime <= 0 {
		o.IdleLifetime = 10 * time.Minute
	}
	return &Service{
		options:       o,
		logs:          &logSink{out: o.Logs},
		spawner:       newSpawner(o.Log),
		calls:         &callWatch{plans: make(map[*invocation]*callPlan)},
		initLimit:     initLimit,
		releaseGrace:  releaseGrace,
		keptIdle:      keptIdle,
		spareLifetime: spareLifetime,
	}
}

// Add adds a function. It refuses a configuration that Lambda refuses, and a missing bootstrap. No process starts
// before the first event.
func (s *Service) Add(c Config) (*Function, error) {
	f, err := newFunction(s, c)
	if err != nil {
		return nil, fmt.Errorf("function %s: %w", c.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("function %s: %w", c.Name, ErrClosed)
	}
	s.functions = append(s.functions, f)
	return f, nil
}

// Warm starts one environment of every function that has none and waits until they are initialized, so that the first
// events meet no cold start. Lambda does this only for provisioned concurrency.
func (s *Service) Warm(ctx context.Context) error {
	s.mu.Lock()
	functions := slices.Clone(s.functions)
	s.mu.Unlock()
	started := make([]*environment, 0, len(functions))
	for _, f := range functions {
		if e := f.warm(); e != nil {
			started = append(started, e)
		}
	}
	var errs []error
	for _, e := range started {
		if err := e.awaitInit(ctx); err != nil {
			errs = append(errs, fmt.Errorf("warm function %s: %w", e.function.config.Name, err))
		}
	}
	return errors.Join(errs...)
}

// Close ends every environment and waits until its process is gone. Invocations under way return ErrClosed. A second
// Close does nothing.
func (s *Service) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	functions := s.functions
	s.mu.Unlock()

	for _, f := range functions {
		f.close()
	}
	s.processes.Wait()
	s.spawner.close()
}
