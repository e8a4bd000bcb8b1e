// Package clienttest plays clients of a stage in tests. A step that goes wrong fails the test. The end of the test ends
// everything that a step began.
package clienttest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
)

// Patience bounds every wait. Only a fault lets a test wait that long.
const Patience = 20 * time.Second

// Within returns a context that ends with the test, or after [Patience].
func Within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	t.Cleanup(cancel)
	return ctx
}

// Eventually waits until a condition holds.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(Patience); !condition(); <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("did not happen within %v: %s", Patience, what)
		}
	}
}

// Connect opens a connection as user to the default rooms, and closes it when the test ends.
func Connect(t testing.TB, c *stageclient.Client, user string) *stageclient.Conn {
	t.Helper()
	signed, proof := Sign(t, c, user)
	conn, err := Dial(t, c, signed.URL, proof.Verifier, nil)
	if err != nil {
		t.Fatalf("connect as %s: %v", user, err)
	}
	return conn
}

// ConnectWithHistory is [Connect] with [stageclient.ProtocolWithHistory].
func ConnectWithHistory(t testing.TB, c *stageclient.Client, user string) *stageclient.Conn {
	t.Helper()
	signed, proof := Sign(t, c, user)
	conn, err := DialWithHistory(t, c, signed.URL, proof.Verifier)
	if err != nil {
		t.Fatalf("connect as %s: %v", user, err)
	}
	return conn
}

// Token returns an access token of a user.
func Token(t testing.TB, c *stageclient.Client, user string) string {
	t.Helper()
	token, err := c.Token(Within(t), user)
	if err != nil {
		t.Fatalf("token of %s: %v", user, err)
	}
	return token
}

// Sign asks signurl for a URL of a user, with a fresh proof.
func Sign(t testing.TB, c *stageclient.Client, user string) (*stageclient.Signed, stageclient.Proof) {
	t.Helper()
	proof := stageclient.NewProof()
	signed, err := c.SignURL(Within(t), Token(t, c, user), nil, proof.Challenge)
	if err != nil {
		t.Fatalf("sign a URL for %s: %v", user, err)
	}
	return signed, proof
}

// Presign signs a grant with the [Keys] of a profile.
func Presign(t testing.TB, c *stageclient.Client, profile string, g stageclient.Grant) *stageclient.Signed {
	t.Helper()
	signed, err := c.SignLocally(Within(t), Keys(t, c, profile), g)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// Dial opens any URL with any verifier and headers, and closes the connection when
// the test ends. Without headers it comes from the page of the stack.
func Dial(t testing.TB, c *stageclient.Client, url, verifier string, header http.Header) (*stageclient.Conn, error) {
	t.Helper()
	if header == nil {
		header = http.Header{"Origin": {c.Origin()}}
	}
	return dial(t, c, url, stageclient.DialOptions{
		Verifier: verifier, Header: header, Protocols: []string{stageclient.Protocol},
	})
}

// DialWithHistory is [Dial] from a page of the stage with [stageclient.ProtocolWithHistory], which the stage must take.
func DialWithHistory(t testing.TB, c *stageclient.Client, url, verifier string) (*stageclient.Conn, error) {
	t.Helper()
	conn, err := dial(t, c, url, stageclient.DialOptions{
		Verifier: verifier, Header: http.Header{"Origin": {c.Origin()}}, Protocols: stageclient.WithHistory(),
	})
	if err == nil && conn.Subprotocol() != stageclient.ProtocolWithHistory {
		t.Errorf("the stage speaks %q", conn.Subprotocol())
	}
	return conn, err
}

func dial(t testing.TB, c *stageclient.Client, url string, o stageclient.DialOptions) (*stageclient.Conn, error) {
	t.Helper()
	o.HTTP, o.Trace = c.HTTP, c.Trace
	conn, err := stageclient.Dial(Within(t), &stageclient.Signed{URL: url}, o)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

// Fetch sends a request and returns the answer with its whole body, which is closed.
func Fetch(t testing.TB, send func(*http.Request) (*http.Response, error), r *http.Request) (*http.Response, string) {
	t.Helper()
	response, err := send(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// Send sends a message.
func Send(t testing.TB, conn *stageclient.Conn, text, id string) {
	t.Helper()
	if err := conn.Send(Within(t), stageclient.Outgoing{Text: text, ID: id}); err != nil {
		t.Fatalf("send: %v", err)
	}
}

// Await returns the next frame of type F and drops all others before it.
func Await[F stageclient.Frame](t testing.TB, conn *stageclient.Conn) F {
	t.Helper()
	frame, err := stageclient.Await[F](Within(t), conn)
	if err != nil {
		t.Fatalf("wait for a %T: %v", frame, err)
	}
	return frame
}

// WantRefused checks that a handshake was answered with status and not upgraded.
func WantRefused(t testing.TB, conn *stageclient.Conn, err error, status int) *stageclient.RefusedError {
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
