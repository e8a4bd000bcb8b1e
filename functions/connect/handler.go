package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"signedsocket/shared/connections"
	"signedsocket/shared/function"
	"signedsocket/shared/grant"
	"signedsocket/shared/logging"
	"signedsocket/shared/userid"
)

const (
	routeConnect = "$connect"
	eventConnect = "CONNECT"

	// answerMargin is the time kept for the answer: Lambda kills an invocation that reaches its deadline, and API
	// Gateway would tell the client nothing useful.
	answerMargin = 500 * time.Millisecond

	// maxClosing is how many connections are closed at the same time: one admission removes at most as many.
	maxClosing = 7
)

// refusal is a reason for which this function refuses a handshake: a code for the log. The function reasonOf adds those
// of the grant and of the table.
type refusal string

// Error implements error.
func (r refusal) Error() string { return "handshake refused: " + string(r) }

const (
	errWrongRoute     refusal = "wrong_route"     // not the event of a handshake
	errNoIdentity     refusal = "no_identity"     // the route has lost its authorization
	errUnknownSigner  refusal = "unknown_signer"  // the signer may not vouch for users
	errNoOrigin       refusal = "missing_origin"  // not a browser
	errTwoOrigins     refusal = "repeated_origin" // not a browser either
	errWrongOrigin    refusal = "wrong_origin"    // a page of another site
	errNoChallenge    refusal = "missing_cc"      // signed without the challenge that is needed
	errNoProof        refusal = "missing_proof"   // no verifier
	errMalformedProof refusal = "malformed_proof" // several verifiers, or a malformed one
	errWrongProof     refusal = "wrong_proof"     // another client than the one that asked for the URL
)

// store admits connections; connections.Store is one.
type store interface {
	Connect(ctx context.Context, a connections.Admission, now time.Time) (connections.Admitted, error)
	RemoveSweep(ctx context.Context, sweep connections.Sweep) error
}

// closer closes connections that gave way; callback.Closer is one.
type closer interface {
	CloseAtOnce(ctx context.Context, ended []connections.Sweep, done func(context.Context, connections.Sweep) error)
}

type handler struct {
	log         *slog.Logger
	salt        string // of user ids in the log
	signers     signers
	origins     origins
	possession  grant.Possession
	connections store
	closer      closer
	now         func() time.Time
}

// handle answers 200 when the connection may be opened, and 403 without a reason when not; the log has the reason. A
// dependency that fails gives 503. The cheap checks come first. The check that uses the ticket comes last, so that a
// refused URL stays unused.
func (h *handler) handle(
	ctx context.Context, event events.APIGatewayWebsocketProxyRequest,
) (events.APIGatewayProxyResponse, error) {
	// mutate:log-query => started := h.now(); for _, v := range event.MultiValueQueryStringParameters { println(v[0]) }
	started := h.now()
	log := h.log.With(slog.String("connectionId", event.RequestContext.ConnectionID))
	ctx, cancel := function.Before(ctx, answerMargin)
	defer cancel()
	granted, admitted, err := h.connect(ctx, event, started)
	took := slog.Int64("ms", h.now().Sub(started).Milliseconds())
	if granted.Subject != "" {
		log = log.With(userid.LogAttr(h.salt, granted.Subject))
	}
	if err != nil {
		if reason := reasonOf(err); reason != "" {
			log.WarnContext(ctx, "connection refused", slog.String("reason", reason), took) // mutate:log-reason
			return events.APIGatewayProxyResponse{StatusCode: http.StatusForbidden}, nil
		}
		log.ErrorContext(ctx, "connect failed", slog.Any("error", err), took)
		return events.APIGatewayProxyResponse{StatusCode: http.StatusServiceUnavailable}, nil
	}
	log.InfoContext(ctx, "connected", slog.Int("evicted", len(admitted.Removed)), took)
	h.close(ctx, granted, admitted)
	return accept(event), nil
}

// connect checks the handshake and records the connection. The grant is zero until the checks have been passed.
func (h *handler) connect(
	ctx context.Context, event events.APIGatewayWebsocketProxyRequest, now time.Time,
) (granted grant.Grant, admitted connections.Admitted, err error) {
	defer logging.Recover(ctx, h.log, &err)
	granted, err = h.check(event, now)
	if err != nil {
		return grant.Grant{}, connections.Admitted{}, err
	}
	request := event.RequestContext
	admitted, err = h.connections.Connect(ctx, connections.Admission{
		ConnectionID: request.ConnectionID, ConnectedAt: time.UnixMilli(request.ConnectedAt),
		Subject: granted.Subject, Name: granted.Name, Rooms: granted.Rooms,
		SessionEndsAt: granted.SessionEndsAt, AuthenticatedAt: granted.AuthenticatedAt,
		Ticket: granted.Ticket, TicketExpiresAt: granted.ExpiresAt,
		Protocol: protocolVersion(event), ClientInstance: granted.ClientInstance, SignIn: granted.SignIn,
		Moderator: granted.Moderator,
		ReadOnly:  granted.ReadOnly, // mutate:connect-read-only => ReadOnly: nil,
	}, now)
	return granted, admitted, err
}

