// Package checker judges a run of many clients by what the stage promises of rooms that remember. It compares what the
// clients sent, received and showed with the logs of the rooms at the end.
//
// Each message of a log has a number, so the checker sorts and compares; it searches for no explanation. Its findings
// are sentences that name two operations and their times. These are the promises:
//
//	H1  A message that was acknowledged, or came back with a number, is in the log once: with that number, text,
//	    sender and id.
//	H2  The numbers of a log have no hole, and each id has one number.
//	H3  If one message was acknowledged before another one was sent, it has the lower number.
//	H4  Every answer with history is a part of the log without a hole, and two answers do not disagree. But a message
//	    may lose its text, because it was deleted; then it does not get it back.
//	H5  A connected client shows every number from its first one on, once, in order.
//	H6  So does a client that comes back, or it shows a gap. A gap needs a reason: something there has expired.
//	H7  What was broadcast with a number is in the log.
//	H9  After an acknowledged deletion no answer holds the text, and the log has a note of the deletion.
package checker

import (
	"maps"
	"slices"
	"sync"
	"time"

	"signedsocket/internal/stageclient"
)

// Recording is all that was seen in a run. A Recorder makes one.
type Recording struct {
	Sends     []*Send
	Deletions []*Deletion
	Frames    []Frame
	Latest    []Frame // by number, the frame that came last
	Notes     []Note
	Answers   []Answer
	Views     []*View
	Logs      map[string]Log // by room
	Expired   []Expired
}

// Send is a message of a client, with all of its repetitions.
type Send struct {
	Client  int
	Room    string
	ID      string // as the stage makes it
	From    stageclient.User
	Text    string
	Begin   time.Time // when it was first sent
	End     time.Time // when the first ack or echo came; zero: none
	Seq     int64     // the number in the ack or echo; 0: none
	Failure string    // why the client gave it up
}

// Frame is a message as it arrived at a client: the first one with its number, or one that differs from that.
type Frame struct {
	Client  int
	At      time.Time
	Message stageclient.Message
}

// Answer is a part of a log as it arrived at a client.
type Answer struct {
	Client    int
	Asked, At time.Time
	History   stageclient.History
}

// View is what a client showed of a room.
type View struct {
	Client int
	Room   string
	Shown  []Shown // in the order of showing
	Live   bool    // the client was connected and up to date when the log was read
}

// Kind is the kind of an item in a View.
type Kind int

// The kinds. An entry is one of the log.
const (
	AnEntry   Kind = iota // Entry is shown
	AStart                // the client shows what comes behind Number
	AGap                  // the client shows that entries behind Number are missing
	AReturn               // the client connected again; it had everything up to Number
	ACatching             // the client had everything of the room
)

// Shown is an item in a View. Entries with consecutive numbers are one item.
type Shown struct {
	Kind   Kind
	At     time.Time
	Number int64
	Entry  *stageclient.Entry // with Number, for AnEntry
	Last   *Shown             // of several entries the last one
}

// last returns the last entry of an item, or the item.
func (s *Shown) last() *Shown {
	if s.Last != nil {
		return s.Last
	}
	return s
}

// Log is a whole log, or its end.
type Log struct {
	At      time.Time // when it was read
	After   int64     // the entries above this number; 0: all
	Late    bool      // it was read after the clients had left, and may hold entries of others at its end
	Entries []stageclient.Entry
}

// Expired is a part of a log that the stage has deleted.
type Expired struct {
	Room        string
	First, Last int64
	At          time.Time
}

// Recorder makes a Recording. Its methods may be called concurrently.
type Recorder struct {
	mu    sync.Mutex
	r     Recording
	sends map[string]*Send // by id of the stage
	views map[viewOf]*View
	asked map[request]time.Time
	first map[place]*stageclient.Entry // as it was seen first

	deletions map[request]*Deletion
	latest    map[place]Frame
}

type viewOf struct {
	client int
	room   string
}

type request struct {
	client int
	id     string
}

// NewRecorder returns a recorder of nothing yet.
func NewRecorder() *Recorder {
	return &Recorder{
		r: Recording{Logs: map[string]Log{}}, sends: map[string]*Send{}, views: map[viewOf]*View{},
		asked: map[request]time.Time{}, first: map[place]*stageclient.Entry{}, deletions: map[request]*Deletion{},
		latest: map[place]Frame{},
	}
}

// Send records that a client is about to send a message, for the first time or once more. The message has the user, the
// room and the client's own id from which the stage makes an id.
func (r *Recorder) Send(client int, from stageclient.User, room, clientID, text string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := stageclient.MessageID(from.Sub, room, clientID)
	if r.sends[id] != nil {
		return
	}
	r.sends[id] = &Send{Client: client, Room: room, ID: id, From: from, Text: text, Begin: at}
	r.r.Sends = append(r.r.Sends, r.sends[id])
}

