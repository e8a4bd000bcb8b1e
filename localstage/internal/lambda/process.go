package lambda

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"time"
)

// drainLimit bounds the reading of a dead process's output. The output ends with the last process that holds it, and a
// process that left the group may live on.
const drainLimit = 100 * time.Millisecond

// run is the life of an environment, from the start of its process to its end.
func (e *environment) run() {
	copied := make(chan struct{})
	err := e.start(copied)
	if err == nil {
		err = e.command.Wait()
		e.processEnded()
		_ = e.output.SetReadDeadline(time.Now().Add(drainLimit))
		<-copied
		_ = e.output.Close()
	}
	if e.server != nil {
		_ = e.server.Close()
	}
	e.exited(err)
}

// start listens for the environment's process and starts it. The channel is
// closed when all of its output is copied.
func (e *environment) start(copied chan<- struct{}) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start runtime API: %w", err)
	}
	e.address = listener.Addr().String()
	e.server = e.newServer()
	e.function.service.processes.Go(func() { _ = e.server.Serve(listener) }) // ends with server.Close

	read, write, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start log: %w", err)
	}
	e.output = read
	e.command = e.newCommand(write)
	err = e.function.service.spawner.start(e.command)
	_ = write.Close() // the process has its own copy
	if err != nil {
		_ = read.Close()
		return err
	}
	go e.copyOutput(copied)
	e.processStarted()
	return nil
}

func (e *environment) newServer() *http.Server {
	//nolint:gosec // the only client is the function that the stage has started
	return &http.Server{Handler: e.newRuntimeAPI(), ErrorLog: discardLogger()}
}

// newCommand returns the command for the bootstrap, in a process group of its own, so that all its processes can be
// stopped and killed together.
func (e *environment) newCommand(output *os.File) *exec.Cmd {
	c := e.function.config
	return &exec.Cmd{
		Path: c.Bootstrap,
		Args: append([]string{c.Bootstrap}, c.Arguments...),
		Dir:  c.Dir,
		Env: append(slices.Clip(e.function.variables),
			"AWS_LAMBDA_RUNTIME_API="+e.address,
			"AWS_LAMBDA_LOG_STREAM_NAME="+newLogStreamName(e.started)),
		Stdout:      output,
		Stderr:      output,
		SysProcAttr: processAttributes(),
	}
}

// copyOutput passes the process's output on until its end.
func (e *environment) copyOutput(copied chan<- struct{}) {
	defer close(copied)
	lines := &lineWriter{sink: e.function.service.logs, function: e.function.config.Label}
	buffer := make([]byte, 4096)
	for {
		n, err := e.output.Read(buffer)
		_, _ = lines.Write(buffer[:n]) // never fails
		if err != nil {
			lines.flush()
			return
		}
	}
}

// processStarted records the process, and kills it if a kill was requested meanwhile.
func (e *environment) processStarted() {
	f := e.function
	f.mu.Lock()
	e.pid = e.command.Process.Pid
	if e.killed {
		killGroup(e.pid)
	}
	f.mu.Unlock()
	close(e.spawned)
	f.service.options.Log.Debug("environment started", "function", f.config.Name, "pid", e.command.Process.Pid,
		"runtimeAPI", e.address)
}

// processEnded forgets the process's number, which will be free for others, and ends the processes that are left.
func (e *environment) processEnded() {
	e.function.mu.Lock()
	pid := e.pid
	e.pid = 0
	e.function.mu.Unlock()
	e.function.service.spawner.end(pid)
}

// exited fails the unfinished work of the process: its invocation, or its init phase. The log says why before the
// caller gets an answer.
func (e *environment) exited(err error) {
	f := e.function
	cause := exitFailure(err)

	f.mu.Lock()
	inv := e.ended()
	switch {
	case inv != nil && inv.expired:
		cause = timeoutFailure(f.config.Timeout)
	case e.initFailure != nil:
		cause = *e.initFailure
	}
	lines := e.failedLines(inv, cause)
	f.mu.Unlock()

	f.logLines(lines...)
	f.service.options.Log.Debug("environment ended", "function", f.config.Name, "cause", cause.errorType)

	f.mu.Lock()
	switch {
	case inv != nil:
		f.fail(inv, cause)
	case !e.initialized:
		f.repeatInit()
	}
	f.scale(true)
	f.mu.Unlock()
	close(e.done)
}

// ended removes the environment, whose process is gone, from the function, and returns its invocation, or nil. The
// caller holds function.mu.
func (e *environment) ended() *invocation {
	e.state = StateExited
	delete(e.function.environments, e)
	e.function.removeIdle(e)
	e.idleTimer.Stop()
	if e.initTimer != nil {
		e.initTimer.Stop()
	}
	return e.invocationEnded()
}

// fail answers an invocation whose process is gone. The caller holds f.mu.
func (f *Function) fail(inv *invocation, cause failure) {
	var err error = cause.forRequest(f.config.Name, inv.requestID)
	if f.closed {
		err = ErrClosed
	}
	f.answer(inv, outcome{err: err})
}

// repeatInit gives the oldest waiting event an environment whose init phase is its own. The caller holds f.mu.
// Source: AWS Lambda developer guide, "Understanding the Lambda execution
// environment lifecycle": Lambda retries the init phase at the time of the first
// invocation, with the function's timeout.
func (f *Function) repeatInit() {
	if f.closed {
		return
	}
	if inv := f.takePending(); inv != nil {
		f.start(inv)
	}
}
