package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"

	"signedsocket/shared/connections"
	"signedsocket/shared/grant"
)

// protocolChat is the WebSocket subprotocol that a client offers.
const protocolChat = "chat.v1"

// refusal is an answer other than 200: a status, a code for programs, a sentence for people.
type refusal struct {
	status        int
	code, message string
}

// Error implements error.
func (r refusal) Error() string { return r.code }

// The refusals of this function. The gateway itself answers missing and bad tokens with 401, and
// other methods with 404.
var (
	errBadRequest     = refusal{http.StatusBadRequest, "bad_request", "The request is not as it must be."}
	errRevoked        = refusal{http.StatusUnauthorized, "revoked", "Sign in again."}
	errNotTrusted     = refusal{http.StatusForbidden, "caller_not_trusted", "The token does not say who signed in, or when."}
	errRoomNotAllowed = refusal{http.StatusForbidden, "room_not_allowed", "You may not enter one of these rooms."}
	errTooLarge       = refusal{http.StatusRequestEntityTooLarge, "too_large", "The request is longer than 1 KB."}
	errMediaType      = refusal{http.StatusUnsupportedMediaType, "unsupported_media_type", "Send application/json."}
	errNotConfigured  = refusal{http.StatusServiceUnavailable, "auth_not_configured", "Nobody vouches for users here: the route has no authorizer."}
)

// users tells who may not connect; connections.Store does.
type users interface {
	Revoked(ctx context.Context, subject string, authenticatedAt, now time.Time) error
}

// presigner makes URLs; grant.Presigner is one.
type presigner interface {
	Presign(ctx context.Context, g grant.Grant) (grant.URL, error)
}

type handler struct {
	log       *slog.Logger
	config    config
	users     users
	presigner presigner
	now       func() time.Time
	newTicket func() string
}

// answer is the body of a 200. Times are durations, so that a browser whose clock is wrong can use
// them.
type answer struct {
	URL           string   `json:"url"`
	Protocols     []string `json:"protocols"`
	ExpiresIn     int      `json:"expiresIn"`     // seconds
	SessionEndsIn int      `json:"sessionEndsIn"` // seconds
	User          user     `json:"user"`
}

type user struct {
	Subject string `json:"sub"`
	Name    string `json:"name"`
}

// handle answers 200 with a URL, or with a refusal. An error is a fault: the gateway then answers 500
// with a text of its own.
func (h *handler) handle(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	started := h.now()
	body, err := h.sign(ctx, event, started)
	took := slog.Int64("ms", h.now().Sub(started).Milliseconds())
	var refused refusal
	switch {
	case errors.As(err, &refused):
		h.log.WarnContext(ctx, "URL refused", slog.String("reason", refused.code), slog.Int("status", refused.status), took)
		return respond(refused.status, struct {
			Code    string `json:"error"`
			Message string `json:"message"`
		}{refused.code, refused.message})
	case err != nil:
		h.log.ErrorContext(ctx, "sign failed", slog.Any("error", err), took)
		return events.APIGatewayV2HTTPResponse{}, err
	}
	h.log.InfoContext(ctx, "URL signed", took)
	return respond(http.StatusOK, body)
}

// sign checks the request and makes the answer to it.
func (h *handler) sign(ctx context.Context, event events.APIGatewayV2HTTPRequest, now time.Time) (answer, error) {
	caller, err := h.config.callerOf(event.RequestContext, now)
	if err != nil {
		return answer{}, err
	}
	request, err := readRequest(event)
	if err != nil {
		return answer{}, err
	}
	if len(request.Rooms) == 0 {
		request.Rooms = h.config.DefaultRooms
	}
	if !caller.mayEnter(request.Rooms) {
		return answer{}, errRoomNotAllowed
	}
	switch err := h.users.Revoked(ctx, caller.subject, caller.authenticatedAt, now); {
	case errors.Is(err, connections.ErrRevoked), errors.Is(err, connections.ErrBanned):
		return answer{}, errRevoked
	case err != nil:
		return answer{}, err
	}
	return h.present(ctx, caller, request, now)
}

// present signs the URL for a caller who may have it.
func (h *handler) present(ctx context.Context, caller caller, request signRequest, now time.Time) (answer, error) {
	issuedAt := time.Unix(now.Unix(), 0).UTC()
	signed, err := h.presigner.Presign(ctx, grant.Grant{
		Subject: caller.subject, Name: caller.name, Rooms: request.Rooms,
		IssuedAt: issuedAt, ExpiresAt: issuedAt.Add(h.config.urlLifetime()), SessionEndsAt: issuedAt.Add(h.config.sessionMax()),
		AuthenticatedAt: caller.authenticatedAt, Ticket: h.newTicket(), Challenge: request.Challenge,
	})
	if err != nil {
		return answer{}, fmt.Errorf("sign URL: %w", err)
	}
	return answer{
		URL: signed.Reveal(), Protocols: []string{protocolChat},
		ExpiresIn: h.config.URLLifetimeSeconds, SessionEndsIn: h.config.SessionMaxSeconds,
		User: user{Subject: caller.subject, Name: caller.name},
	}, nil
}

// respond returns an answer that nobody may store.
func respond(status int, body any) (events.APIGatewayV2HTTPResponse, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, fmt.Errorf("encode answer: %w", err)
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status,
		Headers:    map[string]string{"Cache-Control": "no-store", "Content-Type": "application/json"},
		Body:       string(encoded),
	}, nil
}
