package stageclient

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// The times of a Follower, and the sizes of its requests.
const (
	answerTimeout = 10 * time.Second // until a request is repeated, and a ping shows whether the connection works
	longestRepeat = 40 * time.Second // of the random wait before a later repetition
	overtaking    = 300 * time.Millisecond
	spread        = time.Second // random time after overtaking: members of a room do not all ask at once
	pageAfterJump = 50          // entries
	leastJump     = 100         // entries
	wantsInFrame  = 8
	requestPrefix = "h"
)

// Follower keeps a client up to date in some rooms, over one connection after the other. It knows the client's place in
// the log of each room. It tells each entry once, and asks the stage for those that did not arrive.
//
// It sends nothing and has no clock: the caller passes frames and times in, and sends what [Follower.Ask] returns. Its
// methods may be called concurrently.
type Follower struct {
	first  int // entries to tell when the client enters a room, 0 to 100
	most   int // a room with more unread entries is followed from its newest ones on; 0: any number
	jitter func(limit time.Duration) time.Duration

	mu       sync.Mutex
	rooms    []*followed
	history  bool // the present connection takes requests
	requests int
	budget   budget
}

// NewFollower returns a follower of rooms. On the first visit it tells the last entries of each room, at most first. A
// room that gets more than most entries while the client is away, at least 100, is followed from its newest entries on;
// 0 stands for any number.
func NewFollower(rooms []string, first, most int) *Follower {
	f := &Follower{first: first, most: most, jitter: randomTime}
	f.Enter(rooms)
	return f
}

// Enter changes the rooms, for a connection that is in others than the last one: the stage refuses a request that names
// any other room. Call it before [Follower.Connected]. The client keeps its place in the rooms that stay.
func (f *Follower) Enter(rooms []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	entered := make([]*followed, 0, len(rooms))
	for _, name := range rooms {
		r := f.room(name)
		if r == nil {
			r = &followed{name: name, held: map[int64]held{}}
		}
		entered = append(entered, r)
	}
	f.rooms = entered
}

// randomTime returns a random time below the limit.
func randomTime(limit time.Duration) time.Duration {
	return rand.N(limit) //nolint:gosec // jitter is no secret
}

// Connected begins a connection. From now on frames may also come from the last one. history says whether the
// connection has [ProtocolWithHistory].
func (f *Follower) Connected(now time.Time, history bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.history = history
	for _, r := range f.rooms {
		r.asked, r.live, r.due = "", false, time.Time{}
		r.repeats, r.quietAt = 0, time.Time{}
		if history {
			r.due = now
		}
	}
}

// Sync asks for all rooms at the next [Follower.Ask]. The answer also shows that the connection works.
func (f *Follower) Sync(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rooms {
		if f.history && r.asked == "" {
			r.due = now
		}
	}
}

// Next returns when to call [Follower.Ask], or no time.
func (f *Follower) Next() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	var next time.Time
	free := f.budget.next(time.Time{})
	for _, r := range f.rooms {
		if !r.due.IsZero() && (next.IsZero() || r.due.Before(next)) {
			next = r.due
		}
	}
	if !next.IsZero() && next.Before(free) {
		return free
	}
	return next
}

// Request is a history frame to send.
type Request struct {
	ID    string
	Wants []Want // empty: nothing is due
	Ping  bool   // the last request was not answered: send a ping, too
}

// Ask returns the next frame to send. The caller calls it until there are no wants.
func (f *Follower) Ask(now time.Time) Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	request := Request{ID: fmt.Sprint(requestPrefix, f.requests+1)}
	if f.budget.next(now).After(now) {
		return request
	}
	for _, r := range f.rooms {
		if r.due.IsZero() || r.due.After(now) || len(request.Wants) == wantsInFrame {
			continue
		}
		request.Ping = request.Ping || r.asked != ""
		request.Wants = append(request.Wants, r.want(f.first))
		wait := answerTimeout
		if r.repeats > 0 {
			wait += f.jitter(min(longestRepeat, answerTimeout<<(r.repeats-1)))
		}
		r.asked, r.askedAfter, r.due, r.hole = request.ID, r.position, now.Add(wait), false
		r.askedAs, r.repeats = f.requests+1, min(r.repeats+1, 3)
	}
	if len(request.Wants) > 0 {
		f.requests++
		f.budget.spend(now)
	}
	return request
}

