package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"signedsocket/internal/stageclient"
)

// dial opens a connection in the background, beside the present one if there is one.
func (c *chat) dial(ctx context.Context) {
	if c.dialing {
		return
	}
	c.dialing = true
	c.helpers.Go(func() {
		s, err := c.link.connect(ctx)
		select {
		case c.dialed <- dialResult{s, err}:
		case <-ctx.Done():
			if err == nil {
				_ = s.socket.Close() // the chat is over before it began
			}
		}
	})
}

func (c *chat) dialFailed(err error) error {
	if refused := new(stageclient.RefusedError); errors.As(err, &refused) && refused.Status == http.StatusForbidden {
		c.refused++
	}
	if stop := c.link.judge(err, c.connected, c.refused); stop != nil {
		return stop
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

// opened makes a new connection the one to send on. The one before, if it is still
// open, is closed only now, so that nothing falls in between.
func (c *chat) opened(ctx context.Context, s *session) {
	if before := c.session; before != nil {
		c.helpers.Go(func() { _ = before.socket.Close() })
	} else {
		until := c.screen.clock(time.Now().Add(s.lasts))
		c.screen.note(fmt.Sprintf("connected as %s (%s) in %s until %s", s.user.Name, s.user.Sub, strings.Join(s.rooms, ", "), until))
	}
	c.session, c.me, c.rooms = s, s.user, s.rooms
	c.openedAt, c.connected, c.refused = time.Now(), true, 0
	c.outbox.reconnected()
	c.redial.Stop()
	c.heard()
	if s.lasts > 2*renewBefore {
		c.renew.Reset(s.lasts - renewBefore)
	}
	c.helpers.Go(func() { c.receive(ctx, s) })
}

// receive brings what a connection receives, and its end, to run.
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

// heard notes that the connection is alive in both directions.
func (c *chat) heard() {
	c.pong.Stop()
	c.silence.Reset(silenceMin + rand.N(silenceJitter)) //nolint:gosec // jitter is no secret
}

func (c *chat) ping(ctx context.Context) {
	if c.session == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := c.session.socket.Ping(ctx); err != nil {
		c.drop("the connection broke")
		return
	}
	c.pong.Reset(pongTimeout)
}

// drop gives the present connection up and plans the next one.
func (c *chat) drop(why string) {
	if c.session == nil {
		return
	}
	closing := c.session
	c.helpers.Go(func() { _ = closing.socket.Close() })
	c.session = nil
	for _, t := range []*time.Timer{c.resend, c.silence, c.pong, c.renew} {
		t.Stop()
	}
	if time.Since(c.openedAt) >= settled {
		c.attempts = 0
	}
	c.screen.note(why + "; connecting again")
	c.redial.Reset(c.backoff())
}
