package stageclient

import (
	"maps"
	"slices"
	"time"
)

// followed is what a Follower knows of one room.
type followed struct {
	name     string
	known    bool           // position is a place in the log
	position int64          // the client has everything up to here
	oldest   int64          // and from here on; 0: not known
	more     bool           // there are entries before oldest
	held     map[int64]held // messages that arrived before one with a lower number, or before the first answer

	live       bool      // the client was up to date on the present connection
	missed     int       // entries from the log since the last connection was lost
	upToDateAt time.Time // when the last complete answer came
	keepDays   int
	read       int64 // the newest number that the user has read, as the stage says

	marked bool    // the next entries follow a part of the log that is missing
	jumped bool    // this is not the first visit
	jumps  []int64 // places behind which the client did not see every entry, ascending
	epoch  int     // counts beginnings of the log

	shown recentIDs // ids of entries that were told out of order

	asked      string // id of the request that is not answered
	askedAs    int    // its place among the requests of the follower
	askedAfter int64
	quietAt    time.Time // when to ask whether anything is new, if nothing comes before
	due        time.Time // when to ask, or to repeat the request; zero: not at all
	hole       bool      // due waits for a message that may still arrive
	repeats    int       // of the request
	holes      int       // times in a row that the log did not hold what is missing below a held message
}

// want is the request that brings the client up to date.
func (r *followed) want(first int) Want {
	switch {
	case r.known:
		return WantAfter(r.name, r.position)
	case r.jumped:
		return WantLast(r.name, pageAfterJump)
	}
	return WantLast(r.name, max(first, 1))
}

// arrived takes a message, or the note that a message was deleted.
func (r *followed) arrived(f *Follower, now time.Time, e Entry) []Event {
	told := Told{r.name, e, true}
	switch {
	case e.Seq == 0, !f.history, r.live && r.keepDays == 0:
		return append(r.release(), r.unordered(told)...)
	case r.known && e.Seq <= r.position:
		return nil // it came before
	}
	if _, again := r.held[e.Seq]; !again {
		r.hold(told, f.requests)
	}
	if !r.known {
		return nil // the answer to the first request says where to begin
	}
	events := r.advance()
	r.awaitHole(f, now)
	return events
}

// unordered tells a message without looking at its number. If the log has it, too, it is not told again.
func (r *followed) unordered(told Told) []Event {
	if told.Entry.ID != "" && !r.shown.add(told.Entry.ID) {
		return nil
	}
	if r.known && told.Entry.Seq == r.position+1 {
		r.position++
	}
	return []Event{told}
}

// awaitHole plans a request when messages are held back, and cancels it when there are none any more.
func (r *followed) awaitHole(f *Follower, now time.Time) {
	switch {
	case len(r.held) > 0 && r.due.IsZero():
		wait := overtaking + f.jitter(spread<<r.holes)
		if r.position == 0 && r.holes == 0 {
			wait = f.jitter(overtaking) // the first messages of a log; only their order is not known
		}
		r.due, r.hole = now.Add(wait), true
		r.holes = min(r.holes+1, 5)
	case len(r.held) == 0:
		r.holes = 0
		if r.hole {
			r.due, r.hole = time.Time{}, false
		}
	}
}

// tell moves the position to an entry and tells it.
func (r *followed) tell(told Told) []Event {
	r.position = told.Entry.Seq
	maps.DeleteFunc(r.held, func(seq int64, _ held) bool { return seq <= r.position })
	if r.oldest == 0 {
		r.oldest = r.position
	}
	if !told.Live && !r.live {
		r.missed++
	}
	if !r.shown.add(told.Entry.ID) && told.Entry.ID != "" {
		return nil
	}
	return []Event{told}
}

// answered takes a part of the log. The entries of an answer to an earlier request are as good as any. Only the answer
// to the present request says how things stand.
func (r *followed) answered(f *Follower, now time.Time, h History) []Event {
	current := r.asked != "" && r.asked == h.ClientID
	r.read = max(r.read, h.Read)
	if current {
		r.keepDays = h.KeepDays
	}
	switch {
	case h.Before > 0:
		return r.older(h)
	case current && h.KeepDays == 0:
		return r.without()
	case current && h.After == nil && !r.known:
		return r.opened(f, now, h)
	case h.After == nil, !r.known, *h.After > r.position, !current && !h.Complete:
		return nil
	case current && h.Head < *h.After:
		r.forget(now, h.Head)
		return nil
	}
	events := r.resumed(h)
	if !current {
		r.awaitHole(f, now)
		return events
	}
	return append(events, r.goOn(f, now, h)...)
}

