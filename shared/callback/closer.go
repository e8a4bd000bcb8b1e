package callback

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/message"
)

// AtOnce is how long a function may take to close the connections that it ends itself. The reaper closes those that
// take longer.
const AtOnce = 300 * time.Millisecond

// ErrPending means that a connection may still be in its handshake: it cannot be closed yet.
var ErrPending = errors.New("handshake not answered yet")

// Gateway posts frames to connections and closes them; Client does.
type Gateway interface {
	Post(ctx context.Context, connectionID string, data []byte) error
	Close(ctx context.Context, connectionID string) error
}

// Closer closes the sockets of connections that have ended. It posts a bye frame first, so that a client knows whether
// it may connect again. It is safe for concurrent use.
type Closer struct {
	Log        *slog.Logger
	Gateway    Gateway
	Now        func() time.Time
	ByeTimeout time.Duration // limits the time for a bye frame: a client that does not read is closed without one
}

// NewCloser returns a Closer whose bye frames leave half of AtOnce for the close.
func NewCloser(log *slog.Logger, gateway Gateway) *Closer {
	return &Closer{Log: log, Gateway: gateway, Now: time.Now, ByeTimeout: AtOnce / 2}
}

// Close posts a bye frame to a connection and closes it. A gone connection is no error. But a connection in its
// handshake also looks gone, and opens afterwards; the error is ErrPending as long as that is possible. A client that
// got the bye frame has finished its handshake, and may have left because of the frame.
func (c *Closer) Close(ctx context.Context, ended connections.Sweep) error {
	heard := c.sayBye(ctx, ended)
	err := c.Gateway.Close(ctx, ended.ConnectionID) // mutate:reaper-closes
	switch {
	case !errors.Is(err, ErrGone):
		return err
	// mutate:closing-pending
	case !heard && c.Now().Sub(ended.ConnectedAt) < HandshakeTime:
		return ErrPending
	default:
		return nil
	}
}

// CloseAtOnce closes connections that the caller has just ended, at most for AtOnce, and calls done for each that is
// closed. The reaper closes the others.
func (c *Closer) CloseAtOnce(
	ctx context.Context, ended []connections.Sweep, done func(context.Context, connections.Sweep) error,
) {
	ctx, cancel := context.WithTimeout(ctx, AtOnce)
	defer cancel()
	var closes sync.WaitGroup
	for _, sweep := range ended {
		closes.Go(func() {
			var err error
			defer func() {
				if err != nil {
					c.Log.InfoContext(ctx, "connection left to the reaper",
						slog.String("connectionId", sweep.ConnectionID), slog.Any("error", err))
				}
			}()
			defer logging.Recover(ctx, c.Log, &err)
			if err = c.Close(ctx, sweep); err == nil && done != nil {
				err = done(ctx, sweep)
			}
		})
	}
	closes.Wait()
}

// sayBye posts the reason of the close to a client, and reports whether that succeeded. A lost bye frame is no fault. A
// client that does not read gets none: after a close without a bye frame it connects again, as it should.
func (c *Closer) sayBye(ctx context.Context, ended connections.Sweep) bool {
	if ended.Reason == connections.TooSlow {
		return false
	}
	frame, err := message.EncodeBye(message.Code(ended.Reason))
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, c.ByeTimeout)
		defer cancel()
		err = c.Gateway.Post(ctx, ended.ConnectionID, frame)
	}
	if err != nil && !errors.Is(err, ErrGone) {
		c.Log.WarnContext(ctx, "bye not delivered", slog.String("connectionId", ended.ConnectionID),
			slog.Any("error", err))
	}
	return err == nil
}
