package gateway_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"signedsocket/internal/stageclient/clienttest"

	"github.com/coder/websocket"
)

func TestCloseEndsEveryConnection(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	var clients []*websocket.Conn
	for range 5 {
		clients = append(clients, s.dial(t))
	}
	closed := make(chan error)
	go func() { closed <- s.Close(context.WithoutCancel(t.Context())) }()
	for _, c := range clients {
		wantClose(t, c, websocket.StatusGoingAway, "Going away")
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if got := len(s.disconnect.events); got != 5 {
		t.Errorf("%d $disconnect events, want 5", got)
	}
	if got := s.request(t, "GET", "/prod", "").StatusCode; got != http.StatusServiceUnavailable {
		t.Errorf("a closed stage answers %d", got)
	}
	s.post(t, "aICfP2o6eaA0amE=", "late", http.StatusGone)
}

func TestCloseCancelsSlowInvocations(t *testing.T) {
	t.Parallel()
	stuck := respond(func(ctx context.Context, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	s := newStage(t, options{disconnect: stuck})
	s.dial(t).CloseNow()
	stuck.next(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Close(ctx); err == nil {
		t.Error("Close did not tell that it had to cancel")
	}
	if err := s.Close(t.Context()); err != nil { // the second Close has nothing to do
		t.Error(err)
	}
}

func TestCloseDoesNotWaitForAnUnfinishedRequest(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	s.dialTCP(t, "POST /prod/@connections/aICfP2o6eaA0amE= HTTP/1.1\r\n"+
		"Host: "+s.host+"\r\nContent-Length: 100\r\n\r\nhalf")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // meanwhile the request is being read
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- s.Close(ctx) }()
	select {
	case <-closed:
	case <-time.After(patience):
		t.Error("Close waits for a client that never finishes its request")
	}
}

func TestCloseDuringConnectStillDisconnects(t *testing.T) {
	t.Parallel()
	slow, release := held()
	s := newStage(t, options{connect: slow})
	s.dialTCP(t, upgradeHead("/prod"))
	slow.next(t)
	closed := make(chan error)
	go func() { closed <- s.Close(context.WithoutCancel(t.Context())) }()
	clienttest.Eventually(t, "the stage refuses", func() bool {
		return s.request(t, "GET", "/prod", "").StatusCode == 503
	})
	close(release)
	if code, _ := s.disconnected(t); code != 1001 {
		t.Errorf("disconnectStatusCode %d", code)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestSeveralStagesRunInOneProcess(t *testing.T) {
	t.Parallel()
	a, b := newStage(t, options{}), newStage(t, options{})
	_, id := a.connected(t)
	b.post(t, id, "not here", http.StatusGone)
	a.post(t, id, "here", http.StatusOK)
}
