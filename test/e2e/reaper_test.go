package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage/stagetest"
)

// scheduledEvent is the event that the schedule sends to the reaper.
const scheduledEvent = `{"version":"0","detail-type":"Scheduled Event","source":"aws.events","detail":{}}`

// invokeReaper invokes the reaper as an operator does, and returns its answer.
func invokeReaper(ctx context.Context, c *stageclient.Client, event string) (map[string]any, error) {
	body, err := invokeAsOperator(ctx, c, c.Outputs.ReaperName, event)
	if err != nil {
		return nil, err
	}
	var answer map[string]any
	return answer, json.Unmarshal(body, &answer)
}

// invokeAsOperator invokes a function with an operator's keys, and returns its answer.
func invokeAsOperator(ctx context.Context, c *stageclient.Client, function, event string) ([]byte, error) {
	profile := "admin"
	if c.Outputs.Local.CredentialsFile == "" {
		profile = "" // the operator's keys come from the default chain
	}
	credentials, err := c.Credentials(ctx, profile)
	if err != nil {
		return nil, err
	}
	keys, err := credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	address := c.Outputs.Endpoint("lambda") + "/2015-03-31/functions/" + function + "/invocations"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(event))
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256([]byte(event))
	if err := v4.NewSigner().SignHTTP(ctx, keys, r, hex.EncodeToString(digest[:]), "lambda", c.Outputs.Region,
		time.Now()); err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("X-Amz-Function-Error") != "" {
		return nil, fmt.Errorf("%s answered %d %s, %w", function, response.StatusCode, body, err)
	}
	return body, nil
}

func mustInvokeReaper(t *testing.T, c *stageclient.Client, event string) map[string]any {
	t.Helper()
	answer, err := invokeReaper(within(t), c, event)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func revoke(t *testing.T, c *stageclient.Client, user string, connections int) {
	t.Helper()
	answer := mustInvokeReaper(t, c, `{"revoke":{"user":"`+user+`"}}`)
	if answer["userId"] != user || answer["connections"] != float64(connections) || answer["pending"] != 0.0 {
		t.Errorf("revoking %s was answered %v, want %d connections and none pending", user, answer, connections)
	}
}

// wantBye checks that a connection gets a bye with this code and then ends. Two functions may close it at the same
// time, and both send the bye.
func wantBye(t *testing.T, conn *stageclient.Conn, code string) {
	t.Helper()
	if got := await[stageclient.Bye](t, conn); got.Code != code {
		t.Errorf("was told bye %s, want %s", got.Code, code)
	}
	frame, err := conn.Next(within(t))
	for ; err == nil; frame, err = conn.Next(within(t)) {
		if frame != (stageclient.Bye{Code: code}) {
			t.Fatalf("after the bye frame: %+v, want the same or the close", frame)
		}
	}
	if closed, ok := errors.AsType[*stageclient.ClosedError](err); !ok || closed.Code != 1000 {
		t.Errorf("after the bye frame: %v, want close code 1000", err)
	}
}

func TestAnEvictedConnectionIsToldAndClosed(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{Parameters: map[string]string{"ConnectionsPerUser": "1"}})
	first := connect(t, client, "alice")
	second := connect(t, client, "alice")
	wantBye(t, first, "evicted") // at once, without a sweep
	send(t, second, "still here", "1")
	await[stageclient.Ack](t, second)
	if n := len(stage.Gateway().Connections()); n != 1 {
		t.Errorf("the gateway holds %d connections, want the newer one", n)
	}
	for range 2 { // at the first one the handshake of the first connection may still count as open
		if answer := mustInvokeReaper(t, client, scheduledEvent); answer["due"] != 0.0 {
			t.Errorf("a sweep found %v", answer)
		}
	}
}

// TestAnEvictedConnectionIsClosedBySweeps: connect could not close it, and the reaper closes it.
func TestAnEvictedConnectionIsClosedBySweeps(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{
		Parameters: map[string]string{"ConnectionsPerUser": "1"}, Edit: withoutStatement("CloseEvicted"),
	})
	first := connect(t, client, "alice")
	connect(t, client, "alice")
	mustInvokeReaper(t, client, scheduledEvent)
	wantBye(t, first, "evicted")
}

// connectFor opens a connection of alice whose session ends after d, and returns the time at which it ends.
func connectFor(t *testing.T, c *stageclient.Client, d time.Duration) (alice *stageclient.Conn, ends time.Time) {
	t.Helper()
	grant := grantFor("alice")
	grant.SessionEndsAt = time.Now().Add(d)
	alice, err := dialGrant(t, c, "SignUrlFunction", grant)
	if err != nil {
		t.Fatal(err)
	}
	return alice, grant.SessionEndsAt
}

// A client that only listens invokes no function that could close its connection. The reaper closes it. Until then
// broadcasts leave the connection out.
func TestASilentListenerIsClosedWhenTheSessionEnds(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{})
	bob := connect(t, client, "bob")
	alice, ends := connectFor(t, client, 10*time.Second) // time enough for a message on a busy machine
	send(t, bob, "before", "1")
	if got := await[stageclient.Message](t, alice); got.Text != "before" {
		t.Errorf("alice received %+v", got)
	}
	answer := mustInvokeReaper(t, client, scheduledEvent)
	if time.Now().Before(ends.Truncate(time.Second)) && answer["due"] != 0.0 {
		t.Errorf("before the session's end a sweep found %v", answer)
	}
	await[stageclient.Ack](t, bob)
	awaitEnd(t, ends.Truncate(time.Second))
	send(t, bob, "after", "2")
	if got := await[stageclient.Ack](t, bob); got.Recipients != 1 {
		t.Errorf("acknowledged as %+v, want bob alone: alice's session is over", got)
	}
	mustInvokeReaper(t, client, scheduledEvent)
	wantBye(t, alice, "session_ended")
}

