package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"

	"signedsocket/internal/stageclient"
)

// audience are clients that only listen, as cheaply as they can.
type audience struct {
	mu        sync.Mutex
	conns     []*websocket.Conn
	listening sync.WaitGroup
	current   atomic.Pointer[round]
}

// join opens connections to a stage, each as its template wants them.
func (a *audience) join(ctx context.Context, client *stageclient.Client, connections int) error {
	credentials, err := client.Credentials(ctx, "SignUrlFunction")
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(connectLimit)
	for i := range connections {
		group.Go(func() error {
			proof, name := stageclient.NewProof(), fmt.Sprintf("bench-%d", i/perUser)
			grant := stageclient.NewGrant(stageclient.User{Sub: name, Name: name}, []string{"lobby"}, proof.Challenge, time.Now())
			signed, err := client.SignLocally(ctx, credentials, grant)
			if err != nil {
				return err
			}
			header := http.Header{"Origin": {client.Origin()}}
			if err := a.dial(ctx, signed.URL, &websocket.DialOptions{Subprotocols: []string{stageclient.Protocol, "pop." + proof.Verifier}, HTTPHeader: header}); err != nil {
				return fmt.Errorf("connection %d: %w", i+1, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// dial opens one connection and begins to listen.
func (a *audience) dial(ctx context.Context, url string, o *websocket.DialOptions) error {
	conn, _, err := websocket.Dial(ctx, url, o)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.conns = append(a.conns, conn)
	a.mu.Unlock()
	a.listening.Go(func() {
		for {
			_, frame, err := conn.Read(context.Background())
			if err != nil {
				return
			}
			if now := a.current.Load(); now != nil && string(frame) == now.text && now.missing.Add(-1) == 0 {
				now.complete <- time.Now()
			}
		}
	})
	return nil
}

// await runs what sends a frame to so many of the audience, and returns how long it took until the last of them had it,
// and how many never got it.
func (a *audience) await(ctx context.Context, frame string, recipients int, send func() error) (took time.Duration, lost int, err error) {
	ctx, cancel := context.WithTimeout(ctx, roundLimit)
	defer cancel()
	now := &round{text: frame, complete: make(chan time.Time, 1)}
	now.missing.Store(int64(recipients))
	a.current.Store(now)
	started := time.Now()
	if err := send(); err != nil {
		return 0, 0, err
	}
	select {
	case at := <-now.complete:
		return at.Sub(started), 0, nil
	case <-ctx.Done():
		return time.Since(started), int(now.missing.Load()), nil
	}
}

// leave ends every connection.
func (a *audience) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, conn := range a.conns {
		_ = conn.CloseNow() // nobody is interested any more
	}
	a.listening.Wait()
}
