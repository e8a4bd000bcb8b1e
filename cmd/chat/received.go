package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"signedsocket/internal/stageclient"
)

// received handles a frame, or the end of a connection.
func (c *chat) received(ctx context.Context, in incoming) error {
	if in.err != nil {
		if in.from == c.session {
			c.drop(whyEnded(in.err))
		}
		return nil
	}
	if in.from == c.session {
		c.heard()
	}
	switch f := in.frame.(type) {
	case stageclient.Message:
		if f.Seq > 0 {
			c.stored(f.Room, f.ID, f.Seq)
		}
		if !slices.Contains(c.rooms, f.Room) && c.seen.add(f.ID) {
			c.show(f.Room, f.Entry())
		}
	case stageclient.History:
		c.look(f)
	case stageclient.Presence:
		c.users(f)
	case stageclient.Ack:
		c.acknowledged(f)
	case stageclient.Error:
		c.refusedMessage(in.from, f)
	case stageclient.GatewayError:
		if p := c.outbox.first(); p != nil && p.sent {
			c.failed(p, time.Second<<min(p.failures, 4), "the server failed: "+f.Text)
		}
		c.deletionsFailed("the server failed: " + f.Text)
	case stageclient.Bye:
		return c.dismissed(ctx, in.from, f.Code)
	}
	for _, event := range c.past.follower.Receive(time.Now(), in.frame) {
		c.news(event)
	}
	return nil
}

func whyEnded(err error) string {
	if closed := new(stageclient.ClosedError); errors.As(err, &closed) {
		return fmt.Sprintf("the server closed the connection (%d %s)", closed.Code, closed.Reason)
	}
	return "the connection broke"
}

func (c *chat) acknowledged(a stageclient.Ack) {
	if d := c.deleting.find(a.ClientID); d != nil {
		c.answered(d)
		return
	}
	p := c.outbox.find(a.ClientID)
	if p == nil || a.ClientID == "" {
		return
	}
	if !a.Deleted {
		c.mayDelete(p, a.Seq)
	}
	c.done(p)
}

// done removes a message that the server has.
func (c *chat) done(p *pending) {
	c.outbox.remove(p)
	c.resend.Stop()
	if c.lines == nil {
		c.giveUp.Reset(patience)
	}
}

// refusedMessage handles an error frame. Some refusals are temporary, some are final, and some mean that the connection
// is useless.
func (c *chat) refusedMessage(from *session, e stageclient.Error) {
	if e.Code == "not_connected" || e.Code == "session_ended" {
		if from == c.session { // the server has removed a replaced connection, too
			c.drop("the server does not know this connection any more (" + e.Code + ")")
		}
		return
	}
	switch {
	case e.ClientID == olderRequest:
		c.past.olderRefused(c.screen, e)
		return
	case e.ClientID == hereRequest:
		c.usersRefused(e)
		return
	case c.deletionRefused(e):
		return
	case e.Code == "unknown_action":
		return // of a request for history, which the follower does without
	}
	p := c.outbox.find(e.ClientID)
	if p == nil || !p.sent {
		return
	}
	switch e.Code {
	case "far_behind":
		p.looking, p.lookDue = true, true
	case "rate_limited", "busy":
		p.sent, p.due = false, time.Now().Add(max(100*time.Millisecond, time.Duration(e.RetryAfterMs)*time.Millisecond))
	case "partial_delivery":
		c.failed(p, time.Second<<min(p.failures, 4), e.Text)
	default:
		c.giveUpOn(p, e.Text+" ("+e.Code+")")
	}
}

// dismissed handles a bye. After the end of a session the chat connects again. After most other byes a new connection
// would be refused.
func (c *chat) dismissed(ctx context.Context, from *session, code string) error {
	if from != c.session {
		return nil
	}
	switch code {
	case "session_ended":
		c.endsAt = time.Time{}
		c.dial(ctx)
		return nil
	case "too_slow":
		c.drop("this connection was too slow (too_slow)")
		return nil
	case "replaced":
		if c.renewing {
			c.giveWay()
			return nil
		}
		return &stopError{"another client with the same name replaced this one (replaced)", exitRefused}
	case "signed_out":
		return &stopError{"the user has signed out (signed_out)", exitRefused}
	case "evicted":
		// On a stage without instances the next connection evicts this one.
		if c.dialing && c.renewing {
			c.giveWay()
			return nil
		}
		return &stopError{"another connection of this user replaced this one (evicted)", exitRefused}
	}
	return &stopError{fmt.Sprintf("the server ended the session (%s)", code), exitRefused}
}
