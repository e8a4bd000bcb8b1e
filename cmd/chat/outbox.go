package main

import (
	"time"

	"github.com/google/uuid"

	"signedsocket/internal/stageclient"
)

// pending is a message that the server has not acknowledged yet. It keeps its id when it is sent again, so that it
// arrives once.
type pending struct {
	id, text string
	sent     bool      // on the present connection, without an answer yet
	due      time.Time // when to send it next
	failures int       // in a row

	floor   *stageclient.Floor // where the room stood when it was sent for the first time
	seen    *int64             // the chat has looked for it in the log up to here
	looking bool               // in the log
	lookDue bool               // the next part of the log has to be asked for
}

// outbox holds messages in the order of writing. Only the first is ever under way, because the gateway promises no
// order of two messages.
type outbox struct{ queue []*pending }

func (o *outbox) add(text string) {
	id, err := uuid.NewV7()
	if err != nil { // without a clock or randomness any unique id is enough
		id = uuid.New()
	}
	o.queue = append(o.queue, &pending{id: id.String(), text: text})
}

func (o *outbox) first() *pending {
	if len(o.queue) == 0 {
		return nil
	}
	return o.queue[0]
}

// find returns the message with a client id. Without an id, as in an answer that could not name it, find returns the
// first message.
func (o *outbox) find(id string) *pending {
	if id == "" {
		return o.first()
	}
	for _, p := range o.queue {
		if p.id == id {
			return p
		}
	}
	return nil
}

func (o *outbox) remove(p *pending) {
	for i := range o.queue {
		if o.queue[i] == p {
			o.queue = append(o.queue[:i], o.queue[i+1:]...)
			return
		}
	}
}

// reconnected makes the first message ready to be sent again at once.
func (o *outbox) reconnected() {
	if p := o.first(); p != nil {
		p.sent, p.due, p.looking, p.lookDue = false, time.Time{}, false, false
	}
}

// recent remembers the last ids.
type recent struct {
	ids   map[string]bool
	order []string
}

const recentIDs = 500

// add adds an id. It returns false for a known one.
func (r *recent) add(id string) bool {
	if r.ids[id] {
		return false
	}
	if r.ids == nil {
		r.ids = map[string]bool{}
	}
	if len(r.order) == recentIDs {
		delete(r.ids, r.order[0])
		r.order = r.order[1:]
	}
	r.ids[id] = true
	r.order = append(r.order, id)
	return true
}