// close closes the connections that gave way, and logs the reason. It removes the SWEEP item of each closed connection.
func (h *handler) close(ctx context.Context, granted grant.Grant, admitted connections.Admitted) {
	user := userid.LogAttr(h.salt, granted.Subject)
	ended := make(map[connections.Reason]int)
	for _, sweep := range admitted.Removed {
		ended[sweep.Reason]++
	}
	if n := ended[connections.Replaced] + admitted.Replaced; n > 0 {
		logging.Audit(ctx, h.log, logging.Act{
			Action: "replace", By: "client_instance", User: user, Why: "the same client has opened a newer connection",
			Connections: n,
		})
	}
	if n := ended[connections.Evicted]; n > 0 {
		logging.Audit(ctx, h.log, logging.Act{
			Action: "evict", By: "connections_per_user", User: user, Why: "the user has no place left", Connections: n,
		})
	}
	if len(admitted.Removed) > 0 {
		h.closer.CloseAtOnce(ctx, admitted.Removed, h.connections.RemoveSweep)
	}
}

// check makes all checks of a handshake that need nothing but the event, and returns its grant.
func (h *handler) check(event events.APIGatewayWebsocketProxyRequest, now time.Time) (grant.Grant, error) {
	request := event.RequestContext
	if request.RouteKey != routeConnect || request.EventType != eventConnect {
		return grant.Grant{}, errWrongRoute
	}
	if err := h.signers.check(request.Identity); err != nil {
		return grant.Grant{}, err
	}
	granted, err := grant.Parse(event.MultiValueQueryStringParameters)
	if err != nil {
		return grant.Grant{}, err
	}
	if err := granted.CheckTimes(now); err != nil {
		return grant.Grant{}, err
	}
	if err := h.origins.check(event); err != nil { // mutate:origin-check
		return grant.Grant{}, err
	}
	if err := checkProof(h.possession, granted.Challenge, offeredProtocols(event)); err != nil { // mutate:proof-check
		return grant.Grant{}, err
	}
	return granted, nil
}

// reasonOf returns the code under which a refusal is logged, or "" when err is a fault.
func reasonOf(err error) string {
	if own, ok := errors.AsType[refusal](err); ok {
		return string(own)
	}
	if granted, ok := errors.AsType[grant.Refusal](err); ok {
		return string(granted)
	}
	switch {
	case errors.Is(err, connections.ErrTicketUsed):
		return "ticket_used"
	case errors.Is(err, connections.ErrRevoked):
		return "revoked"
	case errors.Is(err, connections.ErrBanned):
		return "banned"
	case errors.Is(err, connections.ErrGuestsFull):
		return "guests_full"
	}
	if _, kicked := errors.AsType[*connections.KickedError](err); kicked {
		return "kicked"
	}
	return ""
}

// accept returns the answer that opens the connection. It names the selected subprotocol once and in one map only:
// browsers refuse anything else.
func accept(event events.APIGatewayWebsocketProxyRequest) events.APIGatewayProxyResponse {
	response := events.APIGatewayProxyResponse{StatusCode: http.StatusOK}
	if protocol := selectProtocol(event); protocol != "" {
		response.Headers = map[string]string{headerProtocol: protocol}
	}
	return response
}

// selectProtocol returns the newest of our subprotocols that the client offers, or "". It never returns another
// subprotocol, which may be a secret.
func selectProtocol(event events.APIGatewayWebsocketProxyRequest) string {
	offered := offeredProtocols(event)
	for _, ours := range []string{grant.ProtocolV2, grant.Protocol} {
		if slices.Contains(offered, ours) {
			return ours
		}
	}
	return ""
}

// protocolVersion returns the version of the selected subprotocol. A client that offers none of ours speaks chat.v1.
func protocolVersion(event events.APIGatewayWebsocketProxyRequest) int {
	if selectProtocol(event) == grant.ProtocolV2 {
		return 2
	}
	return 1
}
