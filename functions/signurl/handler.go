package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"signedsocket/shared/connections"
	"signedsocket/shared/grant"
	"signedsocket/shared/logging"
	"signedsocket/shared/userid"
)

// refusal is an answer other than 200: a status, a code for programs, a sentence for people, and the time after which
// to ask again.
type refusal struct {
	status        int
	code, message string
	retryAfter    time.Duration // 0 says nothing
}

// Error implements error.
func (r refusal) Error() string { return r.code }

// after returns the refusal with the time after which to ask again, rounded up to whole seconds.
func (r refusal) after(wait time.Duration) refusal {
	r.retryAfter = max((wait + time.Second - 1).Truncate(time.Second), time.Second)
	return r
}

// guestRetryAfter is how long a guest waits before the next request for a free place. A client that waits so long adds
// little load.
const guestRetryAfter = 30 * time.Second

// The refusals of this function. The gateway itself answers missing and bad tokens and signatures with 401 and 403, and
// other methods with 404.
var (
	errBadRequest  = refusal{http.StatusBadRequest, "bad_request", "The request is not as it must be.", 0}
	errRevoked     = refusal{http.StatusUnauthorized, "revoked", "Sign in again.", 0}
	errUnknownUser = refusal{http.StatusForbidden, "caller_not_trusted",
		"The token does not name the user, or the time of the sign-in.", 0}
	errNotAccessToken = refusal{http.StatusForbidden, "caller_not_trusted",
		"Send an access token that was issued for this chat.", 0}
	errNotTrusted = refusal{http.StatusForbidden, "caller_not_trusted",
		"This caller may not speak for users: see TrustedCallerArns.", 0}
	errRoomNotAllowed = refusal{http.StatusForbidden, "room_not_allowed", "You may not enter one of these rooms.", 0}
	errTooLarge       = refusal{http.StatusRequestEntityTooLarge, "too_large",
		"The request is longer than 1 KB, or 8 KB of a trusted caller.", 0}
	errMediaType   = refusal{http.StatusUnsupportedMediaType, "unsupported_media_type", "Send application/json.", 0}
	errTooManyURLs = refusal{http.StatusTooManyRequests, "too_many_requests",
		"You asked for too many URLs. Try again later.", 0}
	errKicked     = refusal{http.StatusTooManyRequests, "kicked", "You broke the rules too often. Try again later.", 0}
	errGuestsFull = refusal{http.StatusTooManyRequests, "too_many_connections",
		"Too many guests are here. Try again later.", guestRetryAfter}
	errNotConfigured = refusal{http.StatusServiceUnavailable, "auth_not_configured",
		"This deployment cannot tell its users apart: see the parameter AuthMode.", 0}
)

// users counts the URLs of each user, and says which users connect would refuse; connections.Store does.
type users interface {
	CountURL(ctx context.Context, userID string, now time.Time) error
	MayConnect(ctx context.Context, a connections.Applicant, now time.Time) error
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
	reaper    reaper
	now       func() time.Time
	newTicket func() string
}

// answer is the body of a 200. Times are durations, so that a browser whose clock is wrong can use them.
type answer struct {
	URL           string   `json:"url"`
	Protocols     []string `json:"protocols"`
	ExpiresIn     int      `json:"expiresIn"`     // seconds
	SessionEndsIn int      `json:"sessionEndsIn"` // seconds
	User          user     `json:"user"`
	Rooms         rights   `json:"rooms"`              // all that the user may enter
	Moderator     bool     `json:"moderator,omitzero"` // whether the user may delete anybody's messages
}

type user struct {
	Subject string `json:"sub"`
	Name    string `json:"name"`
}

// handle answers 200 with a URL, or with a refusal. An error is a fault: the gateway then answers 500 with a text of
// its own.
func (h *handler) handle(
	ctx context.Context, event events.APIGatewayV2HTTPRequest,
) (events.APIGatewayV2HTTPResponse, error) {
	if event.RouteKey == routeSignOut {
		return h.handleSignOut(ctx, event)
	}
	started := h.now()
	body, err := h.sign(ctx, event, started)
	took := slog.Int64("ms", h.now().Sub(started).Milliseconds())
	if err != nil {
		return h.fail(ctx, "URL refused", err, took)
	}
	h.log.InfoContext(ctx, "URL signed", userid.LogAttr(h.config.TableName, body.User.Subject), took)
	return respond(http.StatusOK, body)
}

// fail answers with a refusal, or returns the fault.
func (h *handler) fail(
	ctx context.Context, refusedMessage string, err error, took slog.Attr,
) (events.APIGatewayV2HTTPResponse, error) {
	if refused, ok := errors.AsType[refusal](err); ok {
		h.log.WarnContext(ctx, refusedMessage, slog.String("reason", refused.code), slog.Int("status", refused.status),
			slog.Any("error", err), took)
		return refuse(refused)
	}
	h.log.ErrorContext(ctx, "sign failed", slog.Any("error", err), took)
	return events.APIGatewayV2HTTPResponse{}, err
}

