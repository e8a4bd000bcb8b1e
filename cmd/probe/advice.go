package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"signedsocket/internal/stageclient"
)

// Advice for a missing protection, and for a gateway that cannot run a function.
const (
	unsignedOpens = "the deployed $connect route has lost its IAM authorization: take the stack out of use, " +
		"compare the route in the console with template.yaml, deploy again"
	replayOpens = "connect does not see that a URL was used: is there more than one table, " +
		"or another connect function than this repository's?"
	alteredOpens = "the signature is not checked: the deployed $connect route has lost its IAM authorization; " +
		"take the stack out of use and deploy again"
	originOpens = "connect takes pages of any site: compare ALLOWED_ORIGINS of ConnectFunction with the stack's " +
		"parameter AllowedOrigins"
	signurlIsOpen = "the route POST /signurl has lost its authorizer, and signs URLs without a token: " +
		"take the stack out of use, compare the route in the console with template.yaml, deploy again"
	gatewayFailed = "the function ended with an error or may not be invoked: make logs shows its last lines, " +
		"and the alarm SocketErrors counts them"
)

func lookAt(function string) string {
	return "look at the log of " + function + ": make logs"
}

// beUser returns the advice that makes the steps with a user possible.
func (p *prober) beUser() string {
	if p.client.Outputs.AuthMode == trustedCallers {
		return "to try the rest, deploy with your principal in TrustedCallerArns, " +
			"and give it execute-api:Invoke on POST/signurl"
	}
	return fmt.Sprintf("to try the rest, set %s to a command that prints an access token for the user in $%s; "+
		"a stack with IdentityProvider=cognito gives one by itself when your principal is in its ExtraSignerArns",
		stageclient.TokenCommandVariable, stageclient.UserVariable)
}

// notSigned says why there is no signed URL.
func (p *prober) notSigned(err error) *trouble {
	if errors.Is(err, errNoUser) {
		return &trouble{what: err.Error(), todo: p.beUser(), untried: true}
	}
	if p.unfetched != nil {
		todo := "try the command by hand: it has to print an access token and nothing else"
		return &trouble{what: err.Error(), todo: todo}
	}
	var sign *stageclient.SignError
	if !errors.As(err, &sign) {
		if errors.Is(err, context.DeadlineExceeded) {
			todo := "the function does not start: " + lookAt("SignUrlFunction")
			return &trouble{what: "no signed URL in time", todo: todo}
		}
		todo := "does the stage run, and is " + p.client.Outputs.SignURL + " its address?"
		return &trouble{what: err.Error(), todo: todo}
	}
	t := &trouble{what: sign.Error()}
	switch {
	case sign.Status == http.StatusForbidden && p.client.Outputs.AuthMode == trustedCallers:
		// Usually only the page's server may name users.
		t.todo, t.untried = p.beUser(), true
	case sign.Code == "auth_not_configured":
		t.todo = "deploy with what the stack's AuthMode needs: OidcIssuer, TrustedCallerArns or GuestRooms"
	case sign.Code == "room_not_allowed":
		t.todo = "the user may not enter the default rooms: use another --as, or look at the parameter RoomsClaim"
	case sign.Code == "revoked":
		t.todo = "the user was signed out everywhere: use another --as, or a token that was issued later"
	case sign.Status == http.StatusUnauthorized:
		t.todo = "the token's iss and aud (or client_id) have to be the stack's OidcIssuer and OidcAudience; " +
			"is it an access token that has not expired?"
	case sign.Status == http.StatusForbidden:
		t.todo = "the token is good, and not for this route: compare its scopes and the route's authorizer"
	case sign.Status == http.StatusNotFound:
		t.todo = "SignUrl of the outputs is not this stack's: make outputs shows it"
	case sign.Status >= http.StatusInternalServerError:
		t.todo = "API Gateway may not invoke SignUrlFunction, or it fails: " + lookAt("SignUrlFunction")
	}
	return t
}

// notOpened says why a signed URL opens no connection.
func (p *prober) notOpened(err error) *trouble {
	var refused *stageclient.RefusedError
	if !errors.As(err, &refused) {
		if errors.Is(err, context.DeadlineExceeded) {
			todo := "connect does not start or waits for the table: " + lookAt("ConnectFunction")
			return &trouble{what: "no connection in time", todo: todo}
		}
		return &trouble{what: err.Error(), todo: "is " + p.client.Outputs.WebSocketURL + " reachable from here?"}
	}
	t := &trouble{what: fmt.Sprintf("the signed URL is refused with %d", refused.Status)}
	kind := refused.Header.Get("X-Amzn-Errortype")
	switch {
	case kind == "AccessDeniedException":
		t.todo = "signurl's role may not execute-api:Invoke on $connect: compare SignUrlRole with template.yaml; " +
			"a service control policy may forbid it, too"
	case kind == "InvalidSignatureException" || kind == "UnrecognizedClientException" ||
		kind == "ExpiredTokenException":
		t.todo = "API Gateway does not take the signature (" + kind +
			"): WEBSOCKET_URL of SignUrlFunction has to be the address that is dialled, and the clocks have to agree"
	case refused.Status == http.StatusForbidden:
		t.todo = "connect refused, and its log says why: make logs. wrong_origin: FrontendUrl is not the page's " +
			"origin; no_identity: the route has lost its authorization; unknown_signer: " +
			"SIGNER_CALLER is not signurl's role"
	case refused.Status == http.StatusTooManyRequests:
		t.todo = "the route's throttle or the function's reserved concurrency is used up: try again, " +
			"then look at the alarm FunctionThrottles"
	case refused.Status == http.StatusServiceUnavailable:
		t.todo = "connect cannot write to the table: " + lookAt("ConnectFunction")
	case refused.Status >= http.StatusInternalServerError:
		t.todo = gatewayFailed
	default:
		t.todo = "WebSocketUrl of the outputs is not a WebSocket API's: make outputs shows it"
	}
	return t
}
