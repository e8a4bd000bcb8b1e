// Package caller answers the client whose frame a function serves: it posts frames to the client, refuses its frames,
// counts its strikes and closes its connection.
package caller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/message"
	"signedsocket/shared/userid"
)

// Striker counts strikes; connections.Store does.
type Striker interface {
	Strike(ctx context.Context, connectionID string, now time.Time) (connections.Struck, error)
}

// Closer closes connections that have ended; callback.Closer does.
type Closer interface {
	CloseAtOnce(ctx context.Context, ended []connections.Sweep, done func(context.Context, connections.Sweep) error)
}

// Callers has what a function needs to answer its clients, and remembers which connections it has ended. It is safe for
// concurrent use, and must not be copied.
type Callers struct {
	Strikes Striker
	Gateway callback.Gateway
	Closer  Closer
	Salt    string // of user ids in the log
	Now     func() time.Time

	ended ended
}

// Caller is the client that sent a frame.
type Caller struct {
	*Callers
	Log *slog.Logger
	ID  string // of the connection
}

// hasEnded reports whether this process has ended the connection before, and counts the frame then. Such a frame is
// dropped. Now and then hasEnded tries to close the connection again.
func (c Caller) hasEnded(ctx context.Context) bool {
	ended, again := c.ended.count(c.ID)
	if again {
		c.End(ctx, "")
	}
	return ended
}

// Answer posts a frame to the client. A client that has left needs no answer.
func (c Caller) Answer(ctx context.Context, frame []byte) error {
	err := c.Gateway.Post(ctx, c.ID, frame)
	if errors.Is(err, callback.ErrGone) {
		c.Log.InfoContext(ctx, "sender gone")
		return nil
	}
	if err != nil {
		return fmt.Errorf("answer sender: %w", err)
	}
	return nil
}

// Refuse sends the client an error frame with the reason. If that fails, it returns a fault: API Gateway then sends an
// error frame of its own.
func (c Caller) Refuse(ctx context.Context, refusal message.Error) error {
	c.Log.WarnContext(ctx, "message refused", slog.String("reason", string(refusal.Code)))
	frame, err := refusal.Encode()
	if err != nil {
		return err
	}
	return c.Answer(ctx, frame)
}

// RefuseFor answers a frame that the table refuses. A connection that has ended is closed as well. Every other error is
// a fault, and is returned.
func (c Caller) RefuseFor(ctx context.Context, clientID string, err error) error {
	limit, limited := errors.AsType[*connections.RateLimitError](err)
	switch {
	case limited && limit.Fewer: // a page that is loaded again does not know what the page before has asked
		return c.Refuse(ctx, message.Error{Code: message.RateLimited, ClientID: clientID, RetryAfter: limit.RetryAfter})
	case limited:
		return c.Strike(ctx, message.Error{Code: message.RateLimited, ClientID: clientID, RetryAfter: limit.RetryAfter})
	case errors.Is(err, connections.ErrKicked):
		c.ignore(ctx)
		return nil
	case errors.Is(err, connections.ErrNotConnected):
		return c.refuseAndEnd(ctx, message.Error{Code: message.NotConnected, ClientID: clientID})
	case errors.Is(err, connections.ErrSessionEnded):
		return c.refuseAndEnd(ctx, message.Error{Code: message.SessionEnded, ClientID: clientID})
	}
	return err
}

// ignore drops a frame of a client that was kicked, and closes its connection.
func (c Caller) ignore(ctx context.Context) {
	c.Log.WarnContext(ctx, "message ignored", slog.String("reason", string(message.Kicked)))
	c.End(ctx, connections.Kicked)
}

// refuseAndEnd tells the client that its frame was refused, and closes its connection.
func (c Caller) refuseAndEnd(ctx context.Context, refusal message.Error) error {
	err := c.Refuse(ctx, refusal)
	c.End(ctx, "")
	return err
}

// Strike refuses a frame that no good client sends, and counts it. The third strike kicks the client: it gets a bye
// frame and is closed. If the count fails, the frame is still refused.
func (c Caller) Strike(ctx context.Context, refusal message.Error) error {
	struck, err := c.Strikes.Strike(ctx, c.ID, c.Now())
	switch {
	case errors.Is(err, connections.ErrKicked):
		c.ignore(ctx)
		return nil
	case errors.Is(err, connections.ErrNotConnected):
		return c.refuseAndEnd(ctx, refusal)
	case err != nil:
		c.Log.ErrorContext(ctx, "strike not counted", slog.Any("error", err))
	}
	if err := c.Refuse(ctx, refusal); err != nil && !struck.Kicked {
		return err
	}
	if struck.Kicked {
		logging.Audit(ctx, c.Log, logging.Act{
			Action: "kick", By: "strikes", User: userid.LogAttr(c.Salt, struck.Subject),
			Why: string(refusal.Code), Connections: 1,
		})
		c.End(ctx, connections.Kicked)
	}
	return nil
}

// End closes the connection at once. With a reason, the client gets a bye frame first. If the close fails and the
// connection has a SWEEP item, the reaper closes it. Later frames of the client are dropped.
func (c Caller) End(ctx context.Context, reason connections.Reason) {
	c.ended.record(c.ID)
	if reason == "" {
		ctx, cancel := context.WithTimeout(ctx, callback.AtOnce)
		defer cancel()
		if err := c.Gateway.Close(ctx, c.ID); err != nil && !errors.Is(err, callback.ErrGone) {
			c.Log.WarnContext(ctx, "connection not closed", slog.Any("error", err))
		}
		return
	}
	// A client that has sent a frame has finished its handshake, so the time of its connection does not matter.
	c.Closer.CloseAtOnce(ctx, []connections.Sweep{{ConnectionID: c.ID, Reason: reason, ConnectedAt: time.Time{}}}, nil)
}
