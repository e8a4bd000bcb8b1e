package stageclient

import (
	"cmp"
	"maps"
	"slices"
)

// held is a message that is not told yet.
type held struct {
	told Told
	// requests is how many requests the follower had sent before the message arrived.
	requests int
}

// hold keeps an entry until those before it were told. A note takes the text of a held message that was deleted, and a
// message that comes after its note has no text.
func (r *followed) hold(told Told, requests int) {
	if r.isDeleted(told.Entry.Seq, nil) {
		told.Entry = told.Entry.withoutText()
	}
	r.held[told.Entry.Seq] = held{told, requests}
	if deleted, isHeld := r.held[told.Entry.Of]; isHeld {
		deleted.told.Entry = deleted.told.Entry.withoutText()
		r.held[told.Entry.Of] = deleted
	}
}

// isDeleted reports whether a held entry, or one of others, is the note that an entry was deleted.
func (r *followed) isDeleted(seq int64, others []Entry) bool {
	for _, note := range r.held {
		if note.told.Entry.Of == seq {
			return true
		}
	}
	return slices.ContainsFunc(others, func(e Entry) bool { return e.Of == seq })
}

// withoutText returns what is left of a message after its deletion.
func (e Entry) withoutText() Entry {
	if e.Text == "" {
		return e
	}
	return Entry{Seq: e.Seq, ID: e.ID, Deleted: true}
}

// advance tells the held messages that follow the position.
func (r *followed) advance() (events []Event) {
	for {
		next, found := r.held[r.position+1]
		if !found {
			return events
		}
		events = append(events, r.tell(next.told)...)
	}
}

// release tells all held messages, when no answer will come.
func (r *followed) release() (events []Event) {
	for _, next := range slices.SortedFunc(maps.Values(r.held), byNumber) {
		events = append(events, r.unordered(next.told)...)
	}
	clear(r.held)
	return events
}

// expire drops the messages that came before the request and are not in its answer, the end of the log. They have
// expired, or the log was restored. The follower would ask for them without end.
func (r *followed) expire() {
	maps.DeleteFunc(r.held, func(_ int64, m held) bool {
		return m.requests < r.askedAs
	})
}

// byNumber orders what a room holds.
func byNumber(a, b held) int { return cmp.Compare(a.told.Entry.Seq, b.told.Entry.Seq) }
