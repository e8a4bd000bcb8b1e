package main

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

// client is the sender of one frame. Its methods answer, refuse, strike and close it.
type client struct {
	*handler
	log *slog.Logger
	id  string // of the connection
}

// answer posts a frame to the client. A client that has left needs no answer.
func (c client) answer(ctx context.Context, frame []byte) error {
	err := c.callback.Post(ctx, c.id, frame)
	if errors.Is(err, callback.ErrGone) {
		c.log.InfoContext(ctx, "sender gone")
		return nil
	}
	if err != nil {
		return fmt.Errorf("answer sender: %w", err)
	}
	return nil
}

// refuse sends the client an error frame with the reason. If that fails, it returns a fault: API Gateway then sends an
// error frame of its own.
func (c client) refuse(ctx context.Context, refusal message.Error) error {
	c.log.WarnContext(ctx, "message refused", slog.String("reason", string(refusal.Code)))
	frame, err := refusal.Encode()
	if err != nil {
		return err
	}
	return c.answer(ctx, frame)
}

// refuseFor answers a frame that the table refuses. A connection that has ended is closed as well. Every other error is
// a fault, and is returned.
func (c client) refuseFor(ctx context.Context, clientID string, err error) error {
	limit, limited := errors.AsType[*connections.RateLimitError](err)
	switch {
	case limited:
		return c.strike(ctx, message.Error{Code: message.RateLimited, ClientID: clientID, RetryAfter: limit.RetryAfter})
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
func (c client) ignore(ctx context.Context) {
	c.log.WarnContext(ctx, "message ignored", slog.String("reason", string(message.Kicked)))
	c.end(ctx, connections.Kicked)
}

// refuseAndEnd tells the client that its frame was refused, and closes its connection.
func (c client) refuseAndEnd(ctx context.Context, refusal message.Error) error {
	err := c.refuse(ctx, refusal)
	c.end(ctx, "")
	return err
}

// strike refuses a frame that no good client sends, and counts it. The third strike kicks the client: it gets a bye
// frame and is closed. If the count fails, the frame is still refused.
func (c client) strike(ctx context.Context, refusal message.Error) error {
	struck, err := c.connections.Strike(ctx, c.id, c.now())
	switch {
	case errors.Is(err, connections.ErrKicked):
		c.ignore(ctx)
		return nil
	case errors.Is(err, connections.ErrNotConnected):
		return c.refuseAndEnd(ctx, refusal)
	case err != nil:
		c.log.ErrorContext(ctx, "strike not counted", slog.Any("error", err))
	}
	if err := c.refuse(ctx, refusal); err != nil && !struck.Kicked {
		return err
	}
	if struck.Kicked {
		logging.Audit(ctx, c.log, logging.Act{
			Action: "kick", By: "strikes", User: userid.LogAttr(c.salt, struck.Subject),
			Why: string(refusal.Code), Connections: 1,
		})
		c.end(ctx, connections.Kicked)
	}
	return nil
}

// end closes the connection at once. With a reason, the client gets a bye frame first. If the close fails and the
// connection has a SWEEP item, the reaper closes it. Later frames of the client are dropped.
func (c client) end(ctx context.Context, reason connections.Reason) {
	c.watch.recordEnd(c.id)
	if reason == "" {
		ctx, cancel := context.WithTimeout(ctx, closeTimeout)
		defer cancel()
		if err := c.callback.Close(ctx, c.id); err != nil && !errors.Is(err, callback.ErrGone) {
			c.log.WarnContext(ctx, "connection not closed", slog.Any("error", err))
		}
		return
	}
	// A client that has sent a frame has finished its handshake, so the time of its connection does not matter.
	c.closer.CloseAtOnce(ctx, []connections.Sweep{{ConnectionID: c.id, Reason: reason, ConnectedAt: time.Time{}}}, nil)
}
