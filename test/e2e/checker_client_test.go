package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"signedsocket/internal/load/checker"
	"signedsocket/internal/stageclient"
)

// The times of a recorded client. They are shorter than those of a product's client, so that a test sees more.
const (
	recordedAnswer = 3 * time.Second // until a message is sent again
	recordedLook   = 50 * time.Millisecond
	recordedWait   = 200 * time.Millisecond // after a failure; random up to twice as much
	// recordedWork is longer than a function may work. A deletion that is repeated may append a second note until then.
	recordedWork = 12 * time.Second
)

// recordedRun is many clients at a stage that fails, with a recording of all that they see.
type recordedRun struct {
	t        *testing.T
	recorder *checker.Recorder
	stage    atomic.Pointer[stageclient.Client] // the stage of now
	// Now and then clients stay away for minutes, so that parts of a log expire meanwhile.
	long    bool
	talking atomic.Bool
	silence chan struct{}  // closed when talking is over
	final   atomic.Bool    // the stage of now is the last one
	busy    sync.WaitGroup // clients with messages that are not stored yet
	calm    chan struct{}  // closed when there are none
}

// recordedClient follows some rooms over many connections and talks in them. One goroutine uses it.
type recordedClient struct {
	run      *recordedRun
	number   int
	user     string
	rooms    []string
	pause    time.Duration // between two messages, on average
	dice     *rand.Rand
	follower *stageclient.Follower

	me     stageclient.User
	outbox []*recordedMessage
	own    []place // messages that the log has
	erased []*recordedDeletion
	again  time.Time // when a deletion was repeated
	said   int
	next   time.Time // of the next message
	idle   bool      // the outbox is empty for good
	synced bool      // a request was made after all messages were stored
}

// recordedMessage is a message without an answer.
type recordedMessage struct {
	room, id, text string
	floor          stageclient.Floor
	due            time.Time // when to send it, for the first time or once more
}

// place is a number in the log of a room.
type place struct {
	room string
	seq  int64
}

// recordedDeletion is a request to delete a message, without an answer.
type recordedDeletion struct {
	place
	id  string
	due time.Time // when to send it, for the first time or once more

	sent bool // for the first time
}

func (r *recordedRun) client(number int, rooms []string, pause time.Duration, seed uint64) *recordedClient {
	return &recordedClient{
		run: r, number: number, user: fmt.Sprint("user-", number+1), rooms: rooms, pause: pause,
		dice:     rand.New(rand.NewPCG(seed, uint64(number))),
		follower: stageclient.NewFollower(rooms, 5, 0),
	}
}

// talk connects again and again until the client has everything.
func (c *recordedClient) talk(ctx context.Context) {
	for ctx.Err() == nil && !c.done() {
		conn, signed, err := c.run.stage.Load().ConnectWithHistory(ctx, c.user, c.rooms...)
		if err != nil {
			c.wait(ctx)
			continue
		}
		c.me = signed.User
		c.stay(ctx, conn)
		conn.Abort()
		c.stayAway()
	}
	if !c.done() {
		c.run.t.Errorf("%s has %d messages without an answer, and is up to date in no room", c.user, len(c.outbox))
	}
}