// awaitEnd waits until a session has ended. A test cannot move the clock of a stage on AWS.
func awaitEnd(t *testing.T, end time.Time) {
	t.Helper()
	until(t, "the session ends", func(context.Context) bool { return !time.Now().Before(end) })
}

// TestASpeakerIsClosedWhenTheSessionHasEnded: the function that refuses the message closes the connection.
func TestASpeakerIsClosedWhenTheSessionHasEnded(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{})
	alice, ends := connectFor(t, client, 5*time.Second)
	awaitEnd(t, ends)
	send(t, alice, "me too", "a-1")
	if got := await[stageclient.Error](t, alice); got.Code != "session_ended" {
		t.Errorf("alice was answered %+v, want session_ended", got)
	}
	_, err := alice.Next(within(t))
	if closed, ok := errors.AsType[*stageclient.ClosedError](err); !ok || closed.Code != 1000 {
		t.Errorf("then came %v, want close code 1000", err)
	}
}

func TestThreeStrikesEndAConnection(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	mallory, bob := connect(t, client, "mallory"), connect(t, client, "bob")
	breakRules(t, mallory) // ends with the close, without a sweep
	_ = mallory.Send(within(t), stageclient.Outgoing{Text: "one more thing", ID: "m-1"})
	send(t, bob, "quiet here", "b-1")
	if got := await[stageclient.Message](t, bob); got.Text != "quiet here" {
		t.Errorf("bob received %+v of a kicked user", got)
	}
}

func TestARevokedUserIsClosedAndStaysOut(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{})
	token, err := client.Token(within(t), "alice")
	if err != nil {
		t.Fatal(err)
	}
	one, two, bob := connect(t, client, "alice"), connect(t, client, "alice"), connect(t, client, "bob")
	unused, proof := sign(t, client, "alice")

	revoke(t, client, "alice", 2)
	send(t, bob, "is she gone?", "b-1")
	if got := await[stageclient.Ack](t, bob); got.Recipients != 1 || got.Gone != 0 {
		t.Errorf("acknowledged as %+v, want bob alone", got)
	}
	for _, conn := range []*stageclient.Conn{one, two} {
		if got := await[stageclient.Bye](t, conn); got.Code != "revoked" {
			t.Errorf("told bye %s, want revoked", got.Code)
		}
		if frame, err := conn.Next(within(t)); err == nil {
			t.Errorf("after the revocation came %+v", frame)
		}
	}
	conn, err := client.Dial(within(t), unused, stageclient.DialOptions{Verifier: proof.Verifier})
	wantRefused(t, conn, err, http.StatusForbidden)
	_, err = client.SignURL(within(t), token, nil, proof.Challenge)
	if refused, ok := errors.AsType[*stageclient.SignError](err); !ok || refused.Status != http.StatusUnauthorized ||
		refused.Code != "revoked" {
		t.Errorf("with the old token signurl answered %v, want 401 revoked", err)
	}
	if n := len(stage.Gateway().Connections()); n != 1 {
		t.Errorf("the gateway holds %d connections, want bob's", n)
	}
	if answer := mustInvokeReaper(t, client, scheduledEvent); answer["due"] != 0.0 {
		t.Errorf("the revocation left %v to the sweep", answer)
	}
	connectAnew(t, client, "alice")
}

// connectAnew signs a revoked user in again. It retries until the second of the revocation is over.
func connectAnew(t *testing.T, c *stageclient.Client, user string) *stageclient.Conn {
	t.Helper()
	for ctx := within(t); ; <-time.After(50 * time.Millisecond) {
		conn, _, err := c.Connect(ctx, user)
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
			return conn
		}
		if refused, ok := errors.AsType[*stageclient.SignError](err); !ok || refused.Code != "revoked" {
			t.Fatalf("a new login: %v", err)
		}
	}
}

func TestABannedUserStaysOutAfterANewSignIn(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	alice := whoIs(t, client, "alice")
	conn := connect(t, client, "alice")
	mustInvokeReaper(t, client,
		fmt.Sprintf(`{"revoke":{"sub":%q,"bannedUntil":%d}}`, alice.Sub, time.Now().Add(time.Hour).Unix()))
	wantBye(t, conn, "revoked")
	grant := stageclient.NewGrant(alice, []string{"lobby"}, "", time.Now())
	grant.AuthenticatedAt = time.Now().Add(time.Minute) // later than any revocation
	again, err := dialGrant(t, client, "SignUrlFunction", grant)
	wantRefused(t, again, err, http.StatusForbidden)
	mustInvokeReaper(t, client, fmt.Sprintf(`{"revoke":{"user":%q,"bannedUntil":0}}`, alice.Sub))
	connectAnew(t, client, "alice")
}

func TestMakeRevokeRevokesAUser(t *testing.T) {
	t.Parallel()
	commandLine(t)
	stage, client := startStage(t, stagetest.Options{})
	conn := connect(t, client, "alice")
	cmd := exec.CommandContext(within(t), "make", "--no-print-directory", "revoke", "USER=alice",
		"OUTPUTS="+stage.OutputsFile())
	cmd.Dir = stagetest.Root()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil || !strings.Contains(output.String(),
		`{"userId":"alice","connections":1,"pending":0,"by":"admin of the local stage"}`) {
		t.Fatalf("make revoke: %v\n%s", err, output.String())
	}
	wantBye(t, conn, "revoked")
}
