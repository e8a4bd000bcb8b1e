package presence

import (
	"context"
	"time"

	"signedsocket/shared/dynamo"
)

// Tick looks at a room, if it is watched. It returns a push if there is something to tell and the pace of the room
// allows it, else nil.
func (r *Rooms) Tick(ctx context.Context, room Watched) (push *Push, err error) {
	err = dynamo.Retry(ctx, func() (err error) {
		push, room, err = r.tick(ctx, room)
		return err
	})
	return push, err
}

// tick is one attempt. dynamo.ErrChanged asks for another one, with the item as it returns it.
func (r *Rooms) tick(ctx context.Context, seen Watched) (*Push, Watched, error) {
	now := r.Now()
	if !seen.isDue(now) {
		return nil, seen, nil
	}
	found, err := r.read(ctx, seen.Room, now, false)
	if err != nil {
		return nil, seen, err
	}
	c, write := seen.plan(found, now)
	if !write {
		return nil, seen, nil
	}
	written, done, err := r.write(ctx, seen, c)
	if err != nil {
		return nil, seen, err
	}
	if !done {
		return nil, written, dynamo.ErrChanged
	}
	if !c.pushes {
		return nil, written, nil
	}
	frame, err := found.frame(seen.Room, written.n)
	push := &Push{room: seen.Room, n: written.n, state: found.state, frame: frame, members: found.members}
	return push, written, err
}

// isDue reports whether a tick looks at the members of the room.
func (w Watched) isDue(now time.Time) bool {
	if !w.isWatched(now) { // mutate:presence-wanted
		return false
	}
	if w.state.connections > maxPushed { // mutate:presence-recount
		return !now.Before(w.readAt.Add(recount))
	}
	return w.mayPush(w.state.connections, now)
}

// plan returns what a tick writes of what it found, and whether it writes anything.
func (w Watched) plan(found reading, now time.Time) (c change, write bool) {
	c = found.change(w.digest, found.members, now)
	switch {
	case found.connections > maxPushed:
		return c, true
	case !c.isNews:
		return c, found.users == nil && found.count != w.state.count
	case !c.isKnown && !w.mayPush(found.connections, now):
		return c, false
	}
	c.pushes = !c.isKnown
	return c, true
}