// Receive takes a frame and returns what is new. It has no use for frames that do not concern the logs.
func (f *Follower) Receive(now time.Time, frame Frame) []Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	var events []Event
	switch frame := frame.(type) {
	case Message:
		if r := f.room(frame.Room); r != nil {
			events = r.arrived(f, now, frame.Entry())
			f.heard(now, r)
		}
	case Deleted:
		if r := f.room(frame.Room); r != nil {
			events = r.arrived(f, now, frame.Entry())
			f.heard(now, r)
		}
	case History:
		if r := f.room(frame.Room); r != nil {
			events = r.answered(f, now, frame)
			f.heard(now, r)
		}
	case Synced:
		for _, r := range f.rooms {
			if head, named := frame.Heads[r.name]; named && r.asked != "" && r.asked == frame.ClientID {
				r.read = max(r.read, frame.Read[r.name])
				events = append(events, r.synced(f, now, head)...)
				f.heard(now, r)
			}
		}
	case Error:
		events = f.refused(now, frame)
	case GatewayError:
		f.putOff(now, "", 0)
	}
	return events
}

// refused handles an error that answers a request.
func (f *Follower) refused(now time.Time, e Error) []Event {
	asked := slices.ContainsFunc(f.rooms, func(r *followed) bool {
		return r.asked != "" && (r.asked == e.ClientID || e.ClientID == "" && e.Code == "unknown_action")
	})
	switch {
	case !asked:
		return nil
	case e.Code == "rate_limited", e.Code == "busy":
		f.putOff(now, e.ClientID, time.Duration(e.RetryAfterMs)*time.Millisecond)
		return nil
	}
	f.history = false // until the next connection
	var events []Event
	for _, r := range f.rooms {
		r.keepDays, r.quietAt = 0, time.Time{}
		events = append(append(events, r.release()...), r.caughtUp()...)
	}
	return events
}

// putOff repeats a request, or every one when id is empty, after the wait and a random time.
func (f *Follower) putOff(now time.Time, id string, wait time.Duration) {
	for _, r := range f.rooms {
		if r.asked != "" && (id == "" || r.asked == id) {
			r.asked, r.due = "", now.Add(max(wait, overtaking)+f.jitter(spread<<r.repeats))
		}
	}
}

func (f *Follower) room(name string) *followed {
	for _, r := range f.rooms {
		if r.name == name {
			return r
		}
	}
	return nil
}

// Position returns up to which number of a room the client has everything, or knows that it is missing. known is false
// before the first answer.
func (f *Follower) Position(room string) (number int64, known bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.room(room); r != nil && r.known {
		return r.position, true
	}
	return 0, false
}

// Live reports whether the client has everything of a room.
func (f *Follower) Live(room string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.room(room)
	return r != nil && r.live && len(r.held) == 0
}

// Holds reports whether messages of a room wait for one with a lower number.
func (f *Follower) Holds(room string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.room(room)
	return r != nil && len(r.held) > 0
}

// OlderWant asks for the entries before the oldest one that the client has. ok is false when there are none. The caller
// sends it in a frame of its own, under an id that does not begin with h.
func (f *Follower) OlderWant(room string, limit int) (want Want, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.room(room)
	if r == nil || !r.known || r.oldest <= 1 || !r.more {
		return Want{}, false
	}
	return WantBefore(room, r.oldest, limit), true
}

// Floor is the place in a room's log at which a message was sent for the first time.
type Floor struct {
	room   string
	number int64
	epoch  int // of the log; 0: not known
}

// Floor returns the present place in a room.
func (f *Follower) Floor(room string) Floor {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.room(room)
	if r == nil || !r.known {
		return Floor{}
	}
	return Floor{room, r.position, r.epoch + 1}
}

// SeenAfter returns up to which number the client has seen every entry above the floor, for the member After of a
// message that is sent once more. It is nil when that is not known.
func (f *Follower) SeenAfter(floor Floor) *int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.room(floor.room)
	if r == nil || floor.epoch != r.epoch+1 {
		return nil
	}
	seen := max(r.position, floor.number)
	for _, jump := range r.jumps {
		if jump >= floor.number {
			seen = min(seen, jump)
		}
	}
	return &seen
}
