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
