package load

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"signedsocket/internal/stageclient"
)

// ledger records what was sent and what happened to it. It uses a byte for each message and client.
type ledger struct {
	run string

	mu       sync.Mutex
	users    []stageclient.User // by client, as the stage names it
	present  []bool             // by client
	subs     map[string]bool    // of users
	messages []*message         // by number
	byID     map[string]int     // number of the message that has an id of the stage's
	failures map[int][]string   // by client: errors about one of its messages that do not say which
	open     int                // messages without all their answers and deliveries
	idle     chan struct{}      // closed while open is 0
	excused  int                // missing deliveries of acknowledged messages to clients that left
	found    findings
	late     *histogram // of sending, after the intended time
	delivery *histogram // of every first copy
}

// message is one message and what happened to it.
type message struct {
	sender   int
	text     string
	intended time.Time
	id       string        // the stage's
	answer   string        // acknowledged, or why not; empty without an answer
	answered time.Duration // after the intended time, as all durations here
	received []source      // by client
	missing  int           // clients that are there and have not received it
	last     time.Duration // of the slowest first copy
	done     bool
}

// source says how a client got a message.
type source uint8

// The sources. A message that the client has read in the log may still come as a frame.
const (
	notReceived source = iota
	inTheLog
	asAFrame
)

// Answers that do not come from the stage.
const (
	acknowledged = "acknowledged"
	cutOff       = "cut off" // the sender's connection ended before an answer
)

// findings are messages that should not have arrived.
type findings struct {
	repeated      int // again, under the same id: clients drop them
	doubled       int // again, under another id
	misattributed int // from another user than its sender
	invented      int // sent by none of the clients
	foreign       int // from other users of the room
}

func newLedger(run string, clients int) *ledger {
	idle := make(chan struct{})
	close(idle)
	return &ledger{
		run: run, users: make([]stageclient.User, clients), present: make([]bool, clients), subs: map[string]bool{},
		byID: map[string]int{}, failures: map[int][]string{}, idle: idle, late: newHistogram(),
		delivery: newHistogram(),
	}
}

// join records that a client is connected, and as which user.
func (l *ledger) join(client int, user stageclient.User) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users[client], l.present[client], l.subs[user.Sub] = user, true, true
}

// leave records that a client's connection has ended. It needs no more deliveries.
func (l *ledger) leave(client int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.present[client] = false
	for _, m := range l.messages {
		if m.received[client] == notReceived {
			m.missing--
			if m.answer == acknowledged {
				l.excused++
			}
		}
		if m.sender == client && m.answer == "" {
			m.answer = cutOff
		}
		l.settle(m)
	}
}

// send records that message n is about to be sent. Numbers come in order.
func (l *ledger) send(n, sender int, text string, intended time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := &message{sender: sender, text: text, intended: intended, received: make([]source, len(l.users))}
	for _, present := range l.present {
		if present {
			m.missing++
		}
	}
	if l.open == 0 {
		l.idle = make(chan struct{})
	}
	l.open++
	l.messages = append(l.messages[:n], m)
}

// sent records when message n was sent, or that sending failed.
func (l *ledger) sent(n int, at time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.messages[n]
	l.late.record(at.Sub(m.intended))
	if err != nil && m.answer == "" {
		m.answer = cutOff
		l.settle(m)
	}
}

// receive records that a client has received a message.
func (l *ledger) receive(client int, got stageclient.Message, from source, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, ours := l.number(got.Text)
	switch {
	case !ours && !l.subs[got.From.Sub]:
		l.found.foreign++ // from another user of the room
		return
	case !ours || n >= len(l.messages) || got.Text != l.messages[n].text:
		l.found.invented++
		return
	}
	if first, known := l.byID[got.ID]; known && first != n {
		return // a client drops what has the id of another message, so it has not arrived
	}
	m := l.messages[n]
	if m.id == "" {
		m.id, l.byID[got.ID] = got.ID, n
	}
	if got.From != l.users[m.sender] {
		l.found.misattributed++
	}
	switch {
	case got.ID != m.id:
		l.found.doubled++
	case m.received[client] == asAFrame:
		l.found.repeated++
	}
	if got.Seq > 0 && client == m.sender && m.answer == "" {
		m.answer, m.answered = acknowledged, at.Sub(m.intended) // with a number it is stored
	}
	l.deliver(m, client, from, at.Sub(m.intended))
	l.settle(m)
}

// number reads the number of a message of this run from its text.
func (l *ledger) number(text string) (n int, ours bool) {
	rest, ours := strings.CutPrefix(text, l.prefix())
	digits, _, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(digits)
	return n, ours && err == nil && n >= 0
}

// deliver records the first copy of a message for a client.
func (l *ledger) deliver(m *message, client int, from source, took time.Duration) {
	first := m.received[client] == notReceived
	m.received[client] = max(m.received[client], from)
	if !first {
		return
	}
	l.delivery.record(took)
	m.last = max(m.last, took)
	m.missing--
	l.settle(m)
}

// find returns the message that an answer to a client is about.
func (l *ledger) find(client int, clientID string) *message {
	digits, ours := strings.CutPrefix(clientID, l.run+"-")
	n, err := strconv.Atoi(digits)
	if !ours || err != nil || n < 0 || n >= len(l.messages) || l.messages[n].sender != client {
		return nil
	}
	return l.messages[n]
}

// acknowledge records the stage's promise that every recipient has a message.
func (l *ledger) acknowledge(client int, ack stageclient.Ack, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.find(client, ack.ClientID)
	if m == nil {
		l.found.invented++
		return
	}
	m.answer, m.answered = acknowledged, at.Sub(m.intended)
	l.settle(m)
}

// refuse records that the stage refused a message, or did not deliver it to every recipient.
func (l *ledger) refuse(client int, e stageclient.Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.find(client, e.ClientID); m != nil {
		m.answer = e.Code
		l.settle(m)
		return
	}
	l.failures[client] = append(l.failures[client], e.Code)
}

// fail records an error frame of the gateway.
func (l *ledger) fail(client int, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures[client] = append(l.failures[client], text)
}

// settle records that a message is complete.
func (l *ledger) settle(m *message) {
	if m.done || m.answer == "" || m.answer == acknowledged && m.missing > 0 {
		return
	}
	m.done = true
	if l.open--; l.open == 0 {
		close(l.idle)
	}
}

// settled returns a channel that is closed when every message is complete.
func (l *ledger) settled() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.idle
}
