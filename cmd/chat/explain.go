package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"time"

	"signedsocket/internal/stageclient"
)

// stopError ends the chat with a text for the user and an exit code.
type stopError struct {
	text string
	code int
}

// Error returns the text for the user.
func (e *stopError) Error() string { return e.text }

// refusals is how many refusals of a signed URL in a row stop the chat. One refusal may be an accident, such as a
// laptop that slept for the URL's ten seconds.
const refusals = 3

// judge decides what a failed attempt to connect means: an error that ends the chat, or nil for a retry. everConnected
// tells whether a connection was ever open, and refused how many handshakes in a row were refused.
func (l *link) judge(err error, everConnected bool, refused int) *stopError {
	var sign *stageclient.SignError
	var handshake *stageclient.RefusedError
	switch {
	case errors.As(err, &sign):
		if sign.Status == http.StatusUnauthorized || sign.Status == http.StatusForbidden {
			return &stopError{l.explain(err), exitRefused}
		}
		if sign.Status < 500 && sign.Status != http.StatusTooManyRequests || sign.Code == "auth_not_configured" {
			return &stopError{l.explain(err), exitFailed}
		}
		return nil
	case errors.As(err, &handshake):
		switch {
		case handshake.Status == http.StatusForbidden && refused < refusals,
			handshake.Status == http.StatusTooManyRequests, handshake.Status >= 500:
			return nil
		case handshake.Status == http.StatusForbidden:
			return &stopError{l.explain(err), exitRefused}
		}
		return &stopError{l.explain(err), exitFailed}
	case everConnected, errors.Is(err, context.DeadlineExceeded):
		return nil
	}
	return &stopError{l.explain(err), exitFailed}
}

// signedOut reports whether the stage has revoked the user, even if a connection is still open.
func signedOut(err error) bool {
	var sign *stageclient.SignError
	return errors.As(err, &sign) && sign.Code == "revoked"
}

// retryAfter returns how long the stage asks to wait, or zero.
func retryAfter(err error) time.Duration {
	if sign := new(stageclient.SignError); errors.As(err, &sign) {
		return sign.RetryAfter
	}
	return 0
}

// explain says why there is no connection, and what to check.
func (l *link) explain(err error) string {
	var sign *stageclient.SignError
	var handshake *stageclient.RefusedError
	switch {
	case errors.As(err, &sign):
		return l.explainSign(sign)
	case errors.As(err, &handshake):
		return l.explainHandshake(handshake)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("no stage answers at %s — start one with `make run`", l.origins(err))
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer from %s in time", l.origins(err))
	}
	return err.Error()
}

// origins returns the origin of the address that failed.
func (l *link) origins(err error) string {
	address := l.client.Outputs.WebSocketURL
	if asked := new(url.Error); errors.As(err, &asked) {
		address = asked.URL
	}
	u, err := url.Parse(address)
	if err != nil {
		return "the stage's address"
	}
	return u.Scheme + "://" + u.Host
}

func (l *link) explainSign(e *stageclient.SignError) string {
	switch {
	case e.Code == "revoked" && l.user == "":
		return "refused: the stage takes no guests for now (401 revoked)"
	case e.Code == "revoked":
		return fmt.Sprintf("refused: %s was signed out everywhere (401 revoked). "+
			"Get a new token by signing in again.", l.userOrGuest())
	case l.user == "" && e.Code == "" && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden):
		return fmt.Sprintf("refused: this stage takes no guests (%d). Name a user with --as.", e.Status)
	case e.Status == http.StatusUnauthorized:
		return "refused: the stage does not take the access token (401). It may have expired, " +
			"or its iss and aud are not the stage's OidcIssuer and OidcAudience."
	case e.Code == "room_not_allowed":
		return fmt.Sprintf("refused: %s may not enter %s (403 room_not_allowed). Ask for another --room, "+
			"or for the room in the token's rooms claim.", l.userOrGuest(), describeRoom(l.room))
	case e.Status == http.StatusForbidden && l.trustedCaller:
		return fmt.Sprintf("refused: the stage does not take your AWS credentials (%d %s). Their principal has to "+
			"be in the stage's TrustedCallerArns, and needs execute-api:Invoke on POST/signurl.", e.Status,
			cmp.Or(e.Code, e.Message))
	case e.Status == http.StatusForbidden && e.Code == "":
		return fmt.Sprintf("refused: the token is valid, but not for this (403 %s). "+
			"A stage whose AuthMode is iam takes --trusted-caller instead.", e.Message)
	case e.Status == http.StatusForbidden:
		return fmt.Sprintf("refused: the token is valid, but not for this (%d %s).", e.Status, e.Message)
	case e.Status == http.StatusNotFound:
		return fmt.Sprintf("there is no POST %s (404). Are these the outputs of the stage that you mean?",
			l.client.Outputs.SignURL)
	case e.Code == "auth_not_configured":
		return "the stage has no settings for a sign-in (503 auth_not_configured). " +
			"Deploy it with what its AuthMode needs: OidcIssuer, TrustedCallerArns or GuestRooms."
	case e.Code == "too_many_connections":
		return "the stage has as many guests as it takes (429 too_many_connections)"
	case e.Code == "kicked":
		return fmt.Sprintf("%s was kicked for too many refused frames (429 kicked)", l.userOrGuest())
	case e.Code == "too_many_requests":
		return fmt.Sprintf("%s has asked for too many URLs (429 too_many_requests)", l.userOrGuest())
	case e.Status == http.StatusTooManyRequests:
		return "the stage is too busy to sign a URL (429)"
	case e.Status >= 500:
		return fmt.Sprintf("signurl failed (%d); the stage's log says more", e.Status)
	}
	return fmt.Sprintf("the stage does not understand this client: %v", e)
}

func describeRoom(room string) string {
	if room == "" {
		return "the default rooms"
	}
	return "room " + room
}

func (l *link) explainHandshake(e *stageclient.RefusedError) string {
	switch {
	case e.Status == http.StatusForbidden && l.signLocally:
		return "the signed URL was refused (403). Check that your AWS credentials are of a principal in the stage's " +
			"ExtraSignerArns that may execute-api:Invoke on $connect, and that this computer's clock is right."
	case e.Status == http.StatusForbidden:
		return "the signed URL was refused (403). Check that WebSocketUrl is the address that signurl signs, that " +
			"signurl's role may execute-api:Invoke on $connect, and the log of ConnectFunction for the reason."
	case e.Status == http.StatusTooManyRequests:
		return "the stage does not take more connections at the moment (429)"
	case e.Status >= 500:
		return fmt.Sprintf("the connect function failed (%d); the stage's log says more", e.Status)
	}
	return fmt.Sprintf("%s answered the handshake with %d; is it a WebSocket API?", l.origins(nil), e.Status)
}

func explainOutputs(path string, err error) string {
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Sprintf("there is no %s — start a stage with `make run` first, "+
			"or name the outputs of one with --outputs", path)
	}
	return err.Error()
}
