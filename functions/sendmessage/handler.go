package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"signedsocket/shared/broadcast"
	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/message"
	"signedsocket/shared/segment"
)

const (
	routeSend    = "sendmessage"
	routeDefault = "$default"
	routePing    = "ping"

	// Lambda kills an invocation that reaches its deadline, so the work ends some time before it: all
	// of it answerMargin earlier, and the posts reportMargin earlier than that, so that their sender
	// can be told.
	answerMargin = 500 * time.Millisecond
	reportMargin = time.Second
)

// store knows connections and rooms; connections.Store does.
type store interface {
	Touch(ctx context.Context, connectionID string, now time.Time) (connections.Connection, error)
	Members(ctx context.Context, room string, now time.Time) iter.Seq2[[]connections.Member, error]
	Strike(ctx context.Context, connectionID string, now time.Time) (kicked bool, err error)
}

// poster posts frames to connections; callback.Client does.
type poster interface {
	Post(ctx context.Context, connectionID string, data []byte) error
}

// queue takes the parts of large rooms; fanoutQueue does.
type queue interface {
	Send(ctx context.Context, s segment.Segment) error
}

type handler struct {
	log         *slog.Logger
	stack       string
	connections store
	callback    poster
	broadcaster *broadcast.Broadcaster
	fanout      queue
	threshold   int // recipients, beside the sender, that an invocation takes upon itself, at least 1
	now         func() time.Time
	newID       func(time.Time) (string, error) // makes ids for messages that have none
}

// handle serves one frame. All answers go back through @connections, so the response is always the
// same. An error is a fault, for which API Gateway sends the client a frame of its own; a refusal is
// an error frame of ours.
func (h *handler) handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	ctx, cancel := before(ctx, answerMargin)
	defer cancel()
	request := event.RequestContext
	log := h.log.With(slog.String("connectionId", request.ConnectionID), slog.String("routeKey", request.RouteKey))
	if err := h.serve(ctx, log, request.RouteKey, request.ConnectionID, event.Body); err != nil {
		log.ErrorContext(ctx, "message failed", slog.Any("error", err))
		return events.APIGatewayProxyResponse{}, err
	}
	return events.APIGatewayProxyResponse{StatusCode: http.StatusOK}, nil
}

func (h *handler) serve(ctx context.Context, log *slog.Logger, route, connectionID, body string) (err error) {
	defer logging.Recover(ctx, log, &err)
	switch route {
	case routePing:
		return h.answer(ctx, log, connectionID, message.EncodePong())
	case routeSend, routeDefault:
		return h.send(ctx, log, connectionID, body)
	}
	return errors.New("no such route")
}

// send delivers the message in a frame, and tells its sender how that went.
func (h *handler) send(ctx context.Context, log *slog.Logger, connectionID, body string) error {
	frame, code := message.Decode(body)
	if code != "" {
		return h.strike(ctx, log, connectionID, message.Error{Code: code, ClientID: frame.ClientID})
	}
	now := h.now()
	sender, err := h.connections.Touch(ctx, connectionID, now)
	if err != nil {
		return h.refuseFor(ctx, log, connectionID, frame.ClientID, err)
	}
	room, code := roomOf(sender, frame.Room)
	if code != "" {
		return h.strike(ctx, log, connectionID, message.Error{Code: code, ClientID: frame.ClientID})
	}
	id, encoded, err := h.encode(sender, room, frame, now)
	if err != nil {
		return err
	}
	origin := broadcast.Origin{ID: requestID(ctx), Room: room, Arrived: now, Sender: sender.ID}
	done, err := h.deliver(ctx, sender, origin, encoded)
	log.InfoContext(ctx, "broadcast", done.Attr(h.stack, origin, 1, h.now()), slog.Int("queued", done.queued))
	if err != nil {
		return err
	}
	h.broadcaster.DropSlow(ctx, log, done.Result)
	if err := h.report(ctx, log, sender, id, frame.ClientID, done); err != nil {
		return err
	}
	h.broadcaster.CleanUp(ctx, log, done.Result)
	return nil
}

// before returns a context that ends by margin earlier than ctx, which on Lambda ends when the
// invocation is killed.
func before(ctx context.Context, margin time.Duration) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-margin))
	}
	return context.WithCancel(ctx)
}

// requestID returns the id that Lambda has given to the invocation.
func requestID(ctx context.Context) string {
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		return invocation.AwsRequestID
	}
	return ""
}

