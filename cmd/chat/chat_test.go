package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"signedsocket/internal/stageclient"
)

func TestMessageIsSentAgainUnderItsIDUntilAcknowledged(t *testing.T) {
	t.Parallel()
	talk(t, nil, func(c *conversation) {
		c.lines <- "hi"
		close(c.lines)
		first := <-c.stage.sockets
		sent := <-first.sent
		first.frames <- message("M1", "alice", "Alice", "hi")
		c.pass(time.Second)
		first.Close() // the network breaks before the acknowledgement

		second := <-c.stage.sockets
		again := <-second.sent
		if diff := cmp.Diff(sent, again); diff != "" || sent.ID == "" || sent.Text != "hi" || sent.Room != "lobby" {
			t.Errorf("sent %+v, then %+v", sent, again)
		}
		c.pass(ackTimeout) // no answer
		if third := <-second.sent; third != sent {
			t.Errorf("then sent %+v", third)
		}
		second.frames <- message("M1", "alice", "Alice", "hi")
		second.frames <- ack(sent)
		if err := c.end(time.Minute); err != nil {
			t.Error(err)
		}
		if got := c.out.String(); got != "Alice (you) 12:03  hi\n" {
			t.Errorf("shown %q", got)
		}
		if !second.isClosed() {
			t.Error("the connection was left open")
		}
	})
}

func TestOneMessageIsUnderWayAtATime(t *testing.T) {
	t.Parallel()
	talk(t, nil, func(c *conversation) {
		socket := <-c.stage.sockets
		for _, line := range []string{"one", "two", "three"} {
			c.lines <- line
		}
		close(c.lines)
		for _, want := range []string{"one", "two", "three"} {
			sent := <-socket.sent
			c.pass(time.Second)
			if sent.Text != want || len(socket.sent) != 0 {
				t.Errorf("sent %q and %d more, want %q", sent.Text, len(socket.sent), want)
			}
			socket.frames <- ack(sent)
		}
		if err := c.end(time.Minute); err != nil {
			t.Error(err)
		}
	})
}

func TestMessagesWaitForRefusalsThatPass(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		refusal  func(m stageclient.Outgoing) stageclient.Frame
		min, max time.Duration
	}{
		"rate limit": {func(m stageclient.Outgoing) stageclient.Frame {
			return stageclient.Error{Code: "rate_limited", ClientID: m.ID, RetryAfterMs: 1500}
		}, 1500 * time.Millisecond, 1500 * time.Millisecond},
		"rate, no time": {func(m stageclient.Outgoing) stageclient.Frame {
			return stageclient.Error{Code: "rate_limited", ClientID: m.ID}
		}, 100 * time.Millisecond, 100 * time.Millisecond},
		"partial delivery": {func(m stageclient.Outgoing) stageclient.Frame {
			return stageclient.Error{Code: "partial_delivery", ClientID: m.ID}
		}, time.Second, time.Second},
		"gateway error": {func(stageclient.Outgoing) stageclient.Frame {
			return stageclient.GatewayError{Text: "Internal server error"}
		}, time.Second, time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			talk(t, nil, func(c *conversation) {
				socket := <-c.stage.sockets
				c.lines <- "hi"
				close(c.lines)
				sent := <-socket.sent
				before := time.Now()
				socket.frames <- test.refusal(sent)
				again := <-socket.sent
				if waited := time.Since(before); again != sent || waited < test.min || waited > test.max {
					t.Errorf("sent %+v after %v", again, waited)
				}
				socket.frames <- ack(again)
				if err := c.end(time.Minute); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestRefusalsThatAreFinal(t *testing.T) {
	t.Parallel()
	talk(t, nil, func(c *conversation) {
		socket := <-c.stage.sockets
		c.lines <- "too long"
		c.lines <- "fine"
		close(c.lines)
		socket.frames <- stageclient.Error{Code: "too_large", Text: "The message is too long.",
			ClientID: (<-socket.sent).ID}
		socket.frames <- ack(<-socket.sent)
		err := c.end(time.Minute)
		if c.exitCode(err) != exitFailed || err.Error() != "1 of your messages were not acknowledged" {
			t.Errorf("ended with %v", err)
		}
		if !strings.Contains(c.notes.String(), `not sent: "too long": The message is too long. (too_large)`) {
			t.Errorf("notes:\n%s", &c.notes)
		}
	})
}

func TestMessageIsGivenUpAfterTooManyFailures(t *testing.T) {
	t.Parallel()
	talk(t, nil, func(c *conversation) {
		socket := <-c.stage.sockets
		c.lines <- "hi"
		for range maxFailures {
			<-socket.sent
			socket.frames <- stageclient.GatewayError{Text: "Internal server error"}
		}
		c.pass(time.Hour)
		if len(socket.sent) != 0 || !strings.Contains(c.notes.String(), `not sent: "hi": the server failed`) {
			t.Errorf("%d more sent; notes:\n%s", len(socket.sent), &c.notes)
		}
		if c.exitCode(c.hangUp()) != exitFailed {
			t.Error("a lost message must show in the exit code")
		}
	})
}

func TestNoAcknowledgementIsAFailureInAPipe(t *testing.T) {
	t.Parallel()
	talk(t, nil, func(c *conversation) {
		<-c.stage.sockets
		c.lines <- "hi"
		close(c.lines)
		if err := c.end(patience + time.Second); c.exitCode(err) != exitFailed {
			t.Error(err)
		}
	})
}

func TestQuietConnectionIsPinged(t *testing.T) {
	t.Parallel()
	talk(t, nil, func(c *conversation) {
		socket := <-c.stage.sockets
		for range 3 {
			before := time.Now()
			at := <-socket.pings
			if quiet := at.Sub(before); quiet < silenceMin || quiet > silenceMin+silenceJitter {
				t.Errorf("pinged after %v", quiet)
			}
			socket.frames <- stageclient.Pong{}
			c.pass(0)
		}
		c.pass(8 * time.Minute)
		socket.frames <- message("M1", "bob", "Bob", "hello") // counts like a pong
		c.pass(8 * time.Minute)
		if len(socket.pings) != 0 || socket.isClosed() {
			t.Errorf("%d pings, closed %v", len(socket.pings), socket.isClosed())
		}
		<-socket.pings // the server no longer answers
		c.pass(pongTimeout + backoffBase)
		if !socket.isClosed() || len(c.stage.sockets) != 1 {
			t.Errorf("closed %v, %d new connections", socket.isClosed(), len(c.stage.sockets))
		}
		if err := c.hangUp(); err != nil {
			t.Error(err)
		}
		if got := c.out.String(); got != "Bob 12:03  hello\n" {
			t.Errorf("shown %q", got)
		}
	})
}

func TestByeEndsTheChatOrReconnectsIt(t *testing.T) {
	t.Parallel()
	for code, stops := range map[string]bool{"session_ended": false, "revoked": true, "evicted": true, "kicked": true,
		"signed_out": true, "replaced": true, "too_slow": false} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			talk(t, nil, func(c *conversation) {
				(<-c.stage.sockets).frames <- stageclient.Bye{Code: code}
				c.pass(time.Minute)
				if !stops {
					if len(c.stage.sockets) != 1 {
						t.Error("no new connection")
					}
					if err := c.hangUp(); err != nil {
						t.Error(err)
					}
					return
				}
				if err := c.end(time.Minute); c.exitCode(err) != exitRefused || !strings.Contains(err.Error(), code) {
					t.Error(err)
				}
			})
		})
	}
}
