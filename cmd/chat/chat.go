package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"signedsocket/internal/stageclient"
)

// The times of the chat.
const (
	backoffBase   = 500 * time.Millisecond // full jitter: a wait is random between 0 and base·2ⁿ
	backoffMax    = 30 * time.Second
	settled       = 10 * time.Second // a connection that lasts this long ends a row of failures
	silenceMin    = 8*time.Minute + 30*time.Second
	silenceJitter = 30 * time.Second // API Gateway closes after 10 minutes without a message
	pongTimeout   = 10 * time.Second
	ackTimeout    = 10 * time.Second
	sendTimeout   = 10 * time.Second
	longest       = 2 * time.Hour    // API Gateway ends every connection then
	renewBefore   = time.Minute      // a new connection is opened this long before the present one ends
	renewAgain    = 15 * time.Second // and another one until the session is longer
	linger        = 5 * time.Second  // before the replaced connection is closed
	patience      = 30 * time.Second // for the next acknowledgement, when there is no more input
	maxFailures   = 10               // of one message before the chat gives it up
)

// connector opens connections and judges failed attempts. link is the connector of a stage.
type connector interface {
	connect(ctx context.Context) (*session, error)
	judge(err error, everConnected bool, refused int) *stopError
	explain(err error) string
}

// chat is the conversation of one user over several connections. The goroutine of run owns its state. Other goroutines
// send it events over channels.
type chat struct {
	link   connector
	screen *screen
	lines  <-chan string // nil after the last one

	session   *session // nil while disconnected
	me        stageclient.User
	rooms     []string
	openedAt  time.Time
	endsAt    time.Time // when the present connection ends at the latest
	dialing   bool
	pinging   bool // a ping is not answered yet
	renewing  bool // an attempt to replace the present connection was made
	replaced  bool // the server replaced the last connection with the next one
	attempts  int  // attempts and connections in a row that failed early
	refused   int  // handshakes refused in a row
	connected bool

	outbox   outbox
	lost     int // messages that the chat gave up
	seen     recent
	shown    shownMessages
	past     past
	people   people
	reading  reading
	deleting deleting

	dialed   chan dialResult
	incoming chan incoming
	helpers  sync.WaitGroup

	redial, resend, silence, quiet, pong, renew, giveUp, ask *time.Timer
	answer, mark, erase                                      *time.Timer
}

type dialResult struct {
	session *session
	err     error
}

type incoming struct {
	from  *session
	frame stageclient.Frame
	err   error
}

// newChat returns a chat that shows the last messages first.
func newChat(l connector, s *screen, lines <-chan string, last int) *chat {
	return &chat{
		link: l, screen: s, lines: lines, past: past{last: last},
		dialed: make(chan dialResult), incoming: make(chan incoming),
		redial: stopped(), resend: stopped(), silence: stopped(), pong: stopped(), renew: stopped(), giveUp: stopped(),
		ask: stopped(), quiet: stopped(), answer: stopped(), mark: stopped(), erase: stopped(),
	}
}

func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// run chats until the input has ended and all of it is acknowledged, until ctx ends, or until a retry cannot help.
func (c *chat) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer c.leave(ctx, cancel)
	c.dial(ctx)
	for c.lines != nil || c.outbox.first() != nil || !c.connected || c.awaitsPast() ||
		c.deleting.awaited() {
		if err := c.step(ctx); err != nil {
			return err
		}
		if ctx.Err() != nil {
			break
		}
		c.askForPast(ctx)
		c.sendNext(ctx)
		c.sendDeletions(ctx)
	}
	return c.verdict()
}

// verdict returns an error when a message was not delivered.
func (c *chat) verdict() error {
	if n := c.lost + len(c.outbox.queue); n > 0 {
		return &stopError{fmt.Sprintf("%d of your messages were not acknowledged", n), exitFailed}
	}
	if n := c.deleting.failed + len(c.deleting.queue); n > 0 {
		return &stopError{fmt.Sprintf("%d of your messages were not deleted", n), exitFailed}
	}
	return nil
}

// step waits for one event and handles it.
func (c *chat) step(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case line, more := <-c.lines:
		c.typed(line, more)
	case r := <-c.dialed:
		c.dialing = false
		if r.err != nil {
			return c.dialFailed(r.err)
		}
		c.opened(ctx, r.session)
	case in := <-c.incoming:
		return c.received(ctx, in)
	case <-c.redial.C:
		c.dial(ctx)
	case <-c.renew.C:
		c.dial(ctx)
	case <-c.resend.C:
		c.resendFirst()
	case <-c.silence.C:
		c.ping(ctx)
	case <-c.quiet.C:
		c.past.follower.SyncQuiet(time.Now())
	case <-c.ask.C: // askForPast does the rest
	case <-c.erase.C: // sendDeletions does the rest
	case <-c.answer.C:
		c.noUsers()
	case <-c.mark.C:
		c.tellRead(ctx)
	case <-c.pong.C:
		c.drop("the server does not answer")
	case <-c.giveUp.C:
		return &stopError{fmt.Sprintf("no acknowledgement within %v", patience), exitFailed}
	}
	return nil
}

func (c *chat) typed(line string, more bool) {
	if !more {
		c.lines = nil
		c.giveUp.Reset(patience)
		return
	}
	c.screen.ask()
	if !c.past.plain && c.command(line) {
		return
	}
	c.outbox.add(line)
}

// command does what a line says that is no message. It returns false for a message.
func (c *chat) command(line string) bool {
	switch line {
	case olderCommand:
		c.past.older++
	case hereCommand:
		c.people.wanted = true
	default:
		return c.deleting.wants(c.screen, line)
	}
	return true
}

// sendNext sends the first message of the outbox if its time has come.
func (c *chat) sendNext(ctx context.Context) {
	p := c.outbox.first()
	if c.session == nil || p == nil || p.sent {
		return
	}
	if c.session.readOnly[c.room()] {
		c.giveUpOn(p, onlyRead(c.room()))
		return
	}
	if wait := max(time.Until(p.due), c.catchingUp()); wait > 0 {
		c.resend.Reset(wait)
		return
	}
	m := stageclient.Outgoing{Text: p.text, ID: p.id, Room: c.room(), After: c.seenBefore(p)}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := c.session.socket.Send(ctx, m); err != nil {
		c.drop("the connection broke")
		return
	}
	p.sent = true
	c.resend.Reset(ackTimeout)
	c.silence.Reset(silenceMin + rand.N(silenceJitter)) //nolint:gosec // jitter is no secret
}

// resendFirst makes the first message ready again, because it is due or its answer is late.
func (c *chat) resendFirst() {
	if p := c.outbox.first(); p != nil {
		if p.sent {
			c.failed(p, 0, "no answer")
			return
		}
		p.due = time.Time{}
	}
}

// failed plans to send a message again. After too many failures it gives the message up.
func (c *chat) failed(p *pending, wait time.Duration, why string) {
	if p.failures++; p.failures >= maxFailures {
		c.giveUpOn(p, why)
		return
	}
	p.sent, p.due = false, time.Now().Add(wait)
}

func (c *chat) giveUpOn(p *pending, why string) {
	c.outbox.remove(p)
	c.lost++
	c.screen.note(fmt.Sprintf("not sent: %q: %s", p.text, why))
}

// leave closes the connection and waits for every goroutine.
func (c *chat) leave(ctx context.Context, cancel context.CancelFunc) {
	c.tellReadAtLast(ctx)
	if c.session != nil {
		_ = c.session.socket.Close() // an error changes nothing
	}
	cancel()
	c.helpers.Wait()
}
