package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"signedsocket/internal/stageclient"
)

const (
	lookRequest = "look"
	mostAtOnce  = 100 // messages in one answer
	// lastForPeople is how many of the last messages a person sees first.
	lastForPeople = 20
	mostMissed    = 500 // messages; with more the chat shows the newest ones only
)

// past is what the chat knows of the messages before the present.
type past struct {
	last     int                   // how many messages to show first
	plain    bool                  // every line is a message, also /older
	follower *stageclient.Follower // nil before the first connection
	away     map[string]*absence   // by room that is not up to date
	cut      bool                  // the last connection was lost
	keepDays int                   // by the last answer
	older    int                   // times that the user has asked for older messages
	asked    bool                  // for older ones, without an answer yet
	freeAt   time.Time             // when a request may be sent that waits for the follower's budget; zero: none waits
}

// absence is what came to a room before it is up to date.
type absence struct {
	first  bool // the chat has just begun
	events []stageclient.Event
}

// followOn lets the follower go on with a new connection.
func (c *chat) followOn(s *session) {
	if c.past.follower == nil {
		c.past.follower = stageclient.NewFollower(s.rooms, c.past.last, mostMissed)
		c.goAway(true)
	}
	c.past.follower.Enter(s.rooms)
	maps.DeleteFunc(c.past.away, func(room string, _ *absence) bool { return !slices.Contains(s.rooms, room) })
	c.past.follower.Connected(time.Now(), s.history)
	c.past.asked, c.people.asked = false, false
	if s.history {
		return
	}
	for room, absence := range c.past.away {
		delete(c.past.away, room)
		for _, event := range absence.events {
			c.showOrKeep(room, event)
		}
	}
	switch {
	case c.past.cut:
		c.screen.line("this server keeps no history (chat.v1): messages in between may be missing")
	case c.past.last > 0:
		c.screen.note("this server keeps no history (chat.v1), so there are no last messages")
	}
	c.past.last, c.past.cut = 0, false
}

// goAway keeps events back from now on, until the rooms are up to date.
func (c *chat) goAway(first bool) {
	if c.past.away == nil {
		c.past.away = map[string]*absence{}
	}
	for _, room := range c.rooms {
		if c.past.away[room] == nil {
			c.past.away[room] = &absence{first: first}
		}
	}
}

// awaitsPast reports whether the user still waits for earlier messages, or for those that follow them.
func (c *chat) awaitsPast() bool {
	return c.past.older > 0 || c.people.wanted || c.past.last > 0 && len(c.past.away) > 0 ||
		c.past.follower != nil && slices.ContainsFunc(c.rooms, c.past.follower.Holds)
}

// askForPast sends the requests that are due, and plans the next ones.
func (c *chat) askForPast(ctx context.Context) {
	if c.session == nil {
		return
	}
	c.past.freeAt = time.Time{}
	c.askForOlder(ctx)
	c.lookFurther(ctx)
	c.askForUsers(ctx)
	for c.session != nil {
		request := c.past.follower.Ask(time.Now())
		if len(request.Wants) == 0 {
			break
		}
		if request.Ping && !c.pinging {
			c.pingNow(ctx)
		}
		c.request(ctx, request.ID, request.Wants...)
	}
	next := c.past.follower.Next()
	if free := c.past.freeAt; next.IsZero() || !free.IsZero() && free.Before(next) {
		next = free
	}
	c.plan(c.ask, next)
	c.plan(c.quiet, c.past.follower.QuietAt())
}

// plan sets a timer of the present connection, or stops it.
func (c *chat) plan(timer *time.Timer, at time.Time) {
	timer.Stop()
	if c.session != nil && !at.IsZero() {
		timer.Reset(time.Until(at))
	}
}

// spend takes a request from the follower's budget, since more requests would be misbehaviour. Without one askForPast
// comes back when there is one.
func (c *chat) spend() bool {
	from, ok := c.past.follower.Spend(time.Now())
	if !ok {
		c.past.freeAt = from
	}
	return ok
}

// request asks for parts of the log.
func (c *chat) request(ctx context.Context, id string, wants ...stageclient.Want) {
	if c.session == nil {
		return
	}
	c.question(ctx, stageclient.Question{ID: id, Wants: wants})
}

// question asks the stage, and gives a broken connection up.
func (c *chat) question(ctx context.Context, q stageclient.Question) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := c.session.socket.Ask(ctx, q); err != nil {
		c.drop("the connection broke")
	}
}

// room is the room to which the user writes.
func (c *chat) room() string {
	if len(c.rooms) == 0 {
		return ""
	}
	return c.rooms[0]
}

// news shows what the follower tells.
func (c *chat) news(event stageclient.Event) {
	switch e := event.(type) {
	case stageclient.Told:
		if e.Entry.Seq > 0 {
			c.stored(e.Room, e.Entry.ID, e.Entry.Seq)
		}
		c.showOrKeep(e.Room, e)
	case stageclient.Missing:
		c.showOrKeep(e.Room, e)
	case stageclient.CaughtUp:
		c.past.keepDays = e.KeepDays
		c.caughtUp(e)
	case stageclient.Older:
		c.showOlder(e)
	}
}

func (c *chat) showOrKeep(room string, event stageclient.Event) {
	if absence := c.past.away[room]; absence != nil {
		absence.events = append(absence.events, event)
		return
	}
	switch e := event.(type) {
	case stageclient.Told:
		c.show(room, e.Entry)
		c.readLater()
	case stageclient.Missing:
		c.screen.line("some are missing")
	}
}

// caughtUp shows what was kept back.
func (c *chat) caughtUp(e stageclient.CaughtUp) {
	absence := c.past.away[e.Room]
	if absence == nil {
		return
	}
	delete(c.past.away, e.Room)
	absence.events = withoutDeleted(absence.events)
	switch missed := c.missed(absence.events); {
	case e.KeepDays == 0 && c.past.cut:
		c.screen.line(keepsNothing + ": messages in between may be missing")
		c.past.cut = false // one line is enough for several rooms
	case e.KeepDays == 0 && c.past.last > 0:
		c.screen.note(keepsNothing + ", so there are no last messages")
	case missed > 0 && !absence.first:
		c.screen.line(whileAway(missed, e.Room, len(c.rooms) > 1))
	}
	unread := c.unread(e, absence)
	for i, event := range absence.events {
		if i == unread.at {
			c.screen.line(unread.text)
		}
		c.showOrKeep(e.Room, event)
	}
	if unread.at == len(absence.events) {
		c.screen.line(unread.text)
	}
	if len(c.past.away) == 0 {
		c.past.last, c.past.cut = 0, false
	}
}

// missed counts messages of others from the log.
func (c *chat) missed(events []stageclient.Event) (n int) {
	for _, event := range events {
		told, ok := event.(stageclient.Told)
		if ok && !told.Live && told.Entry.Text != "" && told.Entry.From.Sub != c.me.Sub {
			n++
		}
	}
	return n
}

func whileAway(n int, room string, severalRooms bool) string {
	text := "1 message"
	if n > 1 {
		text = fmt.Sprintf("%d messages", n)
	}
	if severalRooms {
		text += " in " + room
	}
	return text + " while you were away"
}
