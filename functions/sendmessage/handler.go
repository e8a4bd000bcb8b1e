package main

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"signedsocket/shared/broadcast"
	"signedsocket/shared/caller"
	"signedsocket/shared/connections"
	"signedsocket/shared/message"
)

const (
	routeSend    = message.ActionSend
	routeDelete  = message.ActionDelete
	routeDefault = "$default"
	routePing    = "ping"

	// reportMargin is how much earlier than all other work the posts end, so that there is time to answer the sender.
	reportMargin = time.Second
)

// store has the connections and rooms; connections.Store does.
type store interface {
	Touch(ctx context.Context, connectionID string, now time.Time) (connections.Connection, error)
	Members(ctx context.Context, room string, now time.Time) iter.Seq2[[]connections.Member, error]
	NamedMembers(
		ctx context.Context, room string, now time.Time, consistent bool,
	) iter.Seq2[[]connections.Member, error]
}

// queue takes the parts of large rooms; fanoutQueue does.
type queue interface {
	Send(ctx context.Context, s broadcast.Segment) error
}

type handler struct {
	log         *slog.Logger
	stack       string
	callers     *caller.Callers
	connections store
	history     history // nil if none is kept
	watch       *watch
	broadcaster *broadcast.Broadcaster
	fanout      queue
	threshold   int // recipients, beside the sender, to which an invocation posts itself, at least 1
	now         func() time.Time
	newID       func(time.Time) (string, error) // makes ids for messages that have none
}

// client is the sender of one frame.
type client struct {
	*handler
	caller.Caller
}

// handle serves one frame.
func (h *handler) handle(ctx context.Context, event caller.Event) (events.APIGatewayProxyResponse, error) {
	return h.callers.Serve(ctx, h.log, event, h.serve)
}

func (h *handler) serve(ctx context.Context, from caller.Caller, event caller.Event) error {
	c := client{handler: h, Caller: from}
	switch event.RequestContext.RouteKey {
	case routePing:
		return c.ping(ctx)
	case routeSend, routeDefault:
		return c.send(ctx, event.Body)
	case routeDelete:
		return c.delete(ctx, event.Body)
	}
	return errors.New("no such route")
}

// ping answers a ping. The first pings of a connection are not counted in the table. Further ones count as messages; a
// good client does not send them.
func (c client) ping(ctx context.Context) error {
	if !c.watch.isFreePing(c.ID, c.now()) {
		if _, err := c.connections.Touch(ctx, c.ID, c.now()); err != nil {
			return c.RefuseFor(ctx, "", err)
		}
	}
	return c.Answer(ctx, message.EncodePong())
}

// send delivers the message in a frame, and answers its sender with the result.
func (c client) send(ctx context.Context, body string) error {
	frame, code := message.Decode(body)
	if code != "" {
		return c.refuseFrame(ctx, body, message.Error{Code: code, ClientID: frame.ClientID})
	}
	now := c.now()
	sender, look, err := c.countAndLook(ctx, frame, now)
	if err != nil {
		return c.RefuseFor(ctx, frame.ClientID, err)
	}
	room, code := roomOf(sender, frame.Room)
	if code == "" && !sender.MayWrite(room) { // mutate:send-read-only
		code = message.ReadOnly
	}
	if code != "" {
		return c.Strike(ctx, message.Error{Code: code, ClientID: frame.ClientID})
	}
	sent, err := c.message(sender, room, frame, now)
	if err != nil {
		return err
	}
	stored, deleted, err := c.store(ctx, look, frame, sent)
	if err != nil {
		return c.refuseUnstored(ctx, sender, frame.ClientID, err)
	}
	if deleted { // after it was sent: the room has nothing to show
		return c.acknowledge(ctx, message.Ack{
			ID: stored.ID, Seq: stored.Seq, ClientID: frame.ClientID, Recipients: 1,
			Deleted: sender.Protocol >= 2, // mutate:ack-deleted-v2 => Deleted: true,
		})
	}
	encoded, err := stored.Encode()
	if err != nil {
		return err
	}
	ack := message.Ack{ID: stored.ID, Seq: stored.Seq, ClientID: frame.ClientID}
	return c.broadcast(ctx, sender, posting{encoded, room, now, c.connections.Members}, ack)
}

