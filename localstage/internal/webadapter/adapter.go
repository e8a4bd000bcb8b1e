package webadapter

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// Command is the argument that makes a program an adapter, if it calls [Main].
const Command = "web-adapter"

// Main runs the adapter of one execution environment until its server or the stage ends. It reads the process's own
// environment, writes messages for developers to stderr, and returns the exit code of the server.
func Main(environ []string, stderr io.Writer) int {
	s, err := newSettings(environ)
	if err != nil {
		fmt.Fprintln(stderr, "web adapter:", err)
		return 1
	}
	// The server gets a SIGTERM as well. This process must end last, because the environment ends with it.
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)

	server, err := startServer(s.handler, environ)
	if err != nil {
		fmt.Fprintln(stderr, "web adapter:", err)
		return 1
	}
	a := &adapter{settings: s, server: server, runtime: newRuntimeAPI(s.runtimeAPI), log: stderr}
	failed := make(chan error, 1)
	go func() {
		if err := a.run(context.Background()); err != nil {
			failed <- err
		}
	}()
	select {
	case <-server.ended:
		fmt.Fprintf(stderr, "web adapter: the server has ended with exit code %d\n", server.code)
		return server.code
	case err := <-failed:
		if server.endsAfter(terminated) {
			return server.code
		}
		fmt.Fprintln(stderr, "web adapter:", err)
		return 1
	}
}

// adapter hands the events of one execution environment to its server.
type adapter struct {
	settings settings
	server   *server
	runtime  *runtimeAPI
	log      io.Writer
}

// run waits for the server, and then handles events until the server or the Runtime API is gone. Its error is about the
// Runtime API.
func (a *adapter) run(ctx context.Context) error {
	if err := a.runtime.register(ctx); err != nil {
		return err
	}
	if err := a.awaitServer(ctx); err != nil {
		return err
	}
	for {
		event, err := a.runtime.next(ctx)
		if err != nil {
			return err
		}
		answer, err := a.handle(ctx, event)
		if err != nil && a.server.isEnding() {
			return nil // Main ends, and the stage logs why the event has no answer
		}
		if err != nil {
			fmt.Fprintln(a.log, "web adapter:", err)
			err = a.runtime.fail(ctx, event, err)
		} else {
			err = a.runtime.respond(ctx, event, answer)
		}
		if err != nil {
			return err
		}
	}
}

// handle makes a request of an event, and a proxy response of the answer.
func (a *adapter) handle(ctx context.Context, event *invocation) ([]byte, error) {
	request, err := a.newRequest(ctx, event)
	if err != nil {
		return nil, err
	}
	response, err := a.server.client.RoundTrip(request)
	if err != nil {
		return nil, fmt.Errorf("ask the server: %w", err)
	}
	defer response.Body.Close()
	return proxyResponse(response)
}

// newClient returns a client that sends requests to the server unchanged. It follows no redirect, asks for no
// compression and undoes none. It uses each connection once, because a server may close it while the environment is
// frozen.
func newClient() http.RoundTripper {
	return &http.Transport{DisableCompression: true, DisableKeepAlives: true}
}
