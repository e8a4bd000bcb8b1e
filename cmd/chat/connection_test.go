package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
)

func signError(status int, code string) error {
	return fmt.Errorf("ask: %w", &stageclient.SignError{Status: status, Code: code})
}

func handshake(status int) error {
	return fmt.Errorf("dial: %w", &stageclient.RefusedError{Status: status})
}

func TestAttemptsBackOffWithFullJitter(t *testing.T) {
	t.Parallel()
	var script []error
	for range 12 {
		script = append(script, handshake(503))
	}
	talk(t, script, func(c *conversation) {
		<-c.stage.sockets
		limit := backoffBase
		for i, wait := range c.stage.waits() {
			if wait > limit {
				t.Errorf("wait %d was %v, want at most %v", i, wait, limit)
			}
			limit = min(2*limit, backoffMax)
		}
		if n := strings.Count(c.notes.String(), "trying again in"); n != 12 {
			t.Errorf("%d notes:\n%s", n, &c.notes)
		}
		if err := c.hangUp(); err != nil {
			t.Error(err)
		}
	})
}

func TestALongConnectionResetsTheBackoff(t *testing.T) {
	t.Parallel()
	talk(t, nil, func(c *conversation) {
		for range 20 {
			socket := <-c.stage.sockets
			c.pass(settled)
			lost := time.Now()
			socket.Close()
			next := <-c.stage.sockets
			if wait := time.Since(lost); wait > backoffBase {
				t.Errorf("waited %v", wait)
			}
			c.stage.sockets <- next
		}
		if err := c.hangUp(); err != nil {
			t.Error(err)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	script := []error{&stageclient.SignError{Status: 429, RetryAfter: 7 * time.Second}, signError(503, ""),
		context.DeadlineExceeded}
	talk(t, script, func(c *conversation) {
		<-c.stage.sockets
		if waits := c.stage.waits(); waits[0] != 7*time.Second {
			t.Errorf("waited %v", waits)
		}
		if err := c.hangUp(); err != nil {
			t.Error(err)
		}
	})
}

func TestSessionIsRenewedWithoutAGap(t *testing.T) {
	t.Parallel()
	talk(t, nil, func(c *conversation) {
		first := <-c.stage.sockets
		go func() { // the server, which answers pings
			for range first.pings {
				first.frames <- stageclient.Pong{}
			}
		}()
		c.pass(2*time.Hour - renewBefore - time.Second)
		if len(c.stage.sockets) != 0 {
			t.Error("renewed too early")
		}
		c.pass(2 * time.Second)
		second := <-c.stage.sockets
		if first.isClosed() {
			t.Error("the old connection was closed at once")
		}
		if c.pass(linger); !first.isClosed() {
			t.Error("the old connection was left open")
		}
		c.lines <- "hi"
		if sent := <-second.sent; sent.Text != "hi" {
			t.Errorf("sent %+v", sent)
		}
		if n := strings.Count(c.notes.String(), "connected as"); n != 1 {
			t.Errorf("%d notes:\n%s", n, &c.notes)
		}
		close(first.pings)
		c.hangUp()
	})
}

func TestChatStopsWhenRetryingCannotHelp(t *testing.T) {
	t.Parallel()
	refused := &url.Error{Op: "Get", URL: "http://127.0.0.1:3003/dev/token?user=alice", Err: syscall.ECONNREFUSED}
	tests := map[string]struct {
		script   []error
		attempts int
		code     int
		want     string
	}{
		"401":         {[]error{signError(401, "")}, 1, exitRefused, "does not take the access token (401)"},
		"401 revoked": {[]error{signError(401, "revoked")}, 1, exitRefused, "alice was signed out everywhere"},
		"403":         {[]error{signError(403, "")}, 1, exitRefused, "not for this"},
		"403 room": {[]error{signError(403, "room_not_allowed")}, 1, exitRefused,
			"alice may not enter the default rooms"},
		"404":                {[]error{signError(404, "")}, 1, exitFailed, "there is no POST"},
		"415":                {[]error{signError(415, "")}, 1, exitFailed, "does not understand this client"},
		"503 not configured": {[]error{signError(503, "auth_not_configured")}, 1, exitFailed, "OidcIssuer"},
		"handshake 403": {[]error{handshake(403), handshake(403), handshake(403)}, 3, exitRefused,
			"the signed URL was refused (403)"},
		"handshake elsewhere": {[]error{handshake(404)}, 1, exitFailed, "is it a WebSocket API?"},
		"no stage": {[]error{refused}, 1, exitFailed,
			"no stage answers at http://127.0.0.1:3003 — start one with `make run`"},
		"no stage later": {[]error{signError(503, ""), syscall.ECONNREFUSED}, 2, exitFailed,
			"no stage answers at ws://127.0.0.1:3002"},
		"anything else": {[]error{errors.New("get a token: no")}, 1, exitFailed, "get a token: no"},
		"401 after a while": {[]error{handshake(403), signError(503, ""), handshake(429), handshake(502),
			signError(401, "")}, 5, exitRefused, "(401)"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			talk(t, test.script, func(c *conversation) {
				err := c.end(time.Hour)
				if c.exitCode(err) != test.code || !strings.Contains(err.Error(), test.want) {
					t.Errorf("ended with %v", err)
				}
				if n := len(c.stage.attempts); n != test.attempts {
					t.Errorf("%d attempts, want %d", n, test.attempts)
				}
			})
		})
	}
}

func TestChatWaitsForAStageThatGoesAway(t *testing.T) {
	t.Parallel()
	talk(t, []error{nil, syscall.ECONNREFUSED, errors.New("get a token: no"), nil}, func(c *conversation) {
		(<-c.stage.sockets).Close()
		socket := <-c.stage.sockets
		c.lines <- "still here"
		close(c.lines)
		socket.frames <- ack(<-socket.sent)
		if err := c.end(time.Minute); err != nil {
			t.Error(err)
		}
		for _, want := range []string{"the server closed the connection (1001 Going away)", "no stage answers",
			"connected as Alice (alice) in lobby until"} {
			if !strings.Contains(c.notes.String(), want) {
				t.Errorf("no %q in the notes:\n%s", want, &c.notes)
			}
		}
	})
}

func TestExplanationsOfHandshakesAndFiles(t *testing.T) {
	t.Parallel()
	byURL := &link{client: &stageclient.Client{}, user: "alice"}
	byKey := &link{client: &stageclient.Client{}, user: "alice", signLocally: true}
	caller := &link{client: &stageclient.Client{}, user: "alice", trustedCaller: true}
	guest := &link{client: &stageclient.Client{}, room: "ops"}
	for want, got := range map[string]string{
		"log of ConnectFunction": byURL.explain(handshake(403)),
		"ExtraSignerArns":        byKey.explain(handshake(403)),
		"(429)":                  byURL.explain(handshake(429)),
		"failed (502)":           byURL.explain(handshake(502)),
		"in time":                byURL.explain(context.DeadlineExceeded),
		"too many refused":       byURL.explain(signError(429, "kicked")),
		"too many URLs":          byURL.explain(signError(429, "too_many_requests")),
		"too busy":               byURL.explain(signError(429, "")),
		"failed (500)":           byURL.explain(signError(500, "")),
		"takes --trusted-caller": byURL.explain(signError(403, "")),
		"TrustedCallerArns":      caller.explain(signError(403, "caller_not_trusted")),
		"POST/signurl":           caller.explain(signError(403, "")),
		"takes no guests (401)":  guest.explain(signError(401, "")),
		"takes no guests (403)":  guest.explain(signError(403, "")),
		"no guests for now":      guest.explain(signError(401, "revoked")),
		"as many guests":         guest.explain(signError(429, "too_many_connections")),
		"a guest may not enter":  guest.explain(signError(403, "room_not_allowed")),
		"GuestRooms":             guest.explain(signError(503, "auth_not_configured")),
		"there is no x.json — start a stage with `make run` first": explainOutputs("x.json", os.ErrNotExist),
		"broken": explainOutputs("x.json", errors.New("broken")),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
}
