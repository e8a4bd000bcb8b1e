// Package e2e_test uses a stage over the wire: real clients, the built functions, the deployed template. It knows a
// stage by its outputs only.
//
// A test that calls anyStage also runs against the stage that SIGNEDSOCKET_OUTPUTS names, which may be a deployed one.
// Every other test needs something that only a local stage has, and says what.
package e2e_test

import (
	"cmp"
	"context"
	"testing"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

// anyStage returns a client of the running stage that SIGNEDSOCKET_OUTPUTS names, once its lobby is empty. Otherwise it
// starts a local stage from the unchanged template. The test can reach the stage over the wire only.
func anyStage(t *testing.T) *stageclient.Client {
	t.Helper()
	if running := clienttest.Running(t); running != nil {
		awaitEmpty(t, running)
		return checked(t, running)
	}
	return checked(t, stagetest.Start(t, stagetest.Options{}).Client(t))
}

// awaitEmpty waits until the connections of the last test are removed. No promise says when $disconnect comes.
func awaitEmpty(t *testing.T, c *stageclient.Client) {
	t.Helper()
	table := recordsOf(t, c)
	until(t, "the lobby is empty", func(ctx context.Context) bool {
		users, err := table.members(ctx)
		if err != nil {
			t.Fatalf("read the members of the lobby: %v", err)
		}
		return len(users) == 0
	})
}

// localOnly skips a test when the suite plays a running stage. reason says why, as in "injects a fault".
func localOnly(t *testing.T, reason string) { t.Helper(); clienttest.LocalOnly(t, reason) }

// localReason returns why a test with these options needs a local stage.
func localReason(o stagetest.Options) string {
	switch {
	case o.Edit != nil:
		return "edits the template"
	case o.Faults != localstage.Faults{}:
		return "injects faults"
	case o.Configure != nil || o.State != "":
		return "configures the stage"
	case len(o.Parameters) > 0:
		return "sets parameters"
	}
	return "looks into the stage"
}

// startStage starts a local stage and returns it with a client for it. When the suite plays a running stage, it skips
// the test.
func startStage(t *testing.T, o stagetest.Options) (*stagetest.Stage, *stageclient.Client) {
	t.Helper()
	localOnly(t, localReason(o))
	stage := stagetest.Start(t, o)
	return stage, checked(t, stage.Client(t))
}

func within(t *testing.T) context.Context { t.Helper(); return clienttest.Within(t) }

// connect opens a connection of a user and closes it when the test ends.
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

// whoIs returns the user that the stage makes of a name.
func whoIs(t *testing.T, c *stageclient.Client, user string) stageclient.User {
	t.Helper()
	signed, _ := sign(t, c, user)
	return signed.User
}

// sign asks signurl for a URL of a user.
func sign(t *testing.T, c *stageclient.Client, user string) (*stageclient.Signed, stageclient.Proof) {
	t.Helper()
	return clienttest.Sign(t, c, user)
}

// presign signs a grant with the keys of a profile; see clienttest.Keys.
func presign(t *testing.T, c *stageclient.Client, profile string, g stageclient.Grant) *stageclient.Signed {
	t.Helper()
	return clienttest.Presign(t, c, profile, g)
}

// dialURL opens any URL, also one that signurl did not make, from the stage's page.
func dialURL(t *testing.T, c *stageclient.Client, url, verifier string) (*stageclient.Conn, error) {
	t.Helper()
	return c.Dial(within(t), &stageclient.Signed{URL: url, Protocols: []string{stageclient.Protocol}},
		stageclient.DialOptions{Verifier: verifier})
}

// dialGrant signs a grant as a profile and connects with it. It adds a challenge unless the grant has one, and sends
// the verifier.
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
