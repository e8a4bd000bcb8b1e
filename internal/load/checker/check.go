package checker

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"signedsocket/internal/stageclient"
)

// Fault is what a finding is about.
type Fault string

// The faults.
const (
	Lost       Fault = "lost"
	Doubled    Fault = "doubled"
	OutOfOrder Fault = "out of order"
	Gap        Fault = "unexplained gap"
	Hole       Fault = "hole in a log"
	Invented   Fault = "invented"
	Changed    Fault = "changed"
	Undeleted  Fault = "shown after its deletion"
)

// Finding is a broken promise.
type Finding struct {
	Fault   Fault
	Promise string // H1 to H9
	Text    string // a sentence
}

// Check returns what is wrong with a recording.
func Check(r *Recording) []Finding {
	c := &check{
		r: r, logs: map[string]*log{}, subs: map[string]bool{}, known: map[place]said{},
		sends: map[string]*Send{}, number: map[string]int64{}, ids: map[place]string{},
	}
	c.collectIDs()
	for _, s := range r.Sends {
		c.subs[s.From.Sub], c.sends[s.ID] = true, s
	}
	for room, read := range r.Logs {
		c.logs[room] = newLog(room, read)
	}
	c.oneNumber()
	for _, room := range slices.Sorted(maps.Keys(c.logs)) {
		c.consecutive(c.logs[room])
		c.nothingInvented(c.logs[room])
	}
	for _, s := range r.Sends {
		c.stored(s)
	}
	c.realOrder()
	for _, f := range r.Frames {
		c.broadcast(f.Client, f.At, f.Message.Room, f.Message.Entry())
	}
	for _, n := range r.Notes {
		c.broadcast(n.Client, n.At, n.Deleted.Room, n.Deleted.Entry())
	}
	c.answers()
	c.deletions()
	for _, v := range r.Views {
		c.view(v)
	}
	return c.found
}

// check is the work of Check.
type check struct {
	r      *Recording
	logs   map[string]*log
	subs   map[string]bool  // users of the clients
	sends  map[string]*Send // by id
	number map[string]int64 // by id: the number in the log
	known  map[place]said
	ids    map[place]string // by number, of what was seen anywhere
	found  []Finding
}

// log is a Log with an index.
type log struct {
	Log
	room    string
	byPlace map[int64]stageclient.Entry
}

func newLog(room string, read Log) *log {
	l := &log{Log: read, room: room, byPlace: map[int64]stageclient.Entry{}}
	for _, entry := range read.Entries {
		l.byPlace[entry.Seq] = entry
	}
	return l
}

// head returns the newest number, or the one behind which the log was read.
func (l *log) head() int64 {
	if len(l.Entries) == 0 {
		return l.After
	}
	return l.Entries[len(l.Entries)-1].Seq
}

type place struct {
	room string
	seq  int64
}

// said is what an operation said about a number.
type said struct {
	entry stageclient.Entry
	by    string // the operation, in words
}

// expired reports whether the stage has deleted a number, and said so.
func (c *check) expired(room string, seq int64) bool {
	return slices.ContainsFunc(c.r.Expired, func(e Expired) bool {
		return e.Room == room && e.First <= seq && seq <= e.Last
	})
}

// allExpired reports whether the stage has deleted all numbers from first to last.
func (c *check) allExpired(room string, first, last int64) bool {
	for first <= last {
		i := slices.IndexFunc(c.r.Expired, func(e Expired) bool {
			return e.Room == room && e.First <= first && first <= e.Last
		})
		if i < 0 {
			return false
		}
		first = c.r.Expired[i].Last + 1
	}
	return true
}

// collectIDs notes which message has which number.
func (c *check) collectIDs() {
	for _, f := range c.r.Frames {
		c.ids[place{f.Message.Room, f.Message.Seq}] = f.Message.ID
	}
	for _, a := range c.r.Answers {
		for _, entry := range a.History.Entries {
			c.ids[place{a.History.Room, entry.Seq}] = entry.ID
		}
	}
	for room, l := range c.r.Logs {
		for _, entry := range l.Entries {
			c.ids[place{room, entry.Seq}] = entry.ID
		}
	}
}

// oneNumber checks H2: a message that was seen under two numbers had lost the first one, because that has expired.
// The method consecutive finds messages that the log holds twice.
func (c *check) oneNumber() {
	first := map[string]place{}
	for _, at := range slices.SortedFunc(maps.Keys(c.ids), byRoomAndNumber) {
		id := c.ids[at]
		before, twice := first[id]
		if !twice || id == "" {
			first[id] = at
			continue
		}
		l := c.logs[at.room]
		if l == nil || before.room != at.room || c.expired(at.room, before.seq) {
			continue
		}
		_, logged := l.byPlace[at.seq]
		_, loggedBefore := l.byPlace[before.seq]
		if s := c.sends[id]; s != nil && !(logged && loggedBefore) {
			c.find(Doubled, "H2", "%s was seen as number %d of %s and as number %d.", short(s.Text), before.seq,
				at.room, at.seq)
		}
	}
}