// refuseFrame refuses a frame that cannot be read. A frame of chat.v2 counts as a message and not as a strike when a
// client of chat.v2 sends it: the client cannot know that this deployment does not serve it.
func (c client) refuseFrame(ctx context.Context, body string, refusal message.Error) error {
	if refusal.Code != message.UnknownAction || !message.HasActionOfV2(body) {
		return c.Strike(ctx, refusal)
	}
	sender, err := c.connections.Touch(ctx, c.ID, c.now())
	switch {
	case err != nil:
		return c.RefuseFor(ctx, refusal.ClientID, err)
	case sender.Protocol < 2: // mutate:action-of-v2
		return c.Strike(ctx, refusal)
	}
	return c.Refuse(ctx, refusal)
}

// posting is a frame on its way to the members of a room.
type posting struct {
	frame   []byte
	room    string
	arrived time.Time // when the client's frame did
	to      members
}

// broadcast posts a frame to its room, and answers the sender with the result.
func (c client) broadcast(ctx context.Context, sender connections.Connection, p posting, ack message.Ack) error {
	origin := broadcast.Origin{ID: requestID(ctx), Room: p.room, Arrived: p.arrived, Sender: sender.ID}
	done, err := c.deliver(ctx, sender, origin, p.frame, p.to)
	c.Log.InfoContext(ctx, "broadcast", done.Attr(c.stack, origin, 1, c.now()), slog.Int("queued", done.queued))
	if err != nil {
		return err
	}
	c.broadcaster.ExpelSlow(ctx, c.Log, done.Result)
	if err := c.report(ctx, ack, done); err != nil {
		return err
	}
	c.broadcaster.CleanUp(ctx, c.Log, done.Result)
	return nil
}

// requestID returns the id that Lambda has given to the invocation.
func requestID(ctx context.Context) string {
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		return invocation.AwsRequestID
	}
	return ""
}

// roomOf returns the room that a frame is for: the one it names, if the sender is in it, or the only one the sender is
// in.
func roomOf(sender connections.Connection, named string) (string, message.Code) {
	switch {
	case named != "" &&
		sender.In(named): // mutate:frame-room
		return named, ""
	case named != "":
		return "", message.RoomNotAllowed
	case len(sender.Rooms) == 1:
		return sender.Rooms[0].Room, ""
	default:
		return "", message.BadMessage
	}
}

// message returns the message of a frame. The table names the sender.
func (h *handler) message(
	sender connections.Connection, room string, frame message.Send, now time.Time,
) (m message.Message, err error) {
	m = message.Message{
		Room: room, From: message.Sender{Subject: sender.Subject, Name: sender.Name}, Text: frame.Text, SentAt: now,
	}
	if frame.ClientID != "" {
		m.ID = message.IDFor(sender.Subject, room, frame.ClientID)
		return m, nil
	}
	m.ID, err = h.newID(now)
	return m, err
}

// report sends the result to the sender. What is stored needs no repetition: members that missed it find it in the
// history.
func (c client) report(ctx context.Context, ack message.Ack, done outcome) error {
	ack.Recipients, ack.Queued = done.Recipients+done.queued, done.queued
	ack.Delivered, ack.Gone = done.Delivered, done.Gone+done.Young
	switch {
	case ack.Seq > 0:
		ack.Missed = done.Throttled + done.Failed
	case !done.Complete():
		return c.Refuse(ctx, message.Error{Code: message.PartialDelivery, ClientID: ack.ClientID})
	}
	return c.acknowledge(ctx, ack)
}

// acknowledge answers the sender. A lost ack is no fault if some member has the message: a client without an answer
// repeats it under the same id. If none has, no post works, and an operator has to know.
func (c client) acknowledge(ctx context.Context, a message.Ack) error {
	ack, err := a.Encode()
	if err != nil {
		return err
	}
	if err := c.Answer(ctx, ack); err != nil {
		if a.Delivered == 0 {
			return err
		}
		c.Log.WarnContext(ctx, "ack not delivered", slog.Any("error", err))
	}
	return nil
}