// refuseFor answers a message that the table refuses. Who was kicked is not answered any more. Every
// other error is a fault, and is returned.
func (h *handler) refuseFor(ctx context.Context, log *slog.Logger, connectionID, clientID string, err error) error {
	limit, limited := errors.AsType[*connections.RateLimitError](err)
	switch {
	case limited:
		return h.strike(ctx, log, connectionID, message.Error{Code: message.RateLimited, ClientID: clientID, RetryAfter: limit.RetryAfter})
	case errors.Is(err, connections.ErrNotConnected):
		return h.refuse(ctx, log, connectionID, message.Error{Code: message.NotConnected, ClientID: clientID})
	case errors.Is(err, connections.ErrSessionEnded):
		return h.refuse(ctx, log, connectionID, message.Error{Code: message.SessionEnded, ClientID: clientID})
	case errors.Is(err, connections.ErrKicked):
		log.WarnContext(ctx, "message ignored", slog.String("reason", string(message.Kicked)))
		return nil
	}
	return err
}

// strike refuses a frame that no good client sends, and counts that. Who sends too many of them is told
// goodbye, and the reaper closes the connection. What cannot be counted is refused nevertheless.
func (h *handler) strike(ctx context.Context, log *slog.Logger, connectionID string, refusal message.Error) error {
	kicked, err := h.connections.Strike(ctx, connectionID, h.now())
	switch {
	case errors.Is(err, connections.ErrKicked):
		return h.refuseFor(ctx, log, connectionID, refusal.ClientID, err)
	case err != nil && !errors.Is(err, connections.ErrNotConnected):
		log.ErrorContext(ctx, "strike not counted", slog.Any("error", err))
	}
	if err := h.refuse(ctx, log, connectionID, refusal); err != nil || !kicked {
		return err
	}
	log.WarnContext(ctx, "connection kicked")
	frame, err := message.EncodeBye(message.Kicked)
	if err != nil {
		return err
	}
	return h.answer(ctx, log, connectionID, frame)
}

// roomOf returns the room that a frame is for: the one it names, if the sender is in it, or the only
// one the sender is in.
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

// encode returns the frame for the recipients, and its id. Who sent it is what the table says.
func (h *handler) encode(sender connections.Connection, room string, frame message.Send, now time.Time) (id string, encoded []byte, err error) {
	if frame.ClientID != "" {
		id = message.IDFor(sender.Subject, room, frame.ClientID)
	} else if id, err = h.newID(now); err != nil {
		return "", nil, err
	}
	encoded, err = message.Message{
		ID: id, Room: room, From: message.Sender{Subject: sender.Subject, Name: sender.Name}, Text: frame.Text, SentAt: now,
	}.Encode()
	return id, encoded, err
}

// report tells the sender who got the message. That an ack does not arrive is no fault: the message
// was delivered, and the client, which hears nothing, sends it again under the same id.
func (h *handler) report(ctx context.Context, log *slog.Logger, sender connections.Connection, id, clientID string, done outcome) error {
	if !done.Complete() {
		return h.refuse(ctx, log, sender.ID, message.Error{Code: message.PartialDelivery, ClientID: clientID})
	}
	ack, err := message.Ack{
		ID: id, ClientID: clientID, Recipients: done.Recipients + done.queued,
		Delivered: done.Delivered, Gone: done.Gone + done.Young, Queued: done.queued,
	}.Encode()
	if err != nil {
		return err
	}
	if err := h.answer(ctx, log, sender.ID, ack); err != nil {
		log.WarnContext(ctx, "ack not delivered", slog.Any("error", err))
	}
	return nil
}

// refuse tells the client that its frame was refused, and why. When the client cannot be told, that
// is a fault: API Gateway's own frame then says at least that something went wrong.
func (h *handler) refuse(ctx context.Context, log *slog.Logger, connectionID string, refusal message.Error) error {
	log.WarnContext(ctx, "message refused", slog.String("reason", string(refusal.Code)))
	frame, err := refusal.Encode()
	if err != nil {
		return err
	}
	return h.answer(ctx, log, connectionID, frame)
}

// answer posts a frame to the sender. A sender who has left needs no answer.
func (h *handler) answer(ctx context.Context, log *slog.Logger, connectionID string, frame []byte) error {
	err := h.callback.Post(ctx, connectionID, frame)
	if errors.Is(err, callback.ErrGone) {
		log.InfoContext(ctx, "sender gone")
		return nil
	}
	if err != nil {
		return fmt.Errorf("answer sender: %w", err)
	}
	return nil
}