// older takes entries before the oldest one.
func (r *followed) older(h History) []Event {
	if h.Before != r.oldest {
		return nil // the answer to an earlier request
	}
	if len(h.Entries) > 0 {
		r.oldest = h.Entries[0].Seq
	}
	r.more = h.More
	return []Event{Older{r.name, h.Entries, h.More}}
}

// without follows a room whose stage keeps no history.
func (r *followed) without() []Event {
	if r.known {
		r.epoch++
	}
	r.known, r.position, r.oldest, r.more, r.jumps = false, 0, 0, false, nil
	return append(r.release(), r.caughtUp()...)
}

// opened takes the newest entries of a room in which the client has no place.
func (r *followed) opened(f *Follower, now time.Time, h History) []Event {
	from := h.Head + 1
	if len(h.Entries) > 0 && (f.first > 0 || r.jumped) {
		from = h.Entries[0].Seq
	}
	for seq := range r.held {
		from = min(from, seq) // it came after the client had entered
	}
	var events []Event
	if r.marked {
		events = append(events, Missing{r.name, r.position, from})
	}
	if !r.jumped {
		events = append(events, Entered{r.name, from - 1})
	}
	r.more = h.Head > 0 && (h.More || len(h.Entries) > 0 && h.Entries[0].Seq < from)
	r.known, r.position, r.oldest = true, from-1, from
	r.marked, r.jumped = false, true
	for _, entry := range h.Entries {
		if _, arrived := r.held[entry.Seq]; entry.Seq >= from && (!arrived || entry.Deleted) {
			r.hold(Told{r.name, entry, false}, f.requests)
		}
	}
	events = append(events, r.advance()...)
	return append(events, r.complete(f, now)...)
}

// resumed takes the entries after a place.
func (r *followed) resumed(h History) (events []Event) {
	fresh := slices.DeleteFunc(slices.Clone(h.Entries), func(e Entry) bool { return e.Seq <= r.position })
	if !h.Complete && (len(fresh) == 0 || fresh[0].Seq > r.position+1) {
		missing := Missing{Room: r.name, After: r.position}
		if len(fresh) > 0 {
			missing.Before = fresh[0].Seq
		}
		events = append(events, missing)
		r.jumps = append(r.jumps, r.position)
		r.oldest, r.more = 0, false
	}
	for _, entry := range fresh {
		told := Told{r.name, entry, false}
		if here, arrived := r.held[entry.Seq]; arrived && !entry.Deleted {
			told = here.told
		}
		if r.isDeleted(entry.Seq, fresh) {
			told.Entry = told.Entry.withoutText()
		}
		events = append(events, r.tell(told)...)
	}
	if len(h.Entries) == 0 {
		r.position = max(r.position, h.Head)
	}
	return append(events, r.advance()...)
}

// goOn asks for the next entries, or says that there are none.
func (r *followed) goOn(f *Follower, now time.Time, h History) []Event {
	switch {
	case !h.More:
		return r.complete(f, now)
	case len(h.Entries) == 0: // the request is repeated later
	case f.most > 0 && h.Head-r.position > int64(max(f.most, leastJump)):
		r.jumps = append(r.jumps, r.position)
		r.marked, r.known = true, false
		r.jump(now)
	default:
		r.asked, r.due, r.repeats = "", now, 0
	}
	return nil
}

// synced takes the answer that nothing came after the place that the request named.
func (r *followed) synced(f *Follower, now time.Time, head int64) []Event {
	if head < r.askedAfter {
		r.forget(now, head)
		return nil
	}
	return r.complete(f, now)
}

// forget gives the place up, because the log has begun anew, and asks for the newest entries. Nothing is missing if the
// whole log has expired since the client was up to date.
func (r *followed) forget(now time.Time, head int64) {
	kept := time.Duration(r.keepDays) * 24 * time.Hour
	r.marked = head > 0 || r.upToDateAt.IsZero() || now.Sub(r.upToDateAt) >= kept
	r.known, r.jumps = false, nil
	r.epoch++
	r.jump(now)
}

// jump asks for the newest entries at once.
func (r *followed) jump(now time.Time) {
	r.jumped, r.oldest, r.more = true, 0, false
	r.asked, r.due, r.repeats = "", now, 0
}

// complete says that the client has everything that the log had.
func (r *followed) complete(f *Follower, now time.Time) []Event {
	r.expire()
	r.upToDateAt = now.Round(0) // the monotonic clock of a time stands still while the machine sleeps
	events := r.caughtUp()
	r.awaitHole(f, now)
	return events
}

func (r *followed) caughtUp() []Event {
	r.asked, r.due, r.hole, r.repeats = "", time.Time{}, false, 0
	if r.live {
		return nil
	}
	missed := r.missed
	r.live, r.missed = true, 0
	return []Event{CaughtUp{r.name, missed, r.keepDays, r.read}}
}
