package stageclient

import (
	"context"
	"errors"
	"time"
)

// FollowedConn is what a [Follower] needs of a connection; [*Conn] is one.
type FollowedConn interface {
	Next(ctx context.Context) (Frame, error)
	Ask(ctx context.Context, q Question) error
	Ping(ctx context.Context) error
}

// Follow reads a connection until it ends, and sends what the follower asks for. It passes on each frame, and each
// request, with what is new.
func (f *Follower) Follow(
	ctx context.Context, conn FollowedConn, see func(at time.Time, frame Frame, events []Event),
) error {
	for {
		if err := f.Send(ctx, conn); err != nil {
			return err
		}
		waiting, stop := f.untilNext(ctx)
		frame, err := conn.Next(waiting)
		timeOver := waiting.Err() != nil && ctx.Err() == nil
		stop()
		now := time.Now()
		switch {
		case err == nil:
			see(now, frame, f.Receive(now, frame))
		case !timeOver && !errors.Is(err, ErrMalformedFrame):
			return err
		}
	}
}

// untilNext returns a context that ends when there is something to ask, or after a while: SyncNow may have asked
// meanwhile.
func (f *Follower) untilNext(ctx context.Context) (context.Context, context.CancelFunc) {
	next := f.Next()
	if next.IsZero() {
		return context.WithTimeout(ctx, answerTimeout)
	}
	return context.WithDeadline(ctx, next)
}

// Send sends all requests that are due.
func (f *Follower) Send(ctx context.Context, conn FollowedConn) error {
	for request := f.Ask(time.Now()); len(request.Wants) > 0; request = f.Ask(time.Now()) {
		if request.Ping {
			if err := conn.Ping(ctx); err != nil {
				return err
			}
		}
		if err := conn.Ask(ctx, Question{ID: request.ID, Wants: request.Wants}); err != nil {
			return err
		}
	}
	return nil
}

// SyncNow asks for all rooms at once.
func (f *Follower) SyncNow(ctx context.Context, conn FollowedConn) error {
	f.Sync(time.Now())
	return f.Send(ctx, conn)
}
