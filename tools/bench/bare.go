package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"
)

// bare is the least that a broadcast can take on this machine: a server with coder/websocket that writes one frame to
// each of its connections, and the clients in the same process.
type bare struct {
	audience
	server *httptest.Server

	accepted sync.Mutex
	sockets  []*websocket.Conn // the server's ends
}

// newBare opens as many connections.
func newBare(ctx context.Context, connections int) (*bare, error) {
	b := &bare{}
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		b.accepted.Lock()
		b.sockets = append(b.sockets, socket)
		b.accepted.Unlock()
	}))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(connectLimit)
	for range connections {
		group.Go(func() error { return b.dial(ctx, "ws"+strings.TrimPrefix(b.server.URL, "http"), nil) })
	}
	if err := group.Wait(); err != nil {
		b.close()
		return nil, fmt.Errorf("connect to the bare server: %w", err)
	}
	return b, nil
}

// broadcast writes a frame to every connection, with a goroutine for each processor.
func (b *bare) broadcast(ctx context.Context, frame string) error {
	b.accepted.Lock()
	defer b.accepted.Unlock()
	group, ctx := errgroup.WithContext(ctx)
	parallel := runtime.GOMAXPROCS(0)
	for worker := range parallel {
		group.Go(func() error {
			for i := worker; i < len(b.sockets); i += parallel {
				if err := b.sockets[i].Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func (b *bare) close() {
	b.leave()
	b.accepted.Lock()
	defer b.accepted.Unlock()
	for _, socket := range b.sockets {
		_ = socket.CloseNow()
	}
	b.server.Close()
}
