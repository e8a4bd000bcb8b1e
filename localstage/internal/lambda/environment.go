package lambda

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// State is the state of an execution environment.
// Source: aws-lambda-runtime-interface-emulator, states of the runtime.
type State string

// These are the states of an execution environment, in their usual order.
const (
	StateStarted      State = "Started"      // init phase: the process has not asked for an event
	StateInitError    State = "InitError"    // the process has reported that its init phase failed
	StateReady        State = "Ready"        // frozen, waiting for an event
	StateRunning      State = "Running"      // with an event
	StateResponseSent State = "ResponseSent" // the process has answered and not asked for more
	StateShutdown     State = "Shutdown"     // told to end
	StateExited       State = "Exited"       // the process is gone
)

// environment is one process and its Runtime API.
type environment struct {
	function *Function
	work     chan *invocation // of capacity 1: the event for the process's next request
	ready    chan struct{}    // closed at the end of the init phase
	done     chan struct{}    // closed when the process is gone
	spawned  chan struct{}    // closed when the process has a pid

	// run sets these before the process starts.
	address string
	server  *http.Server
	command *exec.Cmd
	output  *os.File // read end of the process's stdout and stderr

	// function.mu guards these.
	state        State
	pid          int // 0: no process yet, or no longer one
	killed       bool
	initialized  bool
	sigterm      bool // an internal extension has asked for SIGTERM
	current      *invocation
	initFailure  *failure // reported by the runtime
	started      time.Time
	initDuration time.Duration // 0 once it is in the log
	initTimer    *time.Timer
	idleTimer    *time.Timer
}

func newEnvironment(f *Function) *environment {
	e := &environment{
		function: f,
		work:     make(chan *invocation, 1),
		ready:    make(chan struct{}),
		done:     make(chan struct{}),
		spawned:  make(chan struct{}),
		state:    StateStarted,
		started:  time.Now(),
	}
	e.idleTimer = time.AfterFunc(f.service.options.IdleLifetime, e.idleExpired)
	e.idleTimer.Stop()
	return e
}

// own makes inv the environment's invocation and starts its time. The caller holds function.mu.
func (e *environment) own(inv *invocation) {
	timeout := e.function.config.Timeout
	inv.started = time.Now()
	inv.deadline = inv.started.Add(timeout)
	inv.timer = time.AfterFunc(timeout, func() { e.expired(inv) })
	e.current = inv
	e.function.service.calls.arm(e, inv)
}

// assign is own for an environment that is ready. The caller holds function.mu and offers the invocation afterwards.
func (e *environment) assign(inv *invocation) {
	e.own(inv)
	e.state = StateRunning
	if inv.fault.Kill {
		time.AfterFunc(inv.fault.KillAfter, func() { e.killDuring(inv) })
	}
}

// offer answers the process's request for an event with inv. It never blocks: if the channel is full, it holds the same
// invocation.
func (e *environment) offer(inv *invocation) {
	select {
	case e.work <- inv:
	default:
	}
}

// release handles the process's request for an event: it ends the init phase or the invocation. It offers the next
// event if one waits, and otherwise freezes the environment. It returns false when the runtime may not ask now.
func (e *environment) release() bool {
	f := e.function
	f.mu.Lock()
	var ended *invocation
	switch e.state {
	case StateStarted:
		e.initEnded()
	case StateResponseSent:
		ended = e.invocationEnded()
	case StateRunning: // the process lost the answer to its last request and gets the same event again
		e.offer(e.current)
		fallthrough
	case StateReady:
		f.mu.Unlock()
		return true
	default:
		f.mu.Unlock()
		return false
	}
	inv := e.next()
	report := e.takeReport(ended)
	f.mu.Unlock()

	f.logLines(report...)
	if inv != nil {
		f.reportStart(inv)
		e.offer(inv)
	}
	return true
}

// next gives a free environment its next event, or makes it idle and returns nil. The caller holds function.mu.
func (e *environment) next() *invocation {
	if e.current != nil { // a repeated init phase
		e.state = StateRunning
		return e.current
	}
	if inv := e.function.takePending(); inv != nil {
		e.assign(inv)
		return inv
	}
	// It is frozen before another goroutine can find it among the idle ones and thaw it.
	e.state = StateReady
	if !e.function.service.options.NoFreeze {
		freezeGroup(e.pid)
	}
	e.function.idle = append(e.function.idle, e)
	e.idleTimer.Reset(e.function.idleLifetime())
	return nil
}

// initEnded records that the process is initialized. The caller holds function.mu.
func (e *environment) initEnded() {
	if e.initTimer != nil {
		e.initTimer.Stop()
	}
	e.initDuration = time.Since(e.started)
	e.initialized = true
	close(e.ready)
}

// invocationEnded removes the current invocation from the environment and returns it. The caller holds function.mu.
func (e *environment) invocationEnded() *invocation {
	inv := e.current
	e.current = nil
	if inv != nil {
		inv.timer.Stop()
	}
	e.function.service.calls.disarm(inv)
	select {
	case <-e.work: // a repeated offer that the process did not fetch
	default:
	}
	return inv
}

// awaitInit waits for the end of the init phase.
func (e *environment) awaitInit(ctx context.Context) error {
	select {
	case <-e.ready:
		return nil
	case <-e.done:
		return errors.New("its process ended in the init phase: see its log")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
