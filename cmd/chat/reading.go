package main

import (
	"context"
	"fmt"
	"maps"
	"time"

	"signedsocket/internal/stageclient"
)

const (
	readRequest = "read"
	readPause   = 3 * time.Second // after a message was shown, until the stage is told that it was read
)

// reading is what a person has read. Nothing is told to the stage in a pipe, where no person reads.
type reading struct {
	person bool
	told   map[string]int64 // by room, the number that the stage knows
}

// unreadLine is a line that says how many messages are unread.
type unreadLine struct {
	at   int // the event before which it stands, or -1
	text string
}

// unread counts the messages of others that the user has not read on any device, when the chat begins.
func (c *chat) unread(e stageclient.CaughtUp, absence *absence) unreadLine {
	if c.reading.told == nil {
		c.reading.told = map[string]int64{}
	}
	c.reading.told[e.Room] = max(c.reading.told[e.Room], e.Read)
	none := unreadLine{at: -1}
	end, known := c.past.follower.Position(e.Room)
	if !absence.first || e.Read == 0 || !known || end <= e.Read {
		return none
	}
	first, here, oldest := -1, 0, end+1
	for i, event := range absence.events {
		told, ok := event.(stageclient.Told)
		if !ok {
			continue
		}
		oldest = min(oldest, told.Entry.Seq)
		if told.Entry.Seq <= e.Read || told.Entry.Text == "" || told.Entry.From.Sub == c.me.Sub {
			continue
		}
		if here++; first < 0 {
			first = i
		}
	}
	switch {
	case oldest <= e.Read+1 && here == 0:
		return none
	case oldest <= e.Read+1:
		return unreadLine{first, c.in(e.Room) + messages(here, "unread ")}
	}
	// The log also has notes and own messages behind the number, so this is no exact count.
	text := fmt.Sprintf("%sabout %s", c.in(e.Room), messages(int(end-e.Read), "unread "))
	if here > 0 {
		return unreadLine{first, text + "; the last ones are:"}
	}
	return unreadLine{len(absence.events), text}
}

// messages counts messages: "1 unread message", "2 unread messages".
func messages(n int, kind string) string {
	if n == 1 {
		return "1 " + kind + "message"
	}
	return fmt.Sprintf("%d %smessages", n, kind)
}

// readLater plans to tell the stage what was read.
func (c *chat) readLater() {
	if c.reading.person && c.session != nil && c.session.history {
		c.mark.Reset(readPause)
	}
}

// readSince returns what the person has read since the stage was told.
func (c *chat) readSince() map[string]int64 {
	read := map[string]int64{}
	if !c.reading.person || c.session == nil || !c.session.history || c.past.follower == nil {
		return read
	}
	for _, room := range c.rooms {
		position, known := c.past.follower.Position(room)
		if known && c.past.away[room] == nil && position > c.reading.told[room] {
			read[room] = position
		}
	}
	return read
}

// tellRead tells the stage what the person has read.
func (c *chat) tellRead(ctx context.Context) {
	read := c.readSince()
	if len(read) == 0 {
		return
	}
	if _, ok := c.past.follower.Spend(time.Now()); !ok {
		c.mark.Reset(readPause)
		return
	}
	maps.Copy(c.reading.told, read)
	c.question(ctx, stageclient.Question{ID: readRequest, Read: read})
}

// tellReadAtLast tells the stage so before the chat ends. It does not wait for a connection that is broken.
func (c *chat) tellReadAtLast(ctx context.Context) {
	read := c.readSince()
	if len(read) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	// If this fails, the next chat counts too many.
	_ = c.session.socket.Ask(ctx, stageclient.Question{ID: readRequest, Read: read})
}
