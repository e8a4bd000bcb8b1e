package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"signedsocket/shared/connections"
	"signedsocket/shared/grant"
)

const (
	routeConnect = "$connect"
	eventConnect = "CONNECT"

	protocolHeader = "Sec-WebSocket-Protocol"
	protocolChat   = "chat.v1"

	// answerMargin is the time kept for the answer: Lambda kills an invocation that reaches its
	// deadline, and API Gateway would tell the client nothing useful.
	answerMargin = 500 * time.Millisecond
)

// Refusals of this function itself; those of the grant and of the table are added by reason.
var (
	errWrongRoute    = errors.New("wrong_route")
	errNoIdentity    = errors.New("no_identity")
	errUnknownSigner = errors.New("unknown_signer")
)

// store admits connections; connections.Store is one.
type store interface {
	Connect(ctx context.Context, a connections.Admission, now time.Time) (evicted int, err error)
}

type handler struct {
	log         *slog.Logger
	signers     signers
	connections store
	now         func() time.Time
}

// handle answers 200 when the connection may be opened, and 403 when not, whatever the reason: only
// the log knows it. A dependency that fails gives 503. The cheap checks come first, and the one that
// uses up the ticket comes last, so that a refused URL is not spent.
func (h *handler) handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	started := h.now()
	log := h.log.With(slog.String("connectionId", event.RequestContext.ConnectionID))
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-answerMargin))
		defer cancel()
	}
	evicted, err := h.connect(ctx, event, started)
	took := slog.Int64("ms", h.now().Sub(started).Milliseconds())
	if err != nil {
		if reason := reason(err); reason != "" {
			log.WarnContext(ctx, "connection refused", slog.String("reason", reason), took)
			return events.APIGatewayProxyResponse{StatusCode: http.StatusForbidden}, nil
		}
		log.ErrorContext(ctx, "connect failed", slog.Any("error", err), took)
		return events.APIGatewayProxyResponse{StatusCode: http.StatusServiceUnavailable}, nil
	}
	log.InfoContext(ctx, "connected", slog.Int("evicted", evicted), took)
	return accept(event), nil
}

// connect checks the handshake and records the connection.
func (h *handler) connect(ctx context.Context, event events.APIGatewayWebsocketProxyRequest, now time.Time) (evicted int, err error) {
	request := event.RequestContext
	if request.RouteKey != routeConnect || request.EventType != eventConnect {
		return 0, errWrongRoute
	}
	if err := h.signers.check(request.Identity); err != nil {
		return 0, err
	}
	granted, err := grant.Parse(event.MultiValueQueryStringParameters)
	if err != nil {
		return 0, err
	}
	if err := granted.CheckTimes(now); err != nil {
		return 0, err
	}
	return h.connections.Connect(ctx, connections.Admission{
		ConnectionID: request.ConnectionID, ConnectedAt: time.UnixMilli(request.ConnectedAt),
		Subject: granted.Subject, Name: granted.Name, Rooms: granted.Rooms,
		SessionEndsAt: granted.SessionEndsAt, AuthenticatedAt: granted.AuthenticatedAt,
		Ticket: granted.Ticket, TicketExpiresAt: granted.ExpiresAt,
	}, now)
}

// reason returns the code under which a refusal is logged, or "" when err is a fault.
func reason(err error) string {
	var refusal grant.Refusal
	switch {
	case errors.Is(err, errWrongRoute), errors.Is(err, errNoIdentity), errors.Is(err, errUnknownSigner):
		return err.Error()
	case errors.As(err, &refusal):
		return string(refusal)
	case errors.Is(err, connections.ErrTicketUsed):
		return "ticket_used"
	case errors.Is(err, connections.ErrRevoked):
		return "revoked"
	case errors.Is(err, connections.ErrBanned):
		return "banned"
	}
	return ""
}

// accept returns the answer that opens the connection. It names our subprotocol when the client
// offered that, once and in one map only: browsers refuse anything else. Other subprotocols that
// were offered are never repeated, since they may be secrets.
func accept(event events.APIGatewayWebsocketProxyRequest) events.APIGatewayProxyResponse {
	response := events.APIGatewayProxyResponse{StatusCode: http.StatusOK}
	for name, values := range event.MultiValueHeaders {
		if !strings.EqualFold(name, protocolHeader) {
			continue
		}
		for offered := range strings.SplitSeq(strings.Join(values, ","), ",") {
			if strings.TrimSpace(offered) == protocolChat {
				response.Headers = map[string]string{protocolHeader: protocolChat}
			}
		}
	}
	return response
}
