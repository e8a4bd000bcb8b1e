package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"signedsocket/internal/stageclient"
)

const (
	deleteCommand = "/delete"
	deleteUsage   = "/delete deletes your last message, /delete 2 the one before it, and so on"
)

// deleting are the messages that the user can delete, and the requests to do so.
type deleting struct {
	own    []ownMessage // in the room to which the user writes, ascending
	wanted []int        // messages that are not chosen yet, counted back: 1 is the last one
	queue  []*deletion
	failed int // messages that were not deleted
}

// ownMessage is a message of the user that the log has.
type ownMessage struct {
	seq  int64
	text string
}

// deletion is a request to delete a message. It is sent again until it is answered.
type deletion struct {
	ownMessage
	sent     bool      // on the present connection, without an answer yet
	due      time.Time // when to send it next
	failures int
}

func (d *deletion) id() string { return fmt.Sprint("delete-", d.seq) }

// stored notes a message of the user.
func (d *deleting) stored(c *chat, m stageclient.Message) {
	if m.Seq == 0 || m.Room != c.room() || m.From.Sub != c.me.Sub {
		return
	}
	i, known := slices.BinarySearchFunc(d.own, m.Seq, bySeq)
	asked := slices.ContainsFunc(d.queue, func(q *deletion) bool { return q.seq == m.Seq })
	if !known && !asked {
		d.own = slices.Insert(d.own, i, ownMessage{m.Seq, m.Text})
	}
}

// mayDelete notes a message of the outbox that the log has. The terminal may show it later.
func (c *chat) mayDelete(p *pending, seq int64) {
	c.deleting.stored(c, stageclient.Message{Room: c.room(), From: c.me, Seq: seq, Text: p.text})
}

// gone notes that a message was deleted.
func (d *deleting) gone(c *chat, room string, seq int64) {
	if i, known := slices.BinarySearchFunc(d.own, seq, bySeq); known && room == c.room() {
		d.own = slices.Delete(d.own, i, i+1)
	}
}

func bySeq(m ownMessage, seq int64) int { return cmp.Compare(m.seq, seq) }

// wants reads the command. It returns false for other lines.
func (d *deleting) wants(s *screen, line string) bool {
	rest, found := strings.CutPrefix(line, deleteCommand)
	if !found || rest != "" && rest[0] != ' ' {
		return false
	}
	n := 1
	if rest = strings.TrimSpace(rest); rest != "" {
		var err error
		if n, err = strconv.Atoi(rest); err != nil || n < 1 {
			s.note(deleteUsage)
			return true
		}
	}
	d.wanted = append(d.wanted, n)
	return true
}

// awaited reports whether a request is not answered yet.
func (d *deleting) awaited() bool { return len(d.wanted)+len(d.queue) > 0 }

// chooseDeletions finds the messages that the user wants to delete. It waits until the log has all that the user has
// written before.
func (c *chat) chooseDeletions() {
	room := c.room()
	if c.session == nil || c.outbox.first() != nil || c.session.history && c.past.away[room] != nil {
		return
	}
	for _, n := range c.deleting.wanted {
		own := c.deleting.own
		switch {
		case !c.session.history:
			c.notDeleted("this server cannot delete messages (chat.v1)")
		case c.session.readOnly[room]:
			c.notDeleted(onlyRead(room))
		case c.past.keepDays == 0:
			c.notDeleted(keepsNothing + ", so there is nothing to delete")
		case n > len(own):
			c.notDeleted(fmt.Sprintf("the terminal shows %s of yours in %s", messages(len(own), ""), room))
		default:
			chosen := own[len(own)-n]
			c.deleting.own = slices.Delete(own, len(own)-n, len(own)-n+1)
			c.deleting.queue = append(c.deleting.queue, &deletion{ownMessage: chosen})
			c.screen.note(fmt.Sprintf("deleting %q", chosen.text))
		}
	}
	c.deleting.wanted = nil
}

func onlyRead(room string) string { return "you may only read in " + room }

func (c *chat) notDeleted(why string) {
	c.deleting.failed++
	c.screen.note("nothing was deleted: " + why)
}

// sendDeletions sends the requests that are due, and plans the next ones.
func (c *chat) sendDeletions(ctx context.Context) {
	c.chooseDeletions()
	var next time.Time
	for _, d := range slices.Clone(c.deleting.queue) {
		if c.session == nil {
			return
		}
		if c.session.readOnly[c.room()] { // since the user has asked
			c.undeleted(d, onlyRead(c.room()))
			continue
		}
		if now := time.Now(); !d.due.After(now) {
			if d.sent && !c.deletionFailed(d, "no answer") {
				continue
			}
			c.sendDeletion(ctx, d)
		}
		if next.IsZero() || d.due.Before(next) {
			next = d.due
		}
	}
	c.plan(c.erase, next)
}

func (c *chat) sendDeletion(ctx context.Context, d *deletion) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	d.sent, d.due = true, time.Now().Add(ackTimeout)
	if err := c.session.socket.SendDelete(ctx, c.room(), d.seq, d.id()); err != nil {
		c.drop("the connection broke")
	}
}

// deletionFailed reports whether to send a request once more.
func (c *chat) deletionFailed(d *deletion, why string) bool {
	if d.failures++; d.failures < maxFailures {
		return true
	}
	c.undeleted(d, why)
	return false
}

// undeleted gives a request up.
func (c *chat) undeleted(d *deletion, why string) {
	c.answered(d)
	c.deleting.failed++
	c.screen.note(fmt.Sprintf("not deleted: %q: %s", d.text, why))
}

// answered removes a request that has its answer.
func (c *chat) answered(d *deletion) {
	c.deleting.queue = slices.DeleteFunc(c.deleting.queue, func(q *deletion) bool { return q == d })
	if c.lines == nil {
		c.giveUp.Reset(patience)
	}
}

// find returns the request with an id, or nil.
func (d *deleting) find(id string) *deletion {
	i := slices.IndexFunc(d.queue, func(q *deletion) bool { return q.id() == id })
	if i < 0 {
		return nil
	}
	return d.queue[i]
}

// deletionRefused handles an error that answers a request. It returns false for other errors.
func (c *chat) deletionRefused(e stageclient.Error) bool {
	d := c.deleting.find(e.ClientID)
	if d == nil {
		return false
	}
	switch e.Code {
	case "rate_limited", "busy":
		wait := max(100*time.Millisecond, time.Duration(e.RetryAfterMs)*time.Millisecond)
		d.sent, d.due = false, time.Now().Add(wait)
	case "unknown_action":
		c.undeleted(d, "this server cannot delete messages (unknown_action)")
	default:
		c.undeleted(d, e.Text+" ("+e.Code+")")
	}
	return true
}

// deletionsFailed plans to send all requests again, after a failure that does not say which frame it concerns.
func (c *chat) deletionsFailed(why string) {
	for _, d := range slices.Clone(c.deleting.queue) {
		if d.sent && c.deletionFailed(d, why) {
			d.sent, d.due = false, time.Now().Add(time.Second<<min(d.failures, 4))
		}
	}
}

// reconnected makes all requests ready to be sent again at once.
func (d *deleting) reconnected() {
	for _, q := range d.queue {
		q.sent, q.due = false, time.Time{}
	}
}
