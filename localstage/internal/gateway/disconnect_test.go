package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"signedsocket/localstage/internal/clock/clocktest"
	"signedsocket/localstage/internal/gateway"
)

func TestDisconnectNamesTheClientsClose(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		leave  []byte // nil drops the TCP connection
		code   int
		reason string
	}{
		{"close without a code", frame(finClose, ""), 1005, "Client-side close frame status not set"},
		{"tab closed", frame(finClose, closePayload(1001, "")), 1001, ""},
		{"code and reason", frame(finClose, closePayload(4001, "see you")), 4001, "see you"},
		{"TCP drop", nil, 1006, ""},
		{"TCP drop within a frame", frame(finText, "abc")[:7], 1006, ""},
		{"binary frame", frame(finBinary, "a"), 1003, "binary frames are not supported"},
		{"frame too big", frame(finText, strings.Repeat("a", 32769)), 1009, "frame exceeds 32 KB"},
		{"protocol error", frame(0x83, ""), 1002, "use of reserved op code"},
		{"text that is not UTF-8", frame(finText, "\xff"), 1007, "text is not UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, options{})
			c, _ := s.upgraded(t)
			if _, err := c.Write(tt.leave); err != nil {
				t.Fatal(err)
			}
			if tt.code == 1006 {
				c.Close()
			}
			if code, reason := s.disconnected(t); code != tt.code || reason != tt.reason {
				t.Errorf("disconnected with %d %q, want %d %q", code, reason, tt.code, tt.reason)
			}
			c.Close()
			closeNow(t, s)
			if len(s.disconnect.events) != 0 {
				t.Error("$disconnect ran twice")
			}
		})
	}
}

// closeNow closes the stage, after which no event can follow.
func closeNow(t *testing.T, s *stage) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
}

func TestDisconnectRunsAfterTheSocketIsGone(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	c, r := s.upgraded(t)
	id := s.connect.next(t).RequestContext.ConnectionID
	if _, err := c.Write(frame(finClose, closePayload(1000, ""))); err != nil {
		t.Fatal(err)
	}
	wantEnd(t, r, 1000)
	c.Close()
	s.disconnected(t)
	s.post(t, id, "late", http.StatusGone)
	if got := s.Connections(); len(got) != 0 {
		t.Errorf("still open: %v", got)
	}
}

func TestIdleConnectionIsClosed(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	s := newStage(t, options{cfg: gateway.Config{Clock: clock}})
	c, id := s.connected(t)
	clock.Move(10*time.Minute - time.Nanosecond)
	s.post(t, id, "still here", 200)
	if got := readText(t, c); got != "still here" {
		t.Fatalf("client got %q", got)
	}
	clock.Move(10*time.Minute - time.Nanosecond) // the post has started the idle time anew
	if len(s.Connections()) != 1 {
		t.Fatal("the connection was closed before its time")
	}
	clock.Move(time.Nanosecond)
	wantClose(t, c, websocket.StatusGoingAway, "Going away")
	if code, reason := s.disconnected(t); code != 1001 || reason != "Going away" {
		t.Errorf("disconnected with %d %q", code, reason)
	}
	if clock.Pending() != 0 {
		t.Error("the timer is still running")
	}
}

func TestMessagesAndPostsResetTheIdleTime(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		do     func(t *testing.T, s *stage, c *websocket.Conn, id string)
		resets bool
	}{
		{"client message", func(t *testing.T, s *stage, c *websocket.Conn, _ string) {
			writeText(t, c, "hi")
			s.message.next(t)
		}, true},
		{"post", func(t *testing.T, s *stage, _ *websocket.Conn, id string) { s.post(t, id, "hi", 200) }, true},
		{"ping of the client", func(t *testing.T, _ *stage, c *websocket.Conn, _ string) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			c.CloseRead(ctx) // reads the pong
			if err := c.Ping(ctx); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"GET of the connection", func(t *testing.T, s *stage, _ *websocket.Conn, id string) {
			if got := s.manage(t, "GET", id, "").StatusCode; got != 200 {
				t.Fatal(got)
			}
		}, false},
		{"nothing", func(*testing.T, *stage, *websocket.Conn, string) {}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			clock := clocktest.New()
			s := newStage(t, options{cfg: gateway.Config{Clock: clock}})
			c, id := s.connected(t)
			clock.Move(6 * time.Minute)
			tt.do(t, s, c, id)
			clock.Move(6 * time.Minute)
			if open := len(s.Connections()) == 1; open != tt.resets {
				t.Errorf("open is %v, want %v", open, tt.resets)
			}
		})
	}
}

func TestConnectionIsClosedAtItsAge(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	s := newStage(t, options{cfg: gateway.Config{Clock: clock}})
	c, id := s.connected(t)
	for range 14 { // a post every 9 minutes keeps it for 126 minutes at most
		clock.Move(9 * time.Minute)
		s.manage(t, "POST", id, "hi")
	}
	for range 13 {
		readText(t, c)
	}
	wantClose(t, c, websocket.StatusGoingAway, "Going away")
	if code, reason := s.disconnected(t); code != 1001 || reason != "Going away" {
		t.Errorf("disconnected with %d %q", code, reason)
	}
}

func TestStageClosesWithConfiguredTimes(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	s := newStage(t, options{cfg: gateway.Config{Clock: clock, IdleTimeout: time.Minute, MaxAge: 90 * time.Second}})
	c, id := s.connected(t)
	clock.Move(50 * time.Second)
	s.post(t, id, "hi", 200)
	clock.Move(39 * time.Second)
	if len(s.Connections()) != 1 {
		t.Fatal("closed too early")
	}
	clock.Move(time.Second)
	readText(t, c)
	wantClose(t, c, websocket.StatusGoingAway, "Going away")
}

func TestClientThatNeverAnswersTheCloseIsCutOff(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	s := newStage(t, options{cfg: gateway.Config{Clock: clock}})
	c, r := s.upgraded(t)
	clock.Move(10 * time.Minute)
	wantEnd(t, r, 1001)
	if code, _ := s.disconnected(t); code != 1001 { // although c is open on its side
		t.Errorf("disconnectStatusCode %d", code)
	}
	c.Close()
}

func TestMissingDisconnectRouteIsFine(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{routes: func(routes []gateway.Route) []gateway.Route {
		return []gateway.Route{routes[0], routes[2]}
	}})
	s.dial(t).CloseNow()
	closeNow(t, s)
}
