// Package e2e_test plays a stage over the wire: real clients, the built
// functions, the template that is deployed. It knows a stage by its outputs only.
package e2e_test

import (
	"cmp"
	"context"
	"errors"
	"testing"
	"time"

	"signedsocket/internal/localstage/stagetest"
	"signedsocket/internal/stageclient"
)

// patience bounds every wait of a test. Nothing waits that long unless it is broken.
const patience = 20 * time.Second

// startStage starts a stage and returns it with a client for it.
func startStage(t *testing.T, o stagetest.Options) (*stagetest.Stage, *stageclient.Client) {
	t.Helper()
	stage := stagetest.Start(t, o)
	return stage, stage.Client(t)
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// connect opens a connection as user and closes it when the test ends.
func connect(t *testing.T, c *stageclient.Client, user string) *stageclient.Conn {
	t.Helper()
	conn, _, err := c.Connect(within(t), user)
	if err != nil {
		t.Fatalf("connect as %s: %v", user, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func send(t *testing.T, conn *stageclient.Conn, text, id string) {
	t.Helper()
	if err := conn.Send(within(t), stageclient.Outgoing{Text: text, ID: id}); err != nil {
		t.Fatalf("send: %v", err)
	}
}

func await[F stageclient.Frame](t *testing.T, conn *stageclient.Conn) F {
	t.Helper()
	frame, err := stageclient.Await[F](within(t), conn)
	if err != nil {
		t.Fatalf("wait for a %T: %v", frame, err)
	}
	return frame
}

// sign asks signurl for a URL of user's.
func sign(t *testing.T, c *stageclient.Client, user string) (*stageclient.Signed, stageclient.Proof) {
	t.Helper()
	token, err := c.Token(within(t), user)
	if err != nil {
		t.Fatal(err)
	}
	proof := stageclient.NewProof()
	signed, err := c.SignURL(within(t), token, nil, proof.Challenge)
	if err != nil {
		t.Fatal(err)
	}
	return signed, proof
}

// presign signs a grant as a profile of the local stage's credentials file.
func presign(t *testing.T, c *stageclient.Client, profile string, g stageclient.Grant) *stageclient.Signed {
	t.Helper()
	credentials, err := c.Credentials(within(t), profile)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := c.SignLocally(within(t), credentials, g)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// dialURL opens url, which need not be one that signurl made, from the stage's page.
func dialURL(t *testing.T, c *stageclient.Client, url, verifier string) (*stageclient.Conn, error) {
	t.Helper()
	return c.Dial(within(t), &stageclient.Signed{URL: url, Protocols: []string{stageclient.Protocol}}, stageclient.DialOptions{Verifier: verifier})
}

// dialGrant signs a grant as a profile, with a challenge unless it has one, and uses it as who knows the verifier.
func dialGrant(t *testing.T, c *stageclient.Client, profile string, g stageclient.Grant) (*stageclient.Conn, error) {
	t.Helper()
	proof := stageclient.NewProof()
	g.Challenge = cmp.Or(g.Challenge, proof.Challenge)
	return dialURL(t, c, presign(t, c, profile, g).URL, proof.Verifier)
}

// wantRefused checks that a handshake was answered with status and not upgraded.
func wantRefused(t *testing.T, conn *stageclient.Conn, err error, status int) *stageclient.RefusedError {
	t.Helper()
	if err == nil {
		_ = conn.Close()
		t.Fatalf("the handshake was accepted, want HTTP %d", status)
	}
	refused, ok := errors.AsType[*stageclient.RefusedError](err)
	if !ok || refused.Status != status {
		t.Fatalf("the handshake failed with %v, want HTTP %d", err, status)
	}
	return refused
}
