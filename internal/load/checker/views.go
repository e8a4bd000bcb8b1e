package checker

import (
	"slices"
	"time"
)

// answers checks H4: every answer is a part of the log without a hole. And one of H6: the last answer to a client that
// came back is as new as its request.
func (c *check) answers() {
	heads := c.acknowledged()
	for _, a := range c.r.Answers {
		l := c.logs[a.History.Room]
		if l == nil || a.History.KeepDays == 0 {
			continue
		}
		c.answer(l, a)
		if newest := before(heads[l.room], a.Asked); newest != nil && !a.History.More && a.History.Head < newest.Seq &&
			!c.expired(l.room, newest.Seq) {
			c.find(Lost, "H6", "%s. After that, at %s, client %s asked for the log, which ended at %d.",
				c.sent(newest), clock(a.Asked), name(a.Client), a.History.Head)
		}
	}
}

// newest is the highest number that was acknowledged until a time.
type newest struct {
	until time.Time
	send  *Send
}

// acknowledged returns by room, in the order of time, when which number was the highest one.
func (c *check) acknowledged() map[string][]newest {
	sends := slices.Clone(c.r.Sends)
	slices.SortFunc(sends, func(a, b *Send) int { return a.End.Compare(b.End) })
	heads := map[string][]newest{}
	for _, s := range sends {
		known := heads[s.Room]
		if s.Seq > 0 && (len(known) == 0 || known[len(known)-1].send.Seq < s.Seq) {
			heads[s.Room] = append(known, newest{s.End, s})
		}
	}
	return heads
}

// before returns the message with the highest number that was acknowledged before a time.
func before(acknowledged []newest, at time.Time) *Send {
	i, _ := slices.BinarySearchFunc(acknowledged, at, func(n newest, at time.Time) int { return n.until.Compare(at) })
	if i == 0 {
		return nil
	}
	return acknowledged[i-1].send
}

func (c *check) answer(l *log, a Answer) {
	h := a.History
	by := "at " + clock(a.At) + " client " + name(a.Client) + " got a part of the log of " + l.room
	for i, entry := range h.Entries {
		c.same("H4", l, entry, by+" with "+describe(entry))
		if i == 0 {
			continue
		}
		if before := h.Entries[i-1]; entry.Seq != before.Seq+1 {
			c.find(Hole, "H4", "%s with %s, and the next one was %s.", by, describe(before), describe(entry))
		}
	}
	if h.After == nil || *h.After == 0 || !h.Complete || len(h.Entries) == 0 {
		return
	}
	if first := h.Entries[0]; first.Seq != *h.After+1 {
		c.find(Hole, "H4", "%s that was called complete after %d, but began with %s.", by, *h.After,
			describe(first))
	}
}

// view checks H5 and H6: a client shows every number from its first one on once, in order, and gaps only where
// something has expired.
func (c *check) view(v *View) {
	l := c.logs[v.Room]
	if l == nil {
		return
	}
	shown := c.shown(l, v)
	var last, gap, returned *Shown // last: the last number that is accounted for
	for i := range v.Shown {
		item := &v.Shown[i]
		switch item.Kind {
		case AReturn:
			returned = item
		case AStart:
			last = item
		case AGap:
			gap = item
			c.gap(l, v, item, returned, nextEntry(v.Shown[i:]))
		case AnEntry:
			c.entry(l, v, shown, last, gap, item)
			last, gap = later(last, item.last()), nil
		}
	}
	if !v.Live || last == nil || gap != nil {
		return
	}
	if missing := l.firstMissing(shown, last.Number); missing > 0 && (!l.Late || missing <= c.seenLast(v.Room)) {
		c.find(Lost, "H5", "client %s, which was up to date at the end, %s, and never %s.", name(v.Client),
			showed(last), c.entryAt(l, missing))
	}
}

// entry checks that an entry follows what the client has shown before.
func (c *check) entry(l *log, v *View, shown map[int64]bool, last, gap, item *Shown) {
	c.same("H5", l, *item.Entry, "client "+name(v.Client)+" "+showed(item))
	if last == nil {
		return
	}
	switch {
	case item.Number == last.Number:
		c.find(Doubled, "H5", "client %s %s, and again at %s.", name(v.Client), showed(last), clock(item.At))
	case item.Number < last.Number:
		c.find(OutOfOrder, "H5", "client %s %s, and then it %s.", name(v.Client), showed(last), showed(item))
	case gap == nil:
		if missing := l.firstMissing(shown, last.Number); missing > 0 && missing < item.Number {
			c.find(Lost, "H5", "client %s %s, then it %s, and not %s.", name(v.Client), showed(last), showed(item),
				c.entryAt(l, missing))
		}
	}
}

// gap checks that a client shows a gap only where the stage has deleted something that the client did not have.
func (c *check) gap(l *log, v *View, item, returned, next *Shown) {
	end := l.head()
	if next != nil {
		end = next.Number - 1
	}
	explained := slices.ContainsFunc(c.r.Expired, func(e Expired) bool {
		return e.Room == v.Room && e.Last > item.Number && e.First <= end && !e.At.After(item.At)
	})
	if explained {
		return
	}
	came := "was connected"
	if returned != nil {
		came = "came back at " + clock(returned.At) + " with everything up to " + digits(returned.Number)
	}
	c.find(Gap, "H6", "client %s %s, and was told at %s that entries of %s behind %d are gone, but nothing there "+
		"has expired.", name(v.Client), came, clock(item.At), v.Room, item.Number)
}

// nextEntry returns the first entry among the items, or nil.
func nextEntry(items []Shown) *Shown {
	for i := range items {
		if items[i].Kind == AnEntry {
			return &items[i]
		}
	}
	return nil
}

// later returns the item with the higher number.
func later(a, b *Shown) *Shown {
	if a != nil && a.Number > b.Number {
		return a
	}
	return b
}

// seenLast returns the highest number of a room that a client has shown or was told.
func (c *check) seenLast(room string) (highest int64) {
	for _, s := range c.r.Sends {
		if s.Room == room {
			highest = max(highest, s.Seq)
		}
	}
	for _, v := range c.r.Views {
		for i := range v.Shown {
			if v.Room == room {
				highest = max(highest, v.Shown[i].last().Number)
			}
		}
	}
	return highest
}

// shown returns the numbers that a client has shown. A client shows a message that has two numbers once.
func (c *check) shown(l *log, v *View) map[int64]bool {
	shown, ids := map[int64]bool{}, map[string]bool{}
	for _, item := range v.Shown {
		for n := item.Number; item.Kind == AnEntry && n <= item.last().Number; n++ {
			shown[n] = true
			ids[c.ids[place{l.room, n}]] = true
		}
	}
	for _, entry := range l.Entries {
		if entry.ID != "" && ids[entry.ID] {
			shown[entry.Seq] = true
		}
	}
	return shown
}

// firstMissing returns the first number of the log behind another one that a client did not show, or 0.
func (l *log) firstMissing(shown map[int64]bool, number int64) int64 {
	for _, entry := range l.Entries {
		if entry.Seq > number && !shown[entry.Seq] {
			return entry.Seq
		}
	}
	return 0
}