// GiveUp records that a client stopped trying to send a message.
func (r *Recorder) GiveUp(from stageclient.User, room, clientID, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.sends[stageclient.MessageID(from.Sub, room, clientID)]; s != nil && s.Seq == 0 {
		s.Failure = why
	}
}

// Ask records that a client is about to send a request under an id.
func (r *Recorder) Ask(client int, id string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[request{client, id}] = at
}

// Return records that a client has connected again, with its place in a room.
func (r *Recorder) Return(client int, room string, position int64, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.show(client, room, Shown{Kind: AReturn, At: at, Number: position})
}

// Receive records a frame and what a follower made of it.
func (r *Recorder) Receive(client int, at time.Time, frame stageclient.Frame, events []stageclient.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch f := frame.(type) {
	case stageclient.Message:
		if f.Seq > 0 {
			if _, isNew := r.see(f.Room, f.Entry()); isNew {
				r.r.Frames = append(r.r.Frames, Frame{client, at, f})
			}
			r.latest[place{f.Room, f.Seq}] = Frame{client, at, f}
			r.stored(client, f.ID, f.Seq, at)
		}
	case stageclient.Ack:
		r.stored(client, f.ID, f.Seq, at)
		r.deleted(client, f.ClientID, f.Seq, "", at)
	case stageclient.Error:
		r.deleted(client, f.ClientID, 0, f.Code, at)
	case stageclient.Deleted:
		if _, isNew := r.see(f.Room, f.Entry()); isNew {
			r.r.Notes = append(r.r.Notes, Note{client, at, f})
		}
	case stageclient.History:
		r.r.Answers = append(r.r.Answers, Answer{client, r.asked[request{client, f.ClientID}], at, f})
	case stageclient.Synced:
		for room, head := range f.Heads {
			answer := stageclient.History{Room: room, Head: head, KeepDays: 1} // days are not checked
			r.r.Answers = append(r.r.Answers, Answer{client, r.asked[request{client, f.ClientID}], at, answer})
		}
	}
	for _, event := range events {
		switch e := event.(type) {
		case stageclient.Entered:
			r.show(client, e.Room, Shown{Kind: AStart, At: at, Number: e.Position})
		case stageclient.Told:
			r.show(client, e.Room, Shown{Kind: AnEntry, At: at, Number: e.Entry.Seq, Entry: r.seen(e)})
		case stageclient.Missing:
			r.show(client, e.Room, Shown{Kind: AGap, At: at, Number: e.After})
		case stageclient.CaughtUp:
			r.show(client, e.Room, Shown{Kind: ACatching, At: at})
		}
	}
}

// see returns an entry as it was seen first, and whether it is a new one or differs from that.
func (r *Recorder) see(room string, e stageclient.Entry) (first *stageclient.Entry, isNew bool) {
	at := place{room, e.Seq}
	if r.first[at] == nil {
		r.first[at] = &e
		return &e, true
	}
	return r.first[at], *r.first[at] != e
}

// seen returns the entry that a client shows. Equal entries are one in memory.
func (r *Recorder) seen(e stageclient.Told) *stageclient.Entry {
	if first, differs := r.see(e.Room, e.Entry); !differs {
		return first
	}
	return &e.Entry
}

// stored records the stage's promise that a message of the client is in the log.
func (r *Recorder) stored(client int, id string, seq int64, at time.Time) {
	if s := r.sends[id]; s != nil && s.Client == client && s.End.IsZero() && seq > 0 {
		s.End, s.Seq = at, seq
	}
}

func (r *Recorder) show(client int, room string, item Shown) {
	key := viewOf{client, room}
	if r.views[key] == nil {
		r.views[key] = &View{Client: client, Room: room}
		r.r.Views = append(r.r.Views, r.views[key])
	}
	view := r.views[key]
	if n := len(view.Shown); n > 0 && item.Kind == AnEntry && item.Entry == r.first[place{room, item.Number}] {
		before := &view.Shown[n-1]
		if before.Kind == AnEntry && before.last().Number+1 == item.Number {
			before.Last = &item
			return
		}
	}
	view.Shown = append(view.Shown, item)
}

// Expire records that the stage has deleted a part of a log.
func (r *Recorder) Expire(e Expired) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.r.Expired = append(r.r.Expired, e)
}

// Finish records the logs at the end, and which clients were up to date then, and returns the recording.
func (r *Recorder) Finish(logs map[string]Log, live func(client int, room string) bool) *Recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, view := range r.views {
		view.Live = live(key.client, key.room)
	}
	r.r.Logs, r.r.Latest = logs, slices.Collect(maps.Values(r.latest))
	return &r.r
}
