package checker

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"signedsocket/internal/stageclient"
)

// Deletion is the wish of a client to delete a message, with all of its repetitions.
type Deletion struct {
	Client  int
	Room    string
	Seq     int64     // number of the message
	By      string    // id of the user
	Begin   time.Time // when it was first sent
	End     time.Time // when the first ack came; zero: none
	Note    int64     // number of the note in the ack; 0: none
	Failure string    // the code with which it was refused
}

// Note is the note that a message was deleted, as it arrived at a client: the first one with its number, or one that
// differs from that.
type Note struct {
	Client  int
	At      time.Time
	Deleted stageclient.Deleted
}

// copies is how long copies of a broadcast may arrive after its message was deleted: events of the fan-out live 60 s.
const copies = 2 * time.Minute

// Delete records that a client is about to ask for a deletion, for the first time or once more, under an id that it has
// for no other request or message.
func (r *Recorder) Delete(client int, by stageclient.User, room string, seq int64, id string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := request{client, id}
	if r.deletions[key] != nil {
		return
	}
	r.deletions[key] = &Deletion{Client: client, Room: room, Seq: seq, By: by.Sub, Begin: at}
	r.r.Deletions = append(r.r.Deletions, r.deletions[key])
}

// deleted records the answer to a request for a deletion.
func (r *Recorder) deleted(client int, id string, note int64, failure string, at time.Time) {
	d := r.deletions[request{client, id}]
	switch {
	case d == nil || !d.End.IsZero():
	case note > 0:
		d.End, d.Note = at, note
	case failure != "busy" && failure != "rate_limited":
		d.Failure = failure
	}
}

// gone says since when a message is known to be deleted.
type gone struct {
	at time.Time
	by string // the operation that showed it, in words
}

// deletions checks H9, and of H4 that no deleted text comes back.
func (c *check) deletions() {
	known := c.knownDeletions()
	for _, d := range c.r.Deletions {
		c.deletion(d)
	}
	for _, room := range slices.Sorted(maps.Keys(c.logs)) {
		c.notes(c.logs[room], known)
	}
	for _, a := range c.r.Answers {
		for _, entry := range a.History.Entries {
			g, deleted := known[place{a.History.Room, entry.Seq}]
			if deleted && entry.Text != "" && a.Asked.After(g.at) {
				c.find(Undeleted, "H9", "%s. After that, at %s, client %s asked for the log of %s, and got %s.", g.by,
					clock(a.Asked), name(a.Client), a.History.Room, describe(entry))
			}
		}
	}
	for _, f := range c.r.Latest {
		if g, deleted := known[place{f.Message.Room, f.Message.Seq}]; deleted && f.At.After(g.at.Add(copies)) {
			c.find(Undeleted, "H9", "%s. At %s client %s received %s.", g.by, clock(f.At), name(f.Client),
				describe(f.Message.Entry()))
		}
	}
}

// knownDeletions returns which messages were deleted, and since when at least: by acknowledgements, and by notes and
// messages without a text that clients have received.
func (c *check) knownDeletions() map[place]gone {
	known := map[place]gone{}
	learn := func(room string, seq int64, at time.Time, by string) {
		if g, before := known[place{room, seq}]; !before || at.Before(g.at) {
			known[place{room, seq}] = gone{at, by}
		}
	}
	for _, d := range c.r.Deletions {
		if d.Note > 0 {
			learn(d.Room, d.Seq, d.End, capital(c.deleted(d)))
		}
	}
	for _, n := range c.r.Notes {
		learn(n.Deleted.Room, n.Deleted.Of, n.At, fmt.Sprintf("Client %s received %s of %s at %s", name(n.Client),
			describe(n.Deleted.Entry()), n.Deleted.Room, clock(n.At)))
	}
	for _, a := range c.r.Answers {
		for _, entry := range a.History.Entries {
			by := fmt.Sprintf("At %s client %s got %s of %s", clock(a.At), name(a.Client), describe(entry),
				a.History.Room)
			if entry.Deleted {
				learn(a.History.Room, entry.Seq, a.At, by)
			}
			if entry.Of > 0 {
				learn(a.History.Room, entry.Of, a.At, by)
			}
		}
	}
	return known
}

// deletion checks that the log has the note of an acknowledged deletion, and that no deletion was refused whose user
// has written the message.
func (c *check) deletion(d *Deletion) {
	l := c.logs[d.Room]
	if l == nil {
		return
	}
	note, found := l.byPlace[d.Note]
	switch {
	case d.Note == 0 || c.expired(d.Room, d.Note):
	case !found:
		c.find(Lost, "H9", "%s, but the log of %s, read at %s, has no number %d.", c.deleted(d), d.Room, clock(l.At),
			d.Note)
	case note.Of != d.Seq || note.From.Sub != d.By && note.From.Sub != "": // which an erasure removes
		c.find(Changed, "H9", "%s, but %s.", c.deleted(d), c.inLog(l, note))
	}
	message, found := l.byPlace[d.Seq]
	if found && d.Note == 0 && (d.Failure == "not_found" || d.Failure == "not_yours" && message.From.Sub == d.By) {
		c.find(Lost, "H9", "client %s asked at %s to delete number %d of %s, and was refused with %s, but %s.",
			name(d.Client), clock(d.Begin), d.Seq, d.Room, d.Failure, c.inLog(l, message))
	}
}

// notes checks that a log has no text of a message that was deleted before the log was read, and that each message
// without a text was deleted by a user.
func (c *check) notes(l *log, known map[place]gone) {
	for _, entry := range l.Entries {
		g, deleted := known[place{l.room, entry.Seq}]
		if deleted && entry.Text != "" && g.at.Before(l.At) {
			c.find(Undeleted, "H9", "%s, but %s.", g.by, c.inLog(l, entry))
		}
		s := c.sends[entry.ID] // stored judges those that were acknowledged
		if entry.Deleted && s != nil && s.Seq == 0 && !c.mayBeDeleted(l, entry.Seq, s.From.Sub) {
			c.find(Invented, "H9", "%s, but no client has asked for that.", c.inLog(l, entry))
		}
		if entry.Of == 0 {
			continue
		}
		message, kept := l.byPlace[entry.Of]
		_, reported := known[place{l.room, entry.Of}]
		switch {
		case c.subs[entry.From.Sub] && !c.wished(l.room, entry.Of, entry.From.Sub):
			c.find(Invented, "H9", "%s, but that user has not asked for it.", c.inLog(l, entry))
		case kept && !reported && message.Text != "":
			c.find(Undeleted, "H9", "%s, and also %s.", c.inLog(l, entry), describe(message))
		}
	}
}

// wished reports whether a client has asked to delete a message; by "" stands for any user who was not refused as a
// stranger to it.
func (c *check) wished(room string, seq int64, by string) bool {
	return slices.ContainsFunc(c.r.Deletions, func(d *Deletion) bool {
		return d.Room == room && d.Seq == seq && (d.By == by || by == "" && d.Failure != "not_yours")
	})
}

// mayBeDeleted reports whether a client has asked to delete a message, or the log says that it was deleted.
func (c *check) mayBeDeleted(l *log, seq int64, author string) bool {
	return c.wished(l.room, seq, "") || slices.ContainsFunc(l.Entries, func(e stageclient.Entry) bool {
		return e.Of == seq || e.Erased != "" && e.Seq > seq && e.Erased == stageclient.ErasedUser(l.room, author)
	})
}
