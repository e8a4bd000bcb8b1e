package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"signedsocket/internal/stageclient"
)

// dial opens a connection in the background, beside the present one if there is one.
func (c *chat) dial(ctx context.Context) {
	if c.dialing {
		return
	}
	c.dialing, c.renewing = true, c.session != nil
	c.helpers.Go(func() {
		s, err := c.link.connect(ctx)
		select {
		case c.dialed <- dialResult{s, err}:
		case <-ctx.Done():
			if err == nil {
				_ = s.socket.Close() // the chat has ended meanwhile
			}
		}
	})
}

func (c *chat) dialFailed(err error) error {
	if refused := new(stageclient.RefusedError); errors.As(err, &refused) && refused.Status == http.StatusForbidden {
		c.refused++
	}
	if stop := c.link.judge(err, c.connected, c.refused); stop != nil {
		if c.session == nil || signedOut(err) {
			return stop
		}
		c.screen.note(stop.text)
		c.renewLater(renewAgain) // there may be another token by then
		return nil
	}
	wait := max(c.backoff(), retryAfter(err))
	c.screen.note(fmt.Sprintf("%s; trying again in %v", c.link.explain(err), wait.Round(100*time.Millisecond)))
	c.redial.Reset(wait)
	return nil
}

// backoff is the wait before the next attempt, longer after each failure.
func (c *chat) backoff() time.Duration {
	limit := min(backoffMax, backoffBase<<min(c.attempts, 10))
	c.attempts++
	return rand.N(limit) //nolint:gosec // jitter is no secret
}

// opened sends on a new connection from now on. It closes the previous connection some seconds later, so that no
// message is lost in between.
func (c *chat) opened(ctx context.Context, s *session) {
	if before := c.session; before != nil {
		c.helpers.Go(func() {
			select {
			case <-time.After(linger):
			case <-ctx.Done():
			}
			_ = before.socket.Close()
		})
	} else if !c.replaced {
		until := c.screen.clock(time.Now().Add(s.lasts))
		c.screen.note(fmt.Sprintf("connected as %s (%s) in %s until %s", s.user.Name, s.user.Sub,
			strings.Join(s.describeRooms(), ", "), until))
	}
	before := c.room()
	c.session, c.me, c.rooms = s, s.user, s.rooms
	if c.room() != before {
		c.deleting.own = nil
	}
	c.openedAt, c.connected, c.refused = time.Now(), true, 0
	c.renewing, c.replaced = false, false
	c.outbox.reconnected()
	c.deleting.reconnected()
	c.followOn(s)
	c.redial.Stop()
	c.heard()
	prolonged := time.Until(c.endsAt) < min(s.lasts, longest)-2*time.Second // lasts is in whole seconds
	c.endsAt = time.Now().Add(min(s.lasts, longest))
	if prolonged {
		c.renewLater(max(min(s.lasts, longest)-renewBefore, renewAgain))
	} else {
		c.renewLater(renewAgain)
	}
	c.helpers.Go(func() { c.receive(ctx, s) })
}

// describeRooms names the rooms, and says which are only for reading.
func (s *session) describeRooms() []string {
	names := slices.Clone(s.rooms)
	for i, room := range names {
		if s.readOnly[room] {
			names[i] += " (read only)"
		}
	}
	return names
}

// renewLater plans the next connection, unless the present one ends before.
func (c *chat) renewLater(wait time.Duration) {
	if wait < time.Until(c.endsAt) {
		c.renew.Reset(wait)
	}
}

// giveWay handles the notice of the server that another connection of this client has replaced the present one. That is
// the next connection, or one that the client has given up. The chat goes on.
func (c *chat) giveWay() {
	if !c.dialing {
		c.drop("the next connection failed")
		return
	}
	c.release()
	c.replaced = true
}

// receive passes the frames of a connection, and its end, to run.
func (c *chat) receive(ctx context.Context, s *session) {
	for {
		frame, err := s.socket.Next(ctx)
		if errors.Is(err, stageclient.ErrMalformedFrame) {
			continue
		}
		select {
		case c.incoming <- incoming{s, frame, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// heard records that the connection works in both directions.
func (c *chat) heard() {
	c.pong.Stop()
	c.pinging = false
	c.silence.Reset(silenceMin + rand.N(silenceJitter)) //nolint:gosec // jitter is no secret
}

func (c *chat) ping(ctx context.Context) {
	if c.session == nil {
		return
	}
	if c.session.history { // the answer is as good as a pong, and without one the follower asks for a ping
		c.past.follower.Sync(time.Now())
		return
	}
	c.pingNow(ctx)
}

func (c *chat) pingNow(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := c.session.socket.Ping(ctx); err != nil {
		c.drop("the connection broke")
		return
	}
	c.pinging = true
	c.pong.Reset(pongTimeout)
}

// drop gives up the present connection and plans the next one.
func (c *chat) drop(why string) {
	if c.session == nil {
		return
	}
	c.release()
	c.past.cut = true
	if time.Since(c.openedAt) >= settled {
		c.attempts = 0
	}
	c.screen.note(why + "; connecting again")
	c.redial.Reset(c.backoff())
}

// release closes the present connection and stops its timers.
func (c *chat) release() {
	closing := c.session
	c.helpers.Go(func() { _ = closing.socket.Close() })
	c.session, c.endsAt, c.pinging = nil, time.Time{}, false
	c.goAway(false)
	for _, t := range []*time.Timer{c.resend, c.silence, c.quiet, c.pong, c.renew, c.ask, c.answer, c.mark, c.erase} {
		t.Stop()
	}
}
