package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
)

// renewing lets a chat open its second connection, and returns the first.
func (c *conversation) renewing(hold time.Duration) *fakeSocket {
	c.t.Helper()
	first := <-c.stage.sockets
	c.stage.mu.Lock()
	c.stage.hold = hold
	c.stage.mu.Unlock()
	c.pass(4*time.Minute + time.Second)
	return first
}

func fiveMinutes(c *conversation) { c.stage.lasts = []time.Duration{5 * time.Minute} }

func TestAReplacedConnectionDoesNotEndTheChat(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"replaced", "evicted"} { // a stage without instances says evicted
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			talkTo(t, fiveMinutes, nil, func(c *conversation) {
				first := c.renewing(3 * time.Second)
				first.frames <- stageclient.Bye{Code: code}
				c.pass(time.Millisecond)
				if !first.isClosed() {
					t.Error("the connection that gave way is still open")
				}
				c.lines <- "hi"
				second := <-c.stage.sockets
				if sent := <-second.sent; sent.Text != "hi" || len(first.sent) != 0 {
					t.Errorf("sent %+v, and %d on the connection that gave way", sent, len(first.sent))
				}
				if notes := c.notes.String(); strings.Count(notes, "\n") != 1 {
					t.Errorf("notes:\n%s", notes)
				}
				c.hangUp()
			})
		})
	}
}

func TestAFailedReplacementIsRetried(t *testing.T) {
	t.Parallel()
	for name, early := range map[string]bool{"bye while it is under way": true, "bye when it has failed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			talkTo(t, fiveMinutes, []error{nil, handshake(503)}, func(c *conversation) {
				first := c.renewing(3 * time.Second)
				if !early {
					c.pass(3 * time.Second)
				}
				first.frames <- stageclient.Bye{Code: "replaced"}
				<-c.stage.sockets
				if err := c.hangUp(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestARenewalThatDoesNotProlongTheSessionIsRetried(t *testing.T) {
	t.Parallel()
	lasts := func(c *conversation) {
		c.stage.lasts = []time.Duration{5 * time.Minute, time.Minute, 45 * time.Second, 2 * time.Hour}
	}
	talkTo(t, lasts, nil, func(c *conversation) {
		begun := time.Now()
		var at []time.Duration
		for range 4 {
			<-c.stage.sockets
			at = append(at, time.Since(begun).Round(time.Second))
		}
		want := []time.Duration{0, 240 * time.Second, 255 * time.Second, 270 * time.Second}
		if !slices.Equal(at, want) {
			t.Errorf("connected after %v, want %v", at, want)
		}
		c.pass(time.Minute)
		if len(c.stage.sockets) != 0 {
			t.Error("the prolonged session was renewed again")
		}
		c.hangUp()
	})
}

func TestAnExpiredTokenLeavesTheOpenConnection(t *testing.T) {
	t.Parallel()
	talkTo(t, fiveMinutes, []error{nil, signError(401, ""), signError(401, "")}, func(c *conversation) {
		first := <-c.stage.sockets
		c.pass(4*time.Minute + 20*time.Second)
		if first.isClosed() {
			t.Error("the connection was closed")
		}
		<-c.stage.sockets // the third attempt, 30 s later
		c.hangUp()
	})
}

func TestTheChatOfARevokedUserEndsWhileTheConnectionIsOpen(t *testing.T) {
	t.Parallel()
	talkTo(t, fiveMinutes, []error{nil, signError(401, "revoked")}, func(c *conversation) {
		if err := c.end(5 * time.Minute); c.exitCode(err) != exitRefused {
			t.Error(err)
		}
	})
}

func TestAByeToTheReplacedConnectionDoesNotEndTheNewOne(t *testing.T) {
	t.Parallel()
	talkTo(t, fiveMinutes, nil, func(c *conversation) {
		first := c.renewing(3 * time.Second)
		c.lines <- "hi"
		sent := <-first.sent
		c.pass(3 * time.Second)
		second := <-c.stage.sockets
		<-second.sent
		first.frames <- stageclient.Error{Code: "not_connected", ClientID: sent.ID}
		c.pass(time.Millisecond)
		if second.isClosed() {
			t.Errorf("the new connection was closed; notes:\n%s", &c.notes)
		}
		second.frames <- stageclient.Error{Code: "not_connected"}
		c.pass(time.Millisecond)
		if !second.isClosed() {
			t.Error("a connection that the server does not know is still open")
		}
		c.hangUp()
	})
}
