package roomlog

import (
	"errors"
	"fmt"
)

func (m *model) user() string { return []string{"alice", "bob"}[m.dice.IntN(2)] }

// delete deletes some entry, as its author, as another user or as a moderator.
func (m *model) delete() {
	if len(m.entries) == 0 {
		return
	}
	i, by, moderator := m.dice.IntN(len(m.entries)), m.user(), m.dice.IntN(3) == 0
	e, l := m.entries[i], m.log(m.days, 0)
	var want error
	switch {
	case m.gone[e.Seq], l.expired(e, m.now()), e.Of != 0, e.Erased != "":
		want = ErrNotFound
	case e.Subject != by && !moderator:
		want = ErrNotYours
	}
	note := Entry{ID: fmt.Sprintf("%s on %d", by, e.Seq), Subject: by, Name: "B", Of: e.Seq, At: m.now()}
	stored, err := l.Delete(m.t.Context(), lobby, note, moderator)
	if !errors.Is(err, want) || err == nil && (stored.ID != note.ID || stored.Seq <= e.Seq) {
		m.t.Errorf("delete of %+v by %s, moderator %t = %+v, %v; want %v", e, by, moderator, stored, err, want)
	}
	if err != nil {
		return
	}
	if stored.Seq > m.head() {
		m.entries = append(m.entries, stored)
	}
	m.bury(i)
}

// bury makes an entry of the list a tombstone. Tombstones of one block expire in dependence on each other.
func (m *model) bury(i int) {
	e := m.entries[i]
	m.entries[i] = Entry{Seq: e.Seq, ID: e.ID, Subject: e.Subject, Deleted: true}
	stored := m.blockOf(m.t, e.Seq)
	for n := range m.entries {
		if e := &m.entries[n]; e.Deleted && stored.first <= e.Seq && e.Seq <= stored.last() {
			e.At = stored.entries[e.Seq-stored.first].At
		}
	}
}

// erase erases bob. Whether HistoryDays allow it or not, nothing in the table names bob then.
func (m *model) erase() {
	l := m.log(m.days, 0)
	count := m.eraseStep(l, Count)
	if removed := m.eraseStep(l, RemoveTexts); removed != count {
		m.t.Errorf("counted %+v, removed %+v", count, removed)
	}
	if count.Entries > 0 {
		note := Entry{ID: fmt.Sprint("erasure ", len(m.entries)), Erased: "hash", At: m.now()}
		stored, _, err := l.Append(m.t.Context(), l.Look(m.t.Context(), lobby, NotKnown), note)
		if err != nil || stored.Seq <= m.head() {
			m.t.Errorf("note = %+v, %v", stored, err)
		}
		m.entries = append(m.entries, stored)
	}
	m.eraseStep(l, RemoveNames)
	if left := m.eraseStep(l, Count); left.Entries > 0 {
		m.t.Errorf("left %+v", left)
	}
	for i, e := range m.entries {
		if e.Subject != "bob" || m.gone[e.Seq] {
			continue
		}
		m.entries[i].Subject, m.entries[i].Name = "", ""
		if e.Of == 0 {
			m.bury(i)
		}
	}
}

func (m *model) eraseStep(l *Log, step Step) (total Erased) {
	for page, more := (Erased{}), true; more; more = page.More {
		var err error
		if page, err = l.Erase(m.t.Context(), lobby, "bob", page.Next, step); err != nil {
			m.t.Fatal(err)
		}
		total.Messages, total.Entries = total.Messages+page.Messages, total.Entries+page.Entries
	}
	return total
}
