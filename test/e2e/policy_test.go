package e2e_test

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage/stagetest"
)

// withoutStatement removes the policy statement with that Sid from the template.
func withoutStatement(sid string) func(string) string {
	statement := regexp.MustCompile(`(?m)^              - Sid: ` + sid + `\n(?:                .*\n)+`)
	return func(template string) string { return statement.ReplaceAllString(template, "") }
}

func TestWithoutInvokeInTheSignersRoleNoHandshakeSucceeds(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{Edit: withoutStatement("OpenConnections")})
	signed, proof := sign(t, client, "alice")
	conn, err := client.Dial(within(t), signed, stageclient.DialOptions{Verifier: proof.Verifier})
	refused := wantRefused(t, conn, err, http.StatusForbidden)
	if got := refused.Header.Get("X-Amzn-Errortype"); got != "AccessDeniedException" {
		t.Errorf("x-amzn-ErrorType is %q, want AccessDeniedException", got)
	}
}

func TestWithoutManageConnectionsNothingIsDelivered(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{Edit: withoutStatement("PostToConnections")})
	alice, bob := connect(t, client, "alice"), connect(t, client, "bob")
	send(t, alice, "hello?", "a-1")
	// No frame of a function can get through, so the gateway reports the failure itself.
	if got := await[stageclient.GatewayError](t, alice); got.Text != "Internal server error" {
		t.Errorf("alice was told %+v, want Internal server error", got)
	}
	_ = alice.Close()
	if frame, err := bob.Next(contextThatEndsSoon(t)); err == nil {
		t.Errorf("bob received %+v", frame)
	}
}

func TestWithoutTheTablePermissionConnectAnswers503(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{Edit: withoutStatement("RecordConnection")})
	signed, proof := sign(t, client, "alice")
	conn, err := client.Dial(within(t), signed, stageclient.DialOptions{Verifier: proof.Verifier})
	wantRefused(t, conn, err, http.StatusServiceUnavailable)
}

func TestARouteWithoutPermissionCannotInvoke(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{Edit: func(template string) string {
		return strings.Replace(template, "/*/POST/signurl", "/*/GET/signurl", 1)
	}})
	token, err := client.Token(within(t), "alice")
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.SignURL(within(t), token, nil, "")
	if refused, ok := errors.AsType[*stageclient.SignError](err); !ok ||
		refused.Status != http.StatusInternalServerError {
		t.Errorf("signurl answered %v, want HTTP 500", err)
	}
}
