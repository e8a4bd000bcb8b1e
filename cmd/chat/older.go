package main

import (
	"context"
	"fmt"

	"signedsocket/internal/stageclient"
)

const (
	olderCommand = "/older"
	olderRequest = "older"
	olderPage    = 20 // messages
)

// askForOlder asks for the messages that the user wants to see, once the room is up to date.
func (c *chat) askForOlder(ctx context.Context) {
	if c.past.older == 0 || c.past.asked || c.past.away[c.room()] != nil {
		return
	}
	if want, ok := c.past.follower.OlderWant(c.room(), olderPage); ok {
		if !c.spend() {
			return
		}
		c.past.asked = true
		c.request(ctx, olderRequest, want)
		return
	}
	c.past.older = 0
	switch {
	case !c.session.history:
		c.screen.note("this server keeps no history (chat.v1), so there are no older messages")
	case c.past.keepDays == 0:
		c.screen.note(keepsNothing + ", so there are no older messages")
	default:
		c.screen.note(fmt.Sprintf("there are no older messages; the stage keeps them for %s", days(c.past.keepDays)))
	}
}

const keepsNothing = "this stage keeps no history (its HistoryDays is 0)"

func days(n int) string {
	if n == 1 {
		return "a day"
	}
	return fmt.Sprintf("%d days", n)
}

// olderRefused says why there are no older messages.
func (p *past) olderRefused(s *screen, e stageclient.Error) {
	p.older, p.asked = 0, false
	s.note(fmt.Sprintf("older messages were refused: %s (%s)", e.Text, e.Code))
}

func (c *chat) showOlder(e stageclient.Older) {
	c.past.older, c.past.asked = max(c.past.older-1, 0), false
	c.screen.line("older messages")
	for _, entry := range e.Entries {
		c.show(e.Room, entry)
	}
	if e.More {
		c.screen.line("until here")
	} else {
		c.screen.line("until here; that was the beginning")
	}
}
