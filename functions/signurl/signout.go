package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"signedsocket/shared/grant"
	"signedsocket/shared/logging"
	"signedsocket/shared/userid"
)

// routeSignOut is the route of mode iam by which a trusted caller ends the connections of one sign-in of a user.
const routeSignOut = "POST /signout"

// signInKept is how long a sign-in stays ended if the trusted caller names no end: longer than any session should last.
const signInKept = 400 * 24 * time.Hour

// signOutRequest is the body of POST /signout.
type signOutRequest struct {
	User   *signedOutUser `json:"user"`
	SignIn string         `json:"signIn"` // see grant.ValidSignIn
}

// signedOutUser is the user whose sign-in ends.
type signedOutUser struct {
	Subject       string `json:"sub"`
	Issuer        string `json:"iss"`           // OidcIssuer when left out
	SessionEndsAt int64  `json:"sessionEndsAt"` // when the sign-in would have ended; far away when left out
}

// signOut is the order that the reaper carries out.
type signOut struct {
	UserID string `json:"user"`
	SignIn string `json:"signIn"`
	Until  int64  `json:"until"` // Unix seconds
	By     string `json:"by"`    // ARN of the trusted caller, for the record
}

// reaper ends connections; reaperFunction does.
type reaper interface {
	SignOut(ctx context.Context, order signOut) error
}

// handleSignOut answers 204 after the connections of a sign-in have been closed, or with a refusal.
func (h *handler) handleSignOut(
	ctx context.Context, event events.APIGatewayV2HTTPRequest,
) (events.APIGatewayV2HTTPResponse, error) {
	started := h.now()
	order, err := h.signOut(ctx, event, started)
	took := slog.Int64("ms", h.now().Sub(started).Milliseconds())
	if err != nil {
		return h.fail(ctx, "sign-out refused", err, took)
	}
	h.log.InfoContext(ctx, "signed out", userid.LogAttr(h.config.TableName, order.UserID), took)
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusNoContent, Headers: map[string]string{"Cache-Control": "no-store"},
	}, nil
}

// signOut checks the request, which only a trusted caller may make, and has the reaper carry it out.
func (h *handler) signOut(
	ctx context.Context, event events.APIGatewayV2HTTPRequest, now time.Time,
) (_ signOut, err error) {
	defer logging.Recover(ctx, h.log, &err)
	if h.config.AuthMode != authModeIAM || h.reaper == nil {
		return signOut{}, fmt.Errorf("mode %s has no sign-out: %w", h.config.AuthMode, errNotConfigured)
	}
	// mutate:sign-out-any-caller
	if err := h.config.mustBeTrusted(event.RequestContext.Authorizer); err != nil {
		return signOut{}, err
	}
	var request signOutRequest
	if err := readBody(event, maxServerBody, &request); err != nil {
		return signOut{}, err
	}
	order, err := h.config.orderOf(request, now)
	if err != nil {
		return signOut{}, err
	}
	order.By = event.RequestContext.Authorizer.IAM.UserARN
	if err := h.reaper.SignOut(ctx, order); err != nil {
		return signOut{}, fmt.Errorf("sign out: %w", err)
	}
	return order, nil
}

// orderOf checks the sign-in that a trusted caller names.
func (c config) orderOf(request signOutRequest, now time.Time) (signOut, error) {
	if request.User == nil || !grant.ValidSignIn(request.SignIn) {
		return signOut{}, fmt.Errorf("user or signIn: %w", errBadRequest)
	}
	id, _, ok := c.idsOf(request.User.Subject, request.User.Issuer)
	if !ok {
		return signOut{}, fmt.Errorf("sub or iss of the user: %w", errBadRequest)
	}
	until := request.User.SessionEndsAt
	if until == 0 {
		until = now.Add(signInKept).Unix()
	}
	if !validSeconds(until) {
		return signOut{}, fmt.Errorf("sessionEndsAt of the user: %w", errBadRequest)
	}
	return signOut{UserID: id, SignIn: request.SignIn, Until: until}, nil
}