// sign checks the request and makes the answer to it.
func (h *handler) sign(ctx context.Context, event events.APIGatewayV2HTTPRequest, now time.Time) (_ answer, err error) {
	defer logging.Recover(ctx, h.log, &err)
	request, err := readRequest(event, h.config.maxBody())
	if err != nil {
		return answer{}, err
	}
	applicant, err := h.config.callerOf(event, request, now)
	if err != nil {
		return answer{}, err
	}
	if request.Challenge == "" && h.config.ProofOfPossession.NeedsChallenge() {
		return answer{}, fmt.Errorf("no challenge: %w", errBadRequest)
	}
	request.Rooms = h.config.roomsFor(applicant, request.Rooms)
	if !applicant.rooms.open(request.Rooms) { // mutate:signurl-rooms
		return answer{}, errRoomNotAllowed
	}
	if err := h.admit(ctx, applicant, request, now); err != nil {
		return answer{}, err
	}
	return h.present(ctx, applicant, request, now)
}

// admit counts the URL and, at the same time, checks whether connect would admit the caller. A guest without a secret
// is a new user in each request, so its URLs are not counted.
func (h *handler) admit(ctx context.Context, applicant caller, request signRequest, now time.Time) error {
	var counting errgroup.Group
	if applicant.comesBack { // mutate:signurl-counts
		counting.Go(func() (err error) {
			defer logging.Recover(ctx, h.log, &err)
			return h.users.CountURL(ctx, applicant.userID, now)
		})
	}
	err := h.users.MayConnect(ctx, connections.Applicant{
		UserID: applicant.userID, OldUserID: applicant.oldUserID, SignIn: applicant.signIn,
		ClientInstance: valueOf(request.ClientInstance), AuthenticatedAt: applicant.authenticatedAt,
	}, now)
	if counted := counting.Wait(); counted != nil {
		if limited, ok := errors.AsType[*connections.RateLimitError](counted); ok {
			return errTooManyURLs.after(limited.RetryAfter)
		}
		return counted
	}
	if kicked, ok := errors.AsType[*connections.KickedError](err); ok {
		return errKicked.after(kicked.RetryAfter)
	}
	switch {
	case errors.Is(err, connections.ErrRevoked), errors.Is(err, connections.ErrBanned): // mutate:revocation-signurl
		return errRevoked
	case errors.Is(err, connections.ErrGuestsFull):
		return errGuestsFull
	}
	return err
}

// present signs the URL for an admitted caller.
func (h *handler) present(ctx context.Context, applicant caller, request signRequest, now time.Time) (answer, error) {
	issuedAt := time.Unix(now.Unix(), 0).UTC()
	sessionEndsAt := issuedAt.Add(h.config.sessionMax())
	if !applicant.sessionEndsAt.IsZero() && applicant.sessionEndsAt.Before(sessionEndsAt) {
		sessionEndsAt = applicant.sessionEndsAt
	}
	signed, err := h.presigner.Presign(ctx, grant.Grant{
		Subject: applicant.userID, Name: applicant.name, Rooms: request.Rooms,
		IssuedAt: issuedAt, ExpiresAt: issuedAt.Add(h.config.urlLifetime()), SessionEndsAt: sessionEndsAt,
		AuthenticatedAt: applicant.authenticatedAt, Ticket: h.newTicket(), Challenge: request.Challenge,
		ClientInstance: valueOf(request.ClientInstance), SignIn: applicant.signIn,
		Moderator: applicant.moderator,
		ReadOnly:  applicant.rooms.readOnly(request.Rooms), // mutate:signurl-read-only => ReadOnly: nil,
	})
	if err != nil {
		return answer{}, fmt.Errorf("sign URL: %w", err)
	}
	return answer{
		URL: signed.Reveal(), Protocols: []string{grant.Protocol},
		ExpiresIn: h.config.URLLifetimeSeconds, SessionEndsIn: int(sessionEndsAt.Sub(issuedAt) / time.Second),
		User:  user{Subject: applicant.userID, Name: applicant.name},
		Rooms: applicant.rooms, Moderator: applicant.moderator,
	}, nil
}

// refuse returns the answer of a refusal.
func refuse(r refusal) (events.APIGatewayV2HTTPResponse, error) {
	response, err := respond(r.status, struct {
		Code    string `json:"error"`
		Message string `json:"message"`
	}{r.code, r.message})
	if err == nil && r.retryAfter > 0 {
		response.Headers["Retry-After"] = strconv.Itoa(int(r.retryAfter / time.Second))
	}
	return response, err
}

// respond returns an answer that must not be stored.
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
