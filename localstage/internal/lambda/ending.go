package lambda

import "time"

// sigtermGrace is the time that a process has to end if it asked for SIGTERM.
// Source: AWS Lambda developer guide, "Understanding the Lambda execution
// environment lifecycle", shutdown phase, internal extensions.
const sigtermGrace = 500 * time.Millisecond

// expired ends an environment whose invocation has used up the function's timeout. The caller gets its answer when the
// processes are gone.
// Source: AWS Lambda developer guide, "Understanding the Lambda execution
// environment lifecycle", failures during the invoke phase.
func (e *environment) expired(inv *invocation) {
	e.function.mu.Lock()
	defer e.function.mu.Unlock()
	if e.current == inv {
		inv.expired = true
		e.kill()
	}
}

// initExpired ends an environment whose init phase takes too long.
func (e *environment) initExpired() {
	e.function.mu.Lock()
	defer e.function.mu.Unlock()
	if e.initialized {
		return
	}
	if e.initFailure == nil { // or it has reported one, and not exited
		cause := timeoutFailure(e.function.service.initLimit)
		e.initFailure = &cause
	}
	e.kill()
}

// idleExpired ends an environment that has been idle for long.
func (e *environment) idleExpired() {
	e.function.mu.Lock()
	defer e.function.mu.Unlock()
	if e.state == StateReady {
		e.shutDown()
	}
}

// killDuring kills the environment if it still has inv, and reports whether it had. It is an injected fault.
func (e *environment) killDuring(inv *invocation) bool {
	e.function.mu.Lock()
	defer e.function.mu.Unlock()
	if e.current != inv {
		return false
	}
	e.kill()
	return true
}

// shutDown ends the environment as Lambda does: at once, or by SIGTERM first if its process asked for it. The caller
// holds function.mu.
func (e *environment) shutDown() {
	if !e.sigterm {
		e.kill()
		return
	}
	e.retire()
	terminateGroup(e.pid)
	time.AfterFunc(sigtermGrace, e.killUnlocked)
}

// killUnlocked is kill for callers that do not hold function.mu.
func (e *environment) killUnlocked() {
	e.function.mu.Lock()
	defer e.function.mu.Unlock()
	e.kill()
}

// kill kills the environment's processes as soon as there are any. run does the rest. The caller holds function.mu.
func (e *environment) kill() {
	e.retire()
	e.killed = true
	killGroup(e.pid)
}

// retire keeps further events from the environment, and makes it ignore further calls of its process. The caller holds
// function.mu.
func (e *environment) retire() {
	if e.state != StateExited {
		e.state = StateShutdown
	}
	e.function.removeIdle(e)
}
