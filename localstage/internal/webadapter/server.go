package webadapter

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// endingTime bounds the end of a server that broke a connection.
const endingTime = 200 * time.Millisecond

// readinessInterval is the pause between two checks of the server's readiness.
// Source: AWS Lambda Web Adapter, documentation of features, "Readiness check".
const readinessInterval = 10 * time.Millisecond

// server is the web server behind an adapter.
type server struct {
	address string // host:port
	client  http.RoundTripper
	ended   chan struct{} // closed when the process has ended
	code    int           // exit code after the end
}

// startServer runs the handler, whose server must listen on a port of its own. The process stays in the adapter's
// process group, so that both are frozen and killed together.
func startServer(handler string, environ []string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, fmt.Errorf("find a port for the server: %w", err)
	}
	command := exec.Command(handler)
	command.Env = serverEnvironment(environ, port)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	s := &server{address: net.JoinHostPort("127.0.0.1", port), client: newClient(), ended: make(chan struct{})}
	go func() {
		s.code = exitCode(command.Wait())
		close(s.ended)
	}()
	return s, nil
}

// These are the ports for servers. Systems give higher ports to programs that ask for any port. So no such program
// takes a port of this range between the check and the server's own listen.
const (
	firstPort = 20000
	lastPort  = 32767
)

// freePort returns a random port that was free a moment ago. If another process takes it first, the server cannot
// listen and ends, and the stage starts another one.
func freePort() (string, error) {
	var problem error
	for range 100 {
		port := strconv.Itoa(firstPort + rand.IntN(lastPort-firstPort+1)) //nolint:gosec // a port is no secret
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
		if err == nil {
			return port, listener.Close()
		}
		problem = err
	}
	return "", problem
}

// serverEnvironment returns the function's environment with another port.
func serverEnvironment(environ []string, port string) []string {
	kept := slices.DeleteFunc(slices.Clone(environ), func(variable string) bool {
		return strings.HasPrefix(variable, "PORT=") || strings.HasPrefix(variable, "AWS_LWA_PORT=")
	})
	return append(kept, "PORT="+port, "AWS_LWA_PORT="+port)
}

// isEnding reports whether the server, which has just broken a connection, ends.
func (s *server) isEnding() bool {
	select {
	case <-s.ended:
		return true
	case <-time.After(endingTime):
		return false
	}
}

// endsAfter waits for the server's end if the environment is being shut down: the Runtime API is closed then, and the
// SIGTERM for the server may come a moment later. It returns false if no SIGTERM comes.
func (s *server) endsAfter(terminated <-chan os.Signal) bool {
	select {
	case <-s.ended:
	case <-terminated:
		<-s.ended // unless the stage kills this process, too
	case <-time.After(endingTime):
		return false
	}
	return true
}

// exitCode returns the exit code as a shell does: the process's own, or 128 and the signal that ended it.
func exitCode(err error) int {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		if err != nil {
			return 1
		}
		return 0
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}

// awaitServer returns when the server answers with a status below 500. It has no limit: the stage ends an environment
// whose init phase takes too long.
func (a *adapter) awaitServer(ctx context.Context) error {
	started, complained := time.Now(), false
	again := time.NewTicker(readinessInterval)
	defer again.Stop()
	for !a.serverIsReady(ctx) {
		if !complained && time.Since(started) > 2*time.Second {
			complained = true
			fmt.Fprintf(a.log,
				"web adapter: the server is not ready after 2 s: GET http://%s%s has no answer below 500\n",
				a.server.address, a.settings.readiness)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (a *adapter) serverIsReady(ctx context.Context) bool {
	address := "http://" + a.server.address + a.settings.readiness
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return false
	}
	response, err := a.server.client.RoundTrip(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode < http.StatusInternalServerError
}