func (c *recordedClient) wait(ctx context.Context) {
	timer := time.NewTimer(c.random(2 * recordedWait))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// stayAway sometimes waits for minutes.
func (c *recordedClient) stayAway() {
	if !c.run.long || c.dice.IntN(20) > 0 {
		return
	}
	timer := time.NewTimer(2*time.Minute + c.random(3*time.Minute))
	defer timer.Stop()
	select {
	case <-c.run.silence:
	case <-timer.C:
	}
}

func (c *recordedClient) random(limit time.Duration) time.Duration {
	return time.Duration(c.dice.Int64N(int64(limit)))
}

// done reports whether the client has every message of its rooms, after all clients have stored theirs.
func (c *recordedClient) done() bool {
	return c.synced && !slices.ContainsFunc(c.rooms, func(room string) bool { return !c.follower.Live(room) })
}

// stay uses a connection until it ends, or until the client has everything.
func (c *recordedClient) stay(ctx context.Context, conn *stageclient.Conn) {
	now := time.Now()
	for _, room := range c.rooms {
		if position, known := c.follower.Position(room); known {
			c.run.recorder.Return(c.number, room, position, now)
		}
	}
	c.follower.Connected(now, conn.Subprotocol() == stageclient.ProtocolWithHistory)
	for _, m := range c.outbox {
		m.due = now
	}
	for _, d := range c.erased {
		d.due = now
	}
	recorded := askingConn{conn, c}
	for ends := now.Add(time.Second + c.random(10*time.Second)); !c.done(); {
		if c.run.talking.Load() && time.Now().After(ends) {
			return // the network is gone
		}
		c.settle()
		if c.say(ctx, conn) != nil || c.delete(ctx, conn) != nil || c.follower.Send(ctx, recorded) != nil {
			return
		}
		waiting, stop := context.WithTimeout(ctx, recordedLook)
		frame, err := conn.Next(waiting)
		silent := waiting.Err() != nil && ctx.Err() == nil
		stop()
		if err != nil && !silent || c.receive(frame) {
			return
		}
	}
}

// settle notices that all messages of the client, and then of all clients, are stored.
func (c *recordedClient) settle() {
	stored := len(c.outbox)+len(c.erased) == 0 && time.Since(c.again) > recordedWork
	if !c.idle && !c.run.talking.Load() && c.run.final.Load() && stored {
		c.idle = true
		c.run.busy.Done()
	}
	select {
	case <-c.run.calm:
		if !c.synced {
			c.synced = true
			c.follower.Connected(time.Now(), true)
		}
	default:
	}
}

// say makes the next message, and sends what is due.
func (c *recordedClient) say(ctx context.Context, conn *stageclient.Conn) error {
	now := time.Now()
	if c.run.talking.Load() && now.After(c.next) {
		c.next = now.Add(c.random(2 * c.pause))
		c.said++
		c.outbox = append(c.outbox, &recordedMessage{
			room: c.rooms[c.dice.IntN(len(c.rooms))], id: fmt.Sprintf("%d-%d", c.number, c.said), due: now,
			text: fmt.Sprintf("message %d of %s", c.said, c.user),
		})
		if len(c.own) > 0 && c.dice.IntN(deletedShare) == 0 {
			i := c.dice.IntN(len(c.own))
			c.erased = append(c.erased, &recordedDeletion{
				place: c.own[i], id: fmt.Sprintf("d%d-%d", c.number, c.said), due: now,
			})
			c.own = slices.Delete(c.own, i, i+1)
		}
	}
	for _, m := range c.outbox {
		if now.Before(m.due) || !c.follower.Live(m.room) {
			continue
		}
		m.due = now.Add(recordedAnswer)
		if _, known := c.follower.Position(m.room); known && m.floor == (stageclient.Floor{}) {
			m.floor = c.follower.Floor(m.room)
		}
		c.run.recorder.Send(c.number, c.me, m.room, m.id, m.text, now)
		out := stageclient.Outgoing{Text: m.text, Room: m.room, ID: m.id, After: c.follower.SeenAfter(m.floor)}
		if err := conn.Send(ctx, out); err != nil {
			return err
		}
	}
	return nil
}

// receive takes a frame, or nil. It reports whether the connection is of no more use.
func (c *recordedClient) receive(frame stageclient.Frame) (over bool) {
	if frame == nil {
		return false
	}
	now := time.Now()
	events := c.follower.Receive(now, frame)
	c.run.recorder.Receive(c.number, now, frame, events)
	for _, event := range events {
		if told, ok := event.(stageclient.Told); ok {
			c.stored(told.Entry.ID, told.Entry.Seq)
		}
	}
	switch f := frame.(type) {
	case stageclient.Message:
		c.stored(f.ID, f.Seq)
	case stageclient.Ack:
		c.stored(f.ID, f.Seq)
		c.deleted(f.ClientID)
	case stageclient.GatewayError: // it does not say of which message
		for _, m := range c.outbox {
			m.due = now.Add(c.random(2 * recordedWait))
		}
		for _, d := range c.erased {
			d.due = now.Add(c.random(2 * recordedWait))
		}
	case stageclient.Error:
		return c.refused(f)
	case stageclient.Bye:
		return true
	}
	return false
}

// stored removes a message of the client that the log has. The client may delete it later.
func (c *recordedClient) stored(id string, seq int64) {
	c.outbox = slices.DeleteFunc(c.outbox, func(m *recordedMessage) bool {
		is := stageclient.MessageID(c.me.Sub, m.room, m.id) == id
		if is {
			c.own = append(c.own, place{m.room, seq})
		}
		return is
	})
}

// deletedShare says how many messages the client sends until it deletes one.
const deletedShare = 6

// delete sends the requests to delete messages that are due.
func (c *recordedClient) delete(ctx context.Context, conn *stageclient.Conn) error {
	now := time.Now()
	for _, d := range c.erased {
		if now.Before(d.due) {
			continue
		}
		if d.sent {
			c.again = now
		}
		d.due, d.sent = now.Add(recordedAnswer), true
		c.run.recorder.Delete(c.number, c.me, d.room, d.seq, d.id, now)
		if err := conn.SendDelete(ctx, d.room, d.seq, d.id); err != nil {
			return err
		}
	}
	return nil
}

// deleted removes a request that was answered.
func (c *recordedClient) deleted(id string) {
	c.erased = slices.DeleteFunc(c.erased, func(d *recordedDeletion) bool { return d.id == id })
}

// refused plans another attempt, or gives a message up.
func (c *recordedClient) refused(e stageclient.Error) (over bool) {
	if e.Code == "not_connected" || e.Code == "session_ended" {
		return true
	}
	for _, d := range c.erased {
		if d.id != e.ClientID {
			continue
		}
		if e.Code == "rate_limited" || e.Code == "busy" {
			d.due = time.Now().Add(time.Duration(e.RetryAfterMs)*time.Millisecond + c.random(recordedWait))
		} else { // not_found: the message has expired
			c.deleted(d.id)
		}
		return false
	}
	for _, m := range c.outbox {
		if m.id != e.ClientID {
			continue
		}
		switch e.Code {
		case "rate_limited", "busy":
			m.due = time.Now().Add(time.Duration(e.RetryAfterMs)*time.Millisecond + c.random(recordedWait))
		default: // far_behind: a part of the log has expired since the first attempt
			c.run.recorder.GiveUp(c.me, m.room, m.id, e.Code)
			c.outbox = slices.DeleteFunc(c.outbox, func(o *recordedMessage) bool { return o == m })
		}
		return false
	}
	return false
}

// askingConn records when the client asks for history.
type askingConn struct {
	*stageclient.Conn
	client *recordedClient
}

func (c askingConn) Ask(ctx context.Context, q stageclient.Question) error {
	c.client.run.recorder.Ask(c.client.number, q.ID, time.Now())
	return c.Conn.Ask(ctx, q)
}
