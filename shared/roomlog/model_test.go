package roomlog

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// model is what a log should hold, and the dice of a run.
type model struct {
	*table
	t       *testing.T
	dice    *rand.Rand
	days    int     // HistoryDays
	entries []Entry // all that were ever appended, ascending
	floors  map[string]int64
	gone    map[int64]bool // numbers of entries that TTL has removed
}

// TestRandomOperationsAgreeWithTheModel lets writers with different clocks append, send again, delete and erase, TTL
// delete in any order, HistoryDays change and time pass, and compares all kinds of reads with a list.
func TestRandomOperationsAgreeWithTheModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			m := &model{
				table: newTable(t), t: t, days: 7, floors: map[string]int64{}, gone: map[int64]bool{},
				dice: rand.New(rand.NewPCG(seed, 15)),
			}
			for range 150 {
				m.step()
				if t.Failed() {
					return
				}
			}
		})
	}
}

func (m *model) step() {
	switch n := m.dice.IntN(100); {
	case n < 49:
		m.append()
	case n < 57:
		m.resend()
	case n < 64:
		m.delete()
	case n < 65:
		m.erase()
	case n < 80:
		waits := []time.Duration{time.Millisecond, time.Minute, time.Hour, 13 * time.Hour, day, 50 * time.Hour,
			9*day + time.Second}
		m.pass(waits[m.dice.IntN(len(waits))])
	case n < 88:
		m.expire()
	case n < 91:
		m.days = []int{1, 2, 7}[m.dice.IntN(3)]
	default:
		m.readForward()
		m.readBackward()
	}
}

// writer returns a Log with a clock of its own, now and then with another HistoryDays.
func (m *model) writer() *Log {
	days := m.days
	if m.dice.IntN(10) == 0 {
		days = 3
	}
	return m.log(days, time.Duration(m.dice.IntN(5)-2)*time.Second)
}

// head returns the newest number that was ever given, or 0.
func (m *model) head() int64 {
	if len(m.entries) == 0 {
		return 0
	}
	return m.entries[len(m.entries)-1].Seq
}

func (m *model) append() {
	e := m.message(fmt.Sprint("m", len(m.entries)))
	e.Text, e.Subject = string(make([]byte, 1+m.dice.IntN(400))), m.user()
	after := []int64{NotKnown, m.head(), max(m.head()-int64(m.dice.IntN(60)), 0)}[m.dice.IntN(3)]
	l := m.writer()
	stored, duplicate, err := l.Append(m.t.Context(), l.Look(m.t.Context(), lobby, after), e)
	if err != nil || duplicate || stored.Seq <= m.head() {
		m.t.Errorf("append after %d = %d, %t, %v; the newest is %d", after, stored.Seq, duplicate, err, m.head())
	}
	m.floors[e.ID] = max(after, 0)
	m.entries = append(m.entries, stored)
}

func (m *model) resend() {
	if len(m.entries) == 0 {
		return
	}
	e := m.entries[m.dice.IntN(len(m.entries))]
	if _, sent := m.floors[e.ID]; !sent || m.gone[e.Seq] {
		return
	}
	l, again := m.writer(), m.message(e.ID)
	stored, duplicate, err := l.Append(m.t.Context(), l.Look(m.t.Context(), lobby, m.floors[e.ID]), again)
	if errors.Is(err, ErrFarBehind) {
		return
	}
	text := e.Text
	if l.expired(e, m.now()) {
		text = ""
	}
	if err != nil || !duplicate || stored.Seq != e.Seq || stored.Text != text || stored.Deleted != (text == "") {
		m.t.Errorf("resend of %d = %d, %t, %v", e.Seq, stored.Seq, duplicate, err)
	}
}

// expire removes some of the blocks that have expired, as TTL does.
func (m *model) expire() {
	for _, b := range m.blocks(m.t) {
		if b.expiresAt.After(m.now()) || m.dice.IntN(2) == 0 {
			continue
		}
		m.remove(m.t, b.first)
		for _, e := range b.entries {
			m.gone[e.Seq] = true
		}
	}
}

// kept returns the numbers above a position that a reader should see, and whether the newest one in the table is among
// them.
func (m *model) kept(after int64) (seqs []int64) {
	for _, e := range m.entries {
		if e.Seq > after && !m.gone[e.Seq] && !e.At.Before(m.now().Add(-time.Duration(m.days)*day)) {
			seqs = append(seqs, e.Seq)
		}
	}
	return seqs
}

// check compares a page with the model.
func (m *model) check(p Page) {
	for i, e := range p.Entries {
		found, ok := slices.BinarySearchFunc(m.entries, e.Seq, func(e Entry, seq int64) int { return int(e.Seq - seq) })
		if !ok || e.Seq != p.Entries[0].Seq+int64(i) {
			m.t.Errorf("entry %d is %d %s", i, e.Seq, e.ID)
			continue
		}
		want := m.entries[found]
		want.At = e.At
		same(m.t, fmt.Sprint("entry ", i), want, e)
	}
	head := int64(0)
	if kept := m.kept(0); len(kept) > 0 {
		head = kept[len(kept)-1]
	}
	if p.Head != head {
		m.t.Errorf("head %d, want %d", p.Head, head)
	}
}

// readForward reads page after page from some position on, and should see all that is kept.
func (m *model) readForward() {
	position := max(m.head()-int64(m.dice.IntN(80)), 0)
	want, got := m.kept(position), []int64(nil)
	for first := true; ; first = false {
		page, err := m.log(m.days, 0).After(m.t.Context(), lobby, position)
		m.check(page)
		whole := len(page.Entries) > 0 && page.Entries[0].Seq == position+1 || position == 0
		if err != nil || len(page.Entries) > 0 && page.Complete != whole || m.t.Failed() {
			m.t.Errorf("after %d: %d entries, complete %t, %v", position, len(page.Entries), page.Complete, err)
			return
		}
		if len(page.Entries) == 0 && page.Complete && position > 0 && len(want) > 0 && first {
			m.t.Errorf("after %d: complete without entries, and %d are kept", position, len(want))
		}
		for _, e := range page.Entries {
			got, position = append(got, e.Seq), e.Seq
		}
		if !page.More {
			same(m.t, "read forward", want, got)
			return
		}
	}
}

// readBackward scrolls from the end to the beginning, and should see all that is kept.
func (m *model) readBackward() {
	var got []int64
	page, err := m.log(m.days, 0).Last(m.t.Context(), lobby, 1+m.dice.IntN(100))
	for ; ; page, err = m.log(m.days, 0).Before(m.t.Context(), lobby, got[0], 1+m.dice.IntN(100)) {
		m.check(page)
		if err != nil || m.t.Failed() {
			m.t.Error(err)
			return
		}
		seqs := make([]int64, len(page.Entries))
		for i, e := range page.Entries {
			seqs[i] = e.Seq
		}
		got = slices.Concat(seqs, got)
		if !page.More || len(seqs) == 0 {
			same(m.t, "read backward", m.kept(0), got)
			return
		}
	}
}
