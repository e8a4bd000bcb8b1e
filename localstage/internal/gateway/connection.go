package gateway

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"signedsocket/localstage/internal/clock"
)

// closeWait bounds each half of the closing handshake: writing the queued frames, and waiting for the client to hang
// up.
const closeWait = time.Second

// ending is the reason for the end of a connection, as its $disconnect event shows it, and the close frame for the
// client, if any.
type ending struct {
	code   int
	reason string
	frame  []byte
}

// goingAway ends a connection that was idle or has reached its age.
// Source: observed for idle; "Overview of WebSocket APIs" for the code after two
// hours, whose reason is assumed.
func goingAway() ending { return closing(closeGoingAway, "Going away") }

// closing returns the ending for a close frame of the gateway.
func closing(code int, reason string) ending {
	return ending{code: code, reason: reason, frame: closeFrame(code, reason)}
}

// endingOf returns the ending for an error of the client's stream. A client that closes gets its own code back.
func endingOf(err error) ending {
	var closed *closeError
	switch {
	case !errors.As(err, &closed):
		// Source: "Overview of WebSocket APIs"; no reason is recorded for it.
		return ending{code: closeAbnormal}
	case closed.byPeer:
		return ending{code: closed.code, reason: closed.reason, frame: closeFrame(closed.code, "")}
	}
	return closing(closed.code, closed.reason)
}

// connection is one WebSocket connection after its handshake. It costs one
// goroutine, which reads.
type connection struct {
	peer
	gateway    *Gateway
	socket     net.Conn
	out        *outbox
	turns      *turns       // of its invocations, under Serial
	openedAt   time.Time    // by the movable clock
	lastActive atomic.Int64 // by the movable clock, nanoseconds since openedAt

	mu      sync.Mutex
	ended   bool
	ending  ending
	drained <-chan struct{} // closed when the last frame is written
	timer   clock.Timer     // of idle and age
}

func newConnection(g *Gateway, p peer, socket net.Conn, head []byte) *connection {
	held := g.injector.occurs(g.injector.HoldReaders)
	c := &connection{
		peer:     p,
		gateway:  g,
		socket:   socket,
		out:      newOutbox(socket, &g.connections.work, head, held),
		openedAt: g.cfg.Clock.Now(),
	}
	if g.cfg.Ordering == Serial {
		c.turns = &turns{work: &g.connections.work}
	}
	return c
}

// serve reads until the connection ends, for any reason, then closes its socket and reports the end. There is one call
// for each connection.
func (c *connection) serve(input io.Reader) {
	err := c.read(input)
	c.end(endingOf(err)) // does nothing if the connection has been ended before
	c.hangUp()
	c.gateway.log.Info("connection closed", slog.String("connectionId", c.id),
		slog.Int("disconnectStatusCode", c.ending.code))
	c.disconnected()
}

// read passes every message on and returns the error that ended the stream.
func (c *connection) read(input io.Reader) error {
	reader := newMessageReader(input, c.pong)
	for {
		text, err := reader.next()
		if err != nil {
			return err
		}
		c.receive(text)
	}
}

// pong answers a ping. It is not traffic. A client that does not read its pongs gets none.
// Source: assumed; the reports disagree, this is the stricter reading.
func (c *connection) pong(payload []byte) { _ = c.out.send(pongFrame(payload)) }

// send delivers a frame of data and counts it as traffic. The error is errFull
// or errShut.
// Source: observed, a post keeps a connection from being idle.
func (c *connection) send(frame []byte) error {
	if err := c.out.send(frame); err != nil {
		return err
	}
	c.touch()
	return nil
}

// end begins the end of the connection and reports whether this call was the first. Posts no longer find the
// connection. end does not wait: it wakes the reader by a deadline, and the reader does the rest.
func (c *connection) end(e ending) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.ended, c.ending = true, e
	c.timer.Stop()
	c.gateway.connections.remove(c.id)
	c.drained = c.out.close(e.frame)
	_ = c.socket.SetReadDeadline(time.Now()) // a dead socket wakes its reader anyway
	return true
}

// hangUp writes the queued frames, tells the client that nothing follows, waits for the client to finish, and closes
// the socket. Without the wait, bytes that the client still sends would make the kernel reset the connection and
// destroy the close frame on its way.
func (c *connection) hangUp() {
	timer := time.NewTimer(closeWait)
	defer timer.Stop()
	select {
	case <-c.drained:
	case <-timer.C:
	}
	_ = c.socket.SetReadDeadline(time.Now().Add(closeWait))
	if closeWrite(c.socket) == nil {
		_, _ = io.Copy(io.Discard, c.socket)
	}
	_ = c.socket.Close()
}

// disconnected runs $disconnect, after the earlier invocations if they are in order.
func (c *connection) disconnected() {
	report := func() { c.gateway.invokeDisconnect(&c.peer, c.ending) }
	if c.turns != nil {
		c.turns.add(report)
		return
	}
	report()
}

// touch records a message in either direction.
func (c *connection) touch() {
	c.lastActive.Store(int64(c.gateway.cfg.Clock.Now().Sub(c.openedAt)))
}

// lastActiveAt returns the machine's time of the last message.
func (c *connection) lastActiveAt() time.Time {
	ago := c.gateway.cfg.Clock.Now().Sub(c.openedAt) - time.Duration(c.lastActive.Load())
	return c.gateway.cfg.Now().Add(-ago)
}

// enter makes the connection postable and returns false if the stage is closed. It starts one timer for idle time and
// age. Traffic does not move that timer; the timer looks at the traffic when it fires.
func (c *connection) enter() bool {
	c.mu.Lock() // so that no caller of end sees a connection without its timer
	defer c.mu.Unlock()
	cfg := &c.gateway.cfg
	c.timer = cfg.Clock.AfterFunc(min(cfg.IdleTimeout, cfg.MaxAge), c.expire)
	return c.gateway.connections.add(c)
}

// expire ends the connection if its time has come, and otherwise waits for the rest.
// Source: "Overview of WebSocket APIs".
func (c *connection) expire() {
	cfg := &c.gateway.cfg
	idleAt := time.Duration(c.lastActive.Load()) + cfg.IdleTimeout
	left := min(idleAt, cfg.MaxAge) - cfg.Clock.Now().Sub(c.openedAt)
	if left <= 0 {
		c.end(goingAway())
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.timer.Reset(left)
	}
}
