package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"signedsocket/internal/stageclient"
)

const (
	hereCommand = "/here"
	hereRequest = "here"
)

// people is the user's question who is in the room.
type people struct {
	wanted bool
	asked  bool      // on the present connection, without an answer yet
	due    time.Time // when the stage takes the question
}

// askForUsers asks which users are in the room.
func (c *chat) askForUsers(ctx context.Context) {
	switch {
	case !c.people.wanted || c.people.asked || c.session == nil:
		return
	case !c.session.history:
		c.people.wanted = false
		c.screen.note("this server does not tell who is here (chat.v1)")
		return
	case time.Now().Before(c.people.due):
		c.past.freeAt = c.people.due
		return
	case !c.spend():
		return
	}
	c.people.asked = true
	c.answer.Reset(ackTimeout)
	c.question(ctx, stageclient.Question{ID: hereRequest, Here: []string{c.room()}})
}

// noUsers handles that no answer came.
func (c *chat) noUsers() {
	if c.people.asked {
		c.people = people{}
		c.screen.note("the stage does not tell who is here (its PresenceLimit is 0, or it is an older one)")
	}
}

// users shows who is in the room, if the user has asked.
func (c *chat) users(p stageclient.Presence) {
	if !c.people.wanted || p.Room != c.room() {
		return
	}
	c.people = people{}
	c.answer.Stop()
	text := fmt.Sprintf("%d users are in %s", p.Count, p.Room)
	if p.Count == 1 {
		text = "1 user is in " + p.Room
	}
	var names []string
	for _, user := range p.Users {
		name := user.Name
		if user.Sub == c.me.Sub {
			name += " (you)"
		}
		names = append(names, name)
	}
	if len(names) > 0 {
		slices.Sort(names)
		text += ": " + strings.Join(names, ", ")
	}
	c.screen.note(text)
}

// usersRefused says why the stage does not tell who is here.
func (c *chat) usersRefused(e stageclient.Error) {
	if e.Code == "rate_limited" || e.Code == "busy" {
		wait := max(100*time.Millisecond, time.Duration(e.RetryAfterMs)*time.Millisecond)
		c.people = people{wanted: true, due: time.Now().Add(wait)}
		c.answer.Stop()
		return
	}
	c.people = people{}
	c.answer.Stop()
	c.screen.note(fmt.Sprintf("the stage does not tell who is here: %s (%s)", e.Text, e.Code))
}
