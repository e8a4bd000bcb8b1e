package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"signedsocket/shared/logging"
)

const routeDisconnect = "$disconnect"

// store removes connections; connections.Store is one.
type store interface {
	Remove(ctx context.Context, connectionID string, connectedAt time.Time) (bool, error)
}

type handler struct {
	log         *slog.Logger
	connections store
}

// handle removes the records of the event's connection. An unknown connection is no error: it may never have been
// admitted, may have given way to another, or a broadcast may have found it gone.
func (h *handler) handle(
	ctx context.Context, event events.APIGatewayWebsocketProxyRequest,
) (events.APIGatewayProxyResponse, error) {
	request := event.RequestContext
	log := h.log.With(slog.String("connectionId", request.ConnectionID))
	if request.RouteKey != routeDisconnect {
		log.ErrorContext(ctx, "wrong route", slog.String("routeKey", request.RouteKey))
		return events.APIGatewayProxyResponse{}, fmt.Errorf("this function is for the route %s", routeDisconnect)
	}
	removed, err := h.remove(ctx, log, request.ConnectionID)
	if err != nil {
		log.ErrorContext(ctx, "disconnect failed", slog.Any("error", err))
		return events.APIGatewayProxyResponse{}, err
	}
	log.InfoContext(ctx, "disconnected", slog.Bool("removed", removed),
		slog.Int64("code", request.DisconnectStatusCode))
	return events.APIGatewayProxyResponse{StatusCode: http.StatusOK}, nil
}

func (h *handler) remove(ctx context.Context, log *slog.Logger, connectionID string) (removed bool, err error) {
	defer logging.Recover(ctx, log, &err)
	return h.connections.Remove(ctx, connectionID, time.Time{})
}