func byRoomAndNumber(a, b place) int {
	return cmp.Or(cmp.Compare(a.room, b.room), cmp.Compare(a.seq, b.seq))
}

// consecutive checks H2: the numbers of a log have no hole, and each id has one number.
func (c *check) consecutive(l *log) {
	for i, entry := range l.Entries {
		if first, twice := c.number[entry.ID]; twice && entry.ID != "" {
			c.find(Doubled, "H2", "%s, and the same message again as number %d.",
				c.inLog(l, l.byPlace[first]), entry.Seq)
		} else {
			c.number[entry.ID] = entry.Seq
		}
		if i == 0 {
			continue
		}
		before := l.Entries[i-1]
		_, elsewhere := l.byPlace[before.Seq+1]
		switch {
		case entry.Seq <= before.Seq:
			c.find(OutOfOrder, "H2", "%s, and behind it %s.", c.inLog(l, before), describe(entry))
		case !elsewhere && !c.allExpired(l.room, before.Seq+1, entry.Seq-1):
			c.find(Hole, "H2", "%s, and the next one is %s.", c.inLog(l, before), describe(entry))
		}
	}
}

// nothingInvented checks that the clients have sent what the log holds of them.
func (c *check) nothingInvented(l *log) {
	for _, entry := range l.Entries {
		s := c.sends[entry.ID]
		if entry.Text != "" && c.subs[entry.From.Sub] && (s == nil || s.Room != l.room) {
			c.find(Invented, "H1", "%s, but no client has sent it there.", c.inLog(l, entry))
		}
	}
}

// stored checks H1: a message that was acknowledged is in the log, as it was sent.
func (c *check) stored(s *Send) {
	l := c.logs[s.Room]
	if s.Seq == 0 || l == nil || c.expired(s.Room, s.Seq) {
		return
	}
	switch entry, found := l.byPlace[s.Seq]; {
	case found && entry.ID == s.ID && entry.Deleted && c.mayBeDeleted(l, s.Seq, s.From.Sub):
	case found && entry.ID == s.ID && entry.Text == s.Text && entry.From == s.From:
	case found && entry.ID == s.ID:
		c.find(Changed, "H1", "%s, but %s.", c.sent(s), c.inLog(l, entry))
	case c.number[s.ID] != 0:
		c.find(Changed, "H1", "%s, but %s.", c.sent(s), c.inLog(l, l.byPlace[c.number[s.ID]]))
	case found:
		c.find(Lost, "H1", "%s, but %s.", c.sent(s), c.inLog(l, entry))
	default:
		c.find(Lost, "H1", "%s, but the log of %s, read at %s, has no number %d.", c.sent(s), s.Room, clock(l.At),
			s.Seq)
	}
}

// realOrder checks H3: if one message was acknowledged before another one was sent, it has the lower number.
func (c *check) realOrder() {
	byRoom := map[string][]*Send{}
	for _, s := range c.r.Sends {
		if s.Seq > 0 {
			byRoom[s.Room] = append(byRoom[s.Room], s)
		}
	}
	for _, room := range slices.Sorted(maps.Keys(c.logs)) {
		sends := byRoom[room]
		slices.SortFunc(sends, func(a, b *Send) int { return cmp.Compare(a.Seq, b.Seq) })
		var latest *Send // to begin, of those with a lower number
		for _, s := range sends {
			if latest != nil && s.End.Before(latest.Begin) && s.Seq > latest.Seq {
				c.find(OutOfOrder, "H3", "%s. After that, %s.", c.sent(s), c.sent(latest))
			}
			if latest == nil || s.Begin.After(latest.Begin) {
				latest = s
			}
		}
	}
}

// broadcast checks H7: what was broadcast is in the log.
func (c *check) broadcast(client int, at time.Time, room string, entry stageclient.Entry) {
	if l := c.logs[room]; l != nil {
		c.same("H7", l, entry, "client "+name(client)+" received "+describe(entry)+" at "+clock(at))
	}
}

// same checks that an operation says about a number what the log says, or, when the number has expired, what the first
// operation said.
func (c *check) same(promise string, l *log, entry stageclient.Entry, by string) {
	if logged, found := l.byPlace[entry.Seq]; found {
		if !equal(entry, logged) {
			c.find(Changed, promise, "%s, but %s.", by, c.inLog(l, logged))
		}
		return
	}
	if !c.expired(l.room, entry.Seq) && entry.Seq > l.After {
		c.find(Invented, promise, "%s, but the log of %s, read at %s, has no number %d.", by, l.room,
			clock(l.At), entry.Seq)
		return
	}
	at := place{l.room, entry.Seq}
	if first, known := c.known[at]; !known {
		c.known[at] = said{entry, by}
	} else if !equal(entry, first.entry) {
		c.find(Changed, promise, "%s, but %s.", by, first.by)
	}
}

// equal reports whether two operations say the same about a number. A text may have been deleted in between.
func equal(a, b stageclient.Entry) bool {
	if a.ID == b.ID && (a.Deleted || b.Deleted) {
		return true
	}
	return a == b
}
