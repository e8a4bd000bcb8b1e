package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// endpoint is the command that serves @connections as far as posts need it: it takes every frame, after a pause, and
// knows which it got. It is a process of its own, so that what it costs is not counted with what a post costs its sender.
type endpoint struct {
	Latency time.Duration `help:"How long every post takes."`

	mu   sync.Mutex
	got  map[int]bool          // numbers of the posts since the last count
	idle map[net.Conn]struct{} // connections without a request
}

// Run serves until standard input ends, which it does together with whoever started this.
func (e *endpoint) Run() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serve @connections: %w", err)
	}
	e.got, e.idle = map[int]bool{}, map[net.Conn]struct{}{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /prod/@connections/{id}", e.post)
	mux.HandleFunc("GET /arrived", e.arrived)
	mux.HandleFunc("POST /close", e.closeIdle)
	server := &http.Server{Handler: mux, ConnState: e.follow, ReadHeaderTimeout: time.Minute}
	serving := make(chan error, 1)
	go func() { serving <- server.Serve(listener) }()
	fmt.Printf("http://%s\n", listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = server.Shutdown(context.Background()) // no request is left to wait for
	if err := <-serving; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve @connections: %w", err)
	}
	return nil
}

// connectionID is the id that post n goes to: as long as the gateway's, with their "=" at the end.
func connectionID(n int) string { return fmt.Sprintf("Bench%010d=", n) }

func (e *endpoint) post(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	time.Sleep(e.Latency)
	n, err := strconv.Atoi(strings.Trim(r.PathValue("id"), "Bench="))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	e.got[n] = true
	e.mu.Unlock()
	w.Header().Set("X-Amzn-Requestid", "0b9a2b4e-7c1f-4a86-9d3b-7d0e2f1a5c66")
}

// arrived tells how many different posts have come since it was asked last.
func (e *endpoint) arrived(w http.ResponseWriter, _ *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = json.NewEncoder(w).Encode(len(e.got))
	clear(e.got)
}

// follow knows which connections have no request.
func (e *endpoint) follow(c net.Conn, state http.ConnState) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if state == http.StateIdle {
		e.idle[c] = struct{}{}
	} else {
		delete(e.idle, c)
	}
}

// closeIdle closes every connection without a request, as API Gateway does sooner or later.
func (e *endpoint) closeIdle(http.ResponseWriter, *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.idle {
		_ = c.Close() // it is over either way
	}
}
