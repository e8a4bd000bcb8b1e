package presence

import (
	"context"
	"errors"
	"time"

	"signedsocket/shared/broadcast"
	"signedsocket/shared/connections"
	"signedsocket/shared/dynamo"
	"signedsocket/shared/message"
)

// Asker is the connection of a client that asks who is in a room.
type Asker struct {
	ConnectionID string
	User         message.Sender
}

// Answer is the answer to a client that asks.
type Answer struct {
	Frame []byte // nil if the state is not known yet: the next tick pushes it
	Push  *Push  // for the other members, or nil; the caller posts it after the frame
}

// Push is a state on its way to the members of a room.
type Push struct {
	room    string
	n       int64
	state   state
	frame   []byte
	members []connections.Member
}

// Ask returns who is in a room of the connection that asks. The caller has checked that the connection is in the room.
// When a user has joined a small room, others are to be told at once, if the pace of the room allows it.
func (r *Rooms) Ask(ctx context.Context, room string, from Asker) (answer Answer, err error) {
	err = dynamo.Retry(ctx, func() (err error) {
		answer, err = r.ask(ctx, room, from)
		return err
	})
	if errors.Is(err, dynamo.ErrStillInConflict) {
		return Answer{}, nil // the first reader of the room is slow, or was cut off
	}
	return answer, err
}

// ask is one attempt. dynamo.ErrChanged asks for another one.
func (r *Rooms) ask(ctx context.Context, room string, from Asker) (Answer, error) {
	now := r.Now()
	seen, err := r.get(ctx, room)
	if err != nil {
		return Answer{}, err
	}
	if !seen.mayRead(now) {
		return r.answerFrom(ctx, seen, from, now)
	}
	mine, err := r.claimRead(ctx, seen, now)
	if err != nil {
		return Answer{}, err
	}
	if !mine {
		return Answer{}, dynamo.ErrChanged
	}
	found, err := r.read(ctx, room, now, true)
	if err != nil {
		return Answer{}, err
	}
	return r.settle(ctx, seen, found, from, now)
}

// answerFrom answers with the state of the item, to which it adds the user that asks.
func (r *Rooms) answerFrom(ctx context.Context, seen Watched, from Asker, now time.Time) (Answer, error) {
	if seen.n == 0 { // another client reads it for the first time
		return Answer{}, dynamo.ErrChanged
	}
	if seen.wanted != hourOf(now) {
		if err := r.noteWanted(ctx, seen.Room, now); err != nil {
			return Answer{}, err
		}
	}
	shown, err := seen.state.with(from.User, r.Limit)
	if err != nil {
		return Answer{}, err
	}
	frame, err := shown.frame(seen.Room, seen.n)
	return Answer{Frame: frame}, err
}

// settle stores what was read for a client, and answers with it.
func (r *Rooms) settle(ctx context.Context, seen Watched, found reading, from Asker, now time.Time) (Answer, error) {
	n, others := seen.n, without(found.members, from.ConnectionID)
	c := found.change(seen.digest, others, now)
	if n == 0 || !found.equals(seen.state) {
		c.pushes = len(others) > 0 && c.isNews && r.isJoin(seen, found, from) && seen.mayPush(found.connections, now)
		written, done, err := r.write(ctx, seen, c)
		if err != nil {
			return Answer{}, err
		}
		if !done {
			return Answer{}, dynamo.ErrChanged
		}
		n = written.n
	}
	frame, err := found.frame(seen.Room, n)
	if err != nil || !c.pushes {
		return Answer{Frame: frame}, err
	}
	return Answer{frame, &Push{room: seen.Room, n: n, state: found.state, frame: frame, members: others}}, nil
}

// isJoin reports whether the user that asks has just joined a small room. A user that leaves and comes back between two
// ticks has not, nor has one that opens another connection.
func (r *Rooms) isJoin(seen Watched, found reading, from Asker) bool {
	id := from.User.Subject
	return found.count <= smallRoom && found.has(id) &&
		!seen.state.has(id) // mutate:presence-join => true
}

func without(members []connections.Member, connectionID string) []connections.Member {
	others := make([]connections.Member, 0, len(members))
	for _, m := range members {
		if m.ConnectionID != connectionID {
			others = append(others, m)
		}
	}
	return others
}

// Post posts a push. If all members have it, it notes that.
func (r *Rooms) Post(ctx context.Context, p *Push) (broadcast.Result, error) {
	origin := broadcast.Origin{Room: p.room, Arrived: r.Now()}
	done, err := r.Poster.Deliver(ctx, origin, p.frame, onePage(p.members))
	if err != nil {
		return done, err
	}
	if done.Throttled+done.Failed > 0 { // mutate:presence-missed => if false {
		return done, nil // the next tick pushes again
	}
	// Those that are in their handshake ask when it is over.
	return done, r.noteKnown(ctx, p.room, p.n, p.state.digest())
}

func onePage(members []connections.Member) func(func([]connections.Member, error) bool) {
	return func(yield func([]connections.Member, error) bool) { yield(members, nil) }
}
