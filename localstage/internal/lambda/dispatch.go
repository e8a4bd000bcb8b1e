package lambda

import (
	"slices"
	"time"
)

// admit counts an event against the function's concurrency.
// Source: AWS Lambda developer guide, "Understanding Lambda function scaling".
func (f *Function) admit(inv *invocation) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return ErrClosed
	}
	if f.unanswered >= f.config.MaxConcurrency {
		return ErrThrottled
	}
	f.unanswered++
	return nil
}

// submit gives an admitted event to the most recently used idle environment, or
// queues it for the first one that becomes free.
func (f *Function) submit(inv *invocation) {
	f.mu.Lock()
	if f.closed {
		f.answer(inv, outcome{err: ErrClosed})
		f.mu.Unlock()
		return
	}
	e := f.takeIdle()
	if e == nil {
		f.pending = append(f.pending, inv)
		f.scale(true)
		f.mu.Unlock()
		return
	}
	e.assign(inv)
	pid := e.pid
	f.mu.Unlock()

	f.reportStart(inv)
	if !f.service.options.NoFreeze {
		thawGroup(pid)
	}
	e.offer(inv)
}

// answer ends the wait of inv's caller, once. The caller of answer holds f.mu.
func (f *Function) answer(inv *invocation, o outcome) {
	if inv.answered {
		return
	}
	inv.answered = true
	f.unanswered--
	inv.outcome <- o
}

// takeIdle removes the most recently used idle environment, or returns nil. The
// caller holds f.mu.
func (f *Function) takeIdle() *environment {
	if len(f.idle) == 0 {
		return nil
	}
	e := f.idle[len(f.idle)-1]
	f.idle = f.idle[:len(f.idle)-1]
	e.idleTimer.Stop()
	return e
}

// idleLifetime returns the lifetime of the environment that has just become idle. The caller holds f.mu.
func (f *Function) idleLifetime() time.Duration {
	s := f.service
	if len(f.idle) > s.keptIdle {
		return min(s.spareLifetime, s.options.IdleLifetime)
	}
	return s.options.IdleLifetime
}

// takePending removes the oldest waiting event, or returns nil. The caller holds f.mu.
func (f *Function) takePending() *invocation {
	if len(f.pending) == 0 {
		return nil
	}
	inv := f.pending[0]
	f.pending[0] = nil
	f.pending = f.pending[1:]
	return inv
}

// scale starts environments for waiting events that no existing environment will take soon. An environment that has
// sent its response counts as one that will, but only for releaseGrace: the runtime may do other work before it asks
// again. The caller holds f.mu.
func (f *Function) scale(countReleasing bool) {
	if f.closed {
		return
	}
	starting, releasing := 0, 0
	for e := range f.environments {
		switch {
		case !e.initialized && e.current == nil:
			starting++ // or it fails, and then starts one for the event
		case e.state == StateResponseSent:
			releasing++
		}
	}
	missing := len(f.pending) - starting
	if countReleasing && missing > 0 && releasing > 0 {
		missing -= releasing
		time.AfterFunc(f.service.releaseGrace, f.scaleAnyway)
	}
	for ; missing > 0 && len(f.environments) < f.capacity; missing-- {
		f.start(nil)
	}
}

func (f *Function) scaleAnyway() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.scale(false)
}

// start starts an environment. With an invocation, its init phase belongs to that invocation: Lambda repeats a failed
// init phase within the function's timeout. The caller holds f.mu and has checked f.closed.
func (f *Function) start(inv *invocation) *environment {
	e := newEnvironment(f)
	f.environments[e] = struct{}{}
	if inv != nil {
		e.own(inv)
	} else {
		e.initTimer = time.AfterFunc(f.service.initLimit, e.initExpired)
	}
	f.service.processes.Go(e.run)
	return e
}

// warm starts an environment if the function has none, and returns it.
func (f *Function) warm() *environment {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || len(f.environments) > 0 {
		return nil
	}
	return f.start(nil)
}

// removeIdle removes an environment from the idle ones, if it is one of them. The caller holds f.mu.
func (f *Function) removeIdle(e *environment) {
	if i := slices.Index(f.idle, e); i >= 0 {
		f.idle = slices.Delete(f.idle, i, i+1)
	}
}

// close ends all environments, without waiting, and all waiting events.
func (f *Function) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for _, inv := range f.pending {
		f.answer(inv, outcome{err: ErrClosed})
	}
	f.pending = nil
	for e := range f.environments {
		e.shutDown()
	}
}
