// Package e2e_test plays a stage over the wire: real clients, the built
// functions, the template that is deployed. It knows a stage by its outputs only.
package e2e_test

import (
	"cmp"
	"context"
	"testing"

	"signedsocket/internal/localstage/stagetest"
	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
)

// startStage starts a stage and returns it with a client for it.
func startStage(t *testing.T, o stagetest.Options) (*stagetest.Stage, *stageclient.Client) {
	t.Helper()
	stage := stagetest.Start(t, o)
	return stage, stage.Client(t)
}

func within(t *testing.T) context.Context { t.Helper(); return clienttest.Within(t) }

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
	clienttest.Send(t, conn, text, id)
}

func await[F stageclient.Frame](t *testing.T, conn *stageclient.Conn) F {
	t.Helper()
	return clienttest.Await[F](t, conn)
}

// sign asks signurl for a URL of user's.
func sign(t *testing.T, c *stageclient.Client, user string) (*stageclient.Signed, stageclient.Proof) {
	t.Helper()
	return clienttest.Sign(t, c, user)
}

// presign signs a grant as a profile of the local stage's credentials file.
func presign(t *testing.T, c *stageclient.Client, profile string, g stageclient.Grant) *stageclient.Signed {
	t.Helper()
	return clienttest.Presign(t, c, profile, g)
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
	return clienttest.WantRefused(t, conn, err, status)
}
