package main

import (
	"slices"

	"signedsocket/internal/stageclient"
)

// show shows an entry of a room: a message, or that one was deleted.
func (c *chat) show(room string, e stageclient.Entry) {
	switch {
	case e.Text != "":
		m := stageclient.Message{ID: e.ID, Room: room, From: e.From, Text: e.Text, SentAt: e.SentAt, Seq: e.Seq}
		if e.Seq > 0 {
			c.shown.add(m)
			c.deleting.stored(c, m)
		}
		c.screen.message(m, e.From.Sub == c.me.Sub, len(c.rooms) > 1)
	case e.Deleted:
		c.deleting.gone(c, room, e.Seq)
		c.screen.line(c.in(room) + deletedText)
	case e.Of > 0:
		c.showDeletion(room, e)
	case e.Erased != "":
		c.showErasure(room, e.Erased)
	}
}

const deletedText = "(message deleted)"

// showDeletion says that a message was deleted, if the terminal shows it.
func (c *chat) showDeletion(room string, note stageclient.Entry) {
	c.deleting.gone(c, room, note.Of)
	m, known := c.shown.take(room, note.Of)
	if !known {
		return
	}
	text := deletedText
	if note.From.Sub != m.From.Sub && note.From.Sub != "" { // else that user was erased
		text = "(message deleted by " + note.From.Name + ")"
	}
	c.screen.line(c.screen.head(m, m.From.Sub == c.me.Sub, len(c.rooms) > 1) + text)
}

// showErasure says that all messages of a user were deleted, if the terminal shows one.
func (c *chat) showErasure(room, hash string) {
	var name string
	for _, m := range c.shown.messages {
		if m.Room == room && stageclient.ErasedUser(room, m.From.Sub) == hash {
			name = m.From.Name
			c.deleting.gone(c, room, m.Seq)
		}
	}
	if name != "" {
		c.screen.line(c.in(room) + "(all messages of " + name + " were deleted)")
	}
}

// in names a room at the beginning of a line, when the chat has several.
func (c *chat) in(room string) string {
	if len(c.rooms) > 1 {
		return "[" + room + "] "
	}
	return ""
}

// withoutDeleted removes the texts of messages that later events delete.
func withoutDeleted(events []stageclient.Event) []stageclient.Event {
	deleted := map[int64]bool{}
	for _, event := range events {
		if told, ok := event.(stageclient.Told); ok {
			deleted[told.Entry.Of] = true
		}
	}
	kept := slices.Clone(events)
	for i, event := range kept {
		if told, ok := event.(stageclient.Told); ok && told.Entry.Seq > 0 && deleted[told.Entry.Seq] {
			told.Entry = stageclient.Entry{Seq: told.Entry.Seq, ID: told.Entry.ID, Deleted: true}
			kept[i] = told
		}
	}
	return kept
}

// shownMessages are the last messages on the terminal, without their texts.
type shownMessages struct{ messages []stageclient.Message }

const mostShown = 1000

func (s *shownMessages) add(m stageclient.Message) {
	if len(s.messages) == mostShown {
		s.messages = s.messages[1:]
	}
	m.Text = ""
	s.messages = append(s.messages, m)
}

// take removes a message and returns it.
func (s *shownMessages) take(room string, seq int64) (m stageclient.Message, known bool) {
	i := slices.IndexFunc(s.messages, func(m stageclient.Message) bool { return m.Room == room && m.Seq == seq })
	if i < 0 {
		return m, false
	}
	m = s.messages[i]
	s.messages = slices.Delete(s.messages, i, i+1)
	return m, true
}
