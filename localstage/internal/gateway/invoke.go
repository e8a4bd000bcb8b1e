package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
)

// errTimeout is the error of an invocation that took longer than its route allows.
var errTimeout = errors.New("integration timed out")

// invoke passes e to the route's integration and returns the result. The error is errTimeout, wraps ErrNotPermitted, or
// says that the function failed.
func (g *Gateway) invoke(r *route, e event) ([]byte, error) {
	payload, err := e.encode()
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	ctx, cancel := context.WithTimeout(g.ctx, r.Timeout)
	defer cancel()
	answer, err := r.Integration.Invoke(ctx, payload)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && err != nil {
		return nil, errTimeout
	}
	return answer, err
}

// invokeConnect runs $connect and returns the subprotocols to grant, or the
// answer that fails the handshake. Only the status of the handler's own answer
// reaches the client.
// Source: observed for each of the outcomes; "The $connect and $disconnect routes".
func (g *Gateway) invokeConnect(r *route, e event) ([]string, *refusal) {
	answer, err := g.invoke(r, e)
	var response proxyResponse
	if err == nil {
		response, err = decodeProxyResponse(answer)
	}
	switch {
	case errors.Is(err, errTimeout):
		return nil, &gatewayTimeout
	case errors.Is(err, ErrNotPermitted):
		return nil, &notPermitted
	case err != nil:
		g.log.Warn("connect integration failed", slog.Any("error", err))
		return nil, &badGateway
	case response.status < 200 || response.status > 599:
		g.log.Warn("connect integration returned no HTTP status", slog.Int("statusCode", response.status))
		return nil, &badGateway
	case response.status > 299:
		return nil, &refusal{status: response.status}
	}
	return response.subprotocols, nil
}

// invokeDisconnect runs $disconnect, if the API has that route, for a connection whose socket is gone. Its outcome has
// no effect.
// Source: "The $connect and $disconnect routes": delivery is best effort.
func (g *Gateway) invokeDisconnect(p *peer, end ending) {
	r := g.routes[routeDisconnect]
	if r == nil || g.injector.occurs(g.injector.LoseDisconnects) {
		return
	}
	response, err := g.invokeMessage(r, g.disconnectEvent(p, end))
	switch {
	case err != nil:
		g.log.Warn("disconnect integration failed", slog.String("connectionId", p.id), slog.Any("error", err))
	case response.status >= http.StatusInternalServerError:
		g.log.Warn("disconnect integration answered an error", slog.String("connectionId", p.id),
			slog.Int("statusCode", response.status))
	}
}
