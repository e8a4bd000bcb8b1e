package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"signedsocket/shared/caller"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/message"
)

// withHistory is the protocol from which on a client may ask for messages of the past.
const withHistory = 2

// store has the connections; connections.Store does.
type store interface {
	CountRequests(ctx context.Context, connectionID string, n int, now time.Time) (connections.Connection, error)
}

type handler struct {
	log         *slog.Logger
	stack       string
	callers     *caller.Callers
	connections store
	rooms       logs
	markers     readMarkers
	rosters     rosters // nil if presence is off
	keepDays    int     // for which messages are kept, 0 for none
	now         func() time.Time
}

// client is the sender of one request.
type client struct {
	*handler
	caller.Caller
}

// handle serves one request.
func (h *handler) handle(ctx context.Context, event caller.Event) (events.APIGatewayProxyResponse, error) {
	return h.callers.Serve(ctx, h.log, event, h.serve)
}

func (h *handler) serve(ctx context.Context, from caller.Caller, event caller.Event) error {
	if event.RequestContext.RouteKey != message.ActionHistory {
		return errors.New("no such route")
	}
	return client{handler: h, Caller: from}.ask(ctx, event.Body)
}

// ask answers a request. The record of the connection decides which rooms the client may read, and whether it may read
// at all.
func (c client) ask(ctx context.Context, body string) error {
	started := c.now()
	request, code := message.DecodeHistoryRequest(body)
	if code != "" {
		return c.Strike(ctx, message.Error{Code: code, ClientID: request.ClientID})
	}
	// Each room whose members are wanted costs as much as a request.
	n := max(len(request.Here), 1) // mutate:here-counted => n := 1
	connection, err := c.connections.CountRequests(ctx, c.ID, n, started)
	if err != nil {
		return c.RefuseFor(ctx, request.ClientID, err)
	}
	if code := mayRead(connection, request); code != "" {
		return c.Strike(ctx, message.Error{Code: code, ClientID: request.ClientID})
	}
	answers, err := c.read(ctx, connection.Subject, request)
	if err != nil {
		return c.refuseUnread(ctx, request.ClientID, err)
	}
	bytes, err := c.send(ctx, answers)
	c.Log.InfoContext(ctx, "history", slog.Int("bytes", bytes),
		slog.Int64("ms", c.now().Sub(started).Milliseconds()), logging.History{Requests: 1}.Attr(c.stack, started))
	if err != nil {
		return err
	}
	c.tellWhoIsThere(ctx, connection, request.Here)
	return nil
}

// mayRead returns the code with which a request is refused, or "" if the connection may read all of its rooms.
func mayRead(connection connections.Connection, request message.HistoryRequest) message.Code {
	if connection.Protocol < withHistory { // mutate:history-protocol
		return message.UnknownAction
	}
	for _, room := range request.Rooms() {
		if !connection.In(room) { // mutate:history-foreign-room
			return message.RoomNotAllowed
		}
	}
	return ""
}

// send posts the answers one after the other, and returns how many bytes the client has.
func (c client) send(ctx context.Context, answers []encoder) (bytes int, err error) {
	for _, answer := range answers {
		frame, err := answer.Encode()
		if err != nil {
			return bytes, err
		}
		if err := c.Answer(ctx, frame); err != nil {
			return bytes, err
		}
		bytes += len(frame)
	}
	return bytes, nil
}
