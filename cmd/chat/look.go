package main

import (
	"context"
	"time"

	"signedsocket/internal/stageclient"
)

// stored removes a message from the outbox that has come back from the log.
func (c *chat) stored(room, id string, seq int64) {
	for _, p := range c.outbox.queue {
		if room == c.room() && id == stageclient.MessageID(c.me.Sub, room, p.id) {
			c.mayDelete(p, seq)
			c.done(p)
			return
		}
	}
}

// catchingUp returns how long to wait before a message is sent. The room may hold it already. A stage that does not
// answer the request finds a message that comes again by itself.
func (c *chat) catchingUp() time.Duration {
	if !c.session.history || c.past.away[c.room()] == nil {
		return 0
	}
	return time.Until(c.openedAt.Add(ackTimeout))
}

// seenBefore returns up to which number the chat knows that the log does not hold a message.
func (c *chat) seenBefore(p *pending) *int64 {
	if !c.session.history {
		return nil
	}
	if p.floor == nil {
		floor := c.past.follower.Floor(c.room())
		p.floor = &floor
	}
	seen := c.past.follower.SeenAfter(*p.floor)
	if seen == nil || p.seen != nil && *p.seen > *seen {
		return p.seen
	}
	return seen
}

// lookFurther reads the next part of the log for a message that was sent so long ago that the stage does not look for
// it.
func (c *chat) lookFurther(ctx context.Context) {
	p := c.outbox.first()
	if p == nil || !p.lookDue || c.session == nil {
		return
	}
	seen := c.seenBefore(p)
	if seen == nil {
		c.giveUpOn(p, notKnown)
		return
	}
	if !c.spend() {
		c.resend.Reset(time.Until(c.past.freeAt) + ackTimeout) // the message waits for the answer
		return
	}
	p.lookDue = false
	c.resend.Reset(ackTimeout)
	c.request(ctx, lookRequest, stageclient.WantAfter(c.room(), *seen))
}

const notKnown = "it may have been sent before the connection was lost; " +
	"look for it, and send it again if it is not there"

// look takes a part of the log in which the chat looks for the first message of the outbox.
func (c *chat) look(h stageclient.History) {
	p := c.outbox.first()
	if h.ClientID != lookRequest || p == nil || !p.looking {
		return
	}
	for _, entry := range h.Entries {
		p.seen = &entry.Seq
		if entry.ID == stageclient.MessageID(c.me.Sub, h.Room, p.id) {
			c.mayDelete(p, entry.Seq)
			c.done(p)
			return
		}
	}
	switch {
	case !h.Complete:
		c.giveUpOn(p, notKnown)
	case h.More:
		p.lookDue = true
	default:
		p.looking, p.sent, p.due = false, false, time.Time{}
	}
}
