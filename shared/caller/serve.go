package caller

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"signedsocket/shared/function"
	"signedsocket/shared/logging"
)

// answerMargin is the time kept for the answer: Lambda kills an invocation that reaches its deadline.
const answerMargin = 500 * time.Millisecond

// Event is an event of a WebSocket route.
type Event = events.APIGatewayWebsocketProxyRequest

// Serve has serve answer one frame, unless this process has ended its connection. All answers go back through
// @connections, so the response is always the same. An error of serve, or a panic, is a fault, for which API Gateway
// sends the client a frame of its own; a refusal is an error frame of ours.
func (c *Callers) Serve(
	ctx context.Context, log *slog.Logger, event Event, serve func(context.Context, Caller, Event) error,
) (events.APIGatewayProxyResponse, error) {
	ctx, cancel := function.Before(ctx, answerMargin)
	defer cancel()
	request := event.RequestContext
	log = log.With(slog.String("connectionId", request.ConnectionID), slog.String("routeKey", request.RouteKey))
	if err := c.serve(ctx, Caller{Callers: c, Log: log, ID: request.ConnectionID}, event, serve); err != nil {
		log.ErrorContext(ctx, "frame failed", slog.Any("error", err))
		return events.APIGatewayProxyResponse{}, err
	}
	return events.APIGatewayProxyResponse{StatusCode: http.StatusOK}, nil
}

func (c *Callers) serve(
	ctx context.Context, from Caller, event Event, serve func(context.Context, Caller, Event) error,
) (err error) {
	defer logging.Recover(ctx, from.Log, &err)
	if from.hasEnded(ctx) {
		return nil
	}
	return serve(ctx, from, event)
}
