package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// instance returns the name of a client object.
func instance(n byte) string { return "AAECAwQFBgcICQoLDA0O" + string('A'+n/4) + "AQgw"[n%4:n%4+1] }

// dialWith connects with a grant and further parameters, signed with signurl's keys.
func dialWith(
	t *testing.T, c *stageclient.Client, g stageclient.Grant, more map[string]string,
) (*stageclient.Conn, error) {
	t.Helper()
	proof := stageclient.NewProof()
	g.Challenge = proof.Challenge
	values := g.Values()
	for name, value := range more {
		values.Set(name, value)
	}
	url, err := c.Presign(within(t), clienttest.Keys(t, c, "SignUrlFunction"), values, g.IssuedAt)
	if err != nil {
		t.Fatal(err)
	}
	return dialURL(t, c, url, proof.Verifier)
}

func mustDialWith(t *testing.T, c *stageclient.Client, user string, more map[string]string) *stageclient.Conn {
	t.Helper()
	conn, err := dialWith(t, c, grantFor(user), more)
	if err != nil {
		t.Fatalf("connect as %s with %v: %v", user, more, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func grantFor(user string) stageclient.Grant {
	return stageclient.NewGrant(stageclient.User{Sub: user, Name: user}, []string{"lobby"}, "", time.Now())
}

// breakRules sends bad frames until the connection is kicked.
func breakRules(t *testing.T, conn *stageclient.Conn) {
	t.Helper()
	for range 3 {
		sendBroken(t, conn, `{"action":"sendmessage","message":"x","admin":true}`)
		if got := await[stageclient.Error](t, conn); got.Code != "bad_message" {
			t.Errorf("answered %+v, want bad_message", got)
		}
	}
	wantBye(t, conn, "kicked")
}

// breakUntilKicked sends broken frames until the server says bye, and returns how many it refused.
func breakUntilKicked(t *testing.T, conn *stageclient.Conn) (refused int) {
	t.Helper()
	sendBroken(t, conn, `nonsense`)
	for {
		frame, err := conn.Next(within(t))
		if err != nil {
			t.Fatalf("after %d refusals: %v", refused, err)
		}
		switch f := frame.(type) {
		case stageclient.Error:
			refused++
			_ = conn.SendText(within(t), `nonsense`) // the connection may have ended
		case stageclient.Bye:
			if f.Code != "kicked" {
				t.Errorf("was told bye %s, want kicked", f.Code)
			}
			return refused
		}
	}
}

// passTime moves the times in the item of a kicked user back by the given seconds.
func (r records) passTime(t *testing.T, user string, seconds int64) {
	t.Helper()
	key := map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "KICK#" + user}, "sk": &types.AttributeValueMemberS{Value: "KICK"},
	}
	minus := map[string]types.AttributeValue{":s": &types.AttributeValueMemberN{Value: strconv.FormatInt(-seconds, 10)}}
	for _, name := range []string{"until", "at"} {
		_, err := r.api.UpdateItem(within(t), &dynamodb.UpdateItemInput{
			TableName: &r.table, Key: key, UpdateExpression: aws.String("ADD #time :s"),
			ExpressionAttributeNames: map[string]string{"#time": name}, ExpressionAttributeValues: minus,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAKickedUserStaysOutAndOthersNoticeNothing(t *testing.T) {
	t.Parallel()
	const mallory, bob = "guest-aaaaaaaaaaaaaaaaaaaaaaaaaa", "guest-bbbbbbbbbbbbbbbbbbbbbbbbbb"
	for name, users := range map[string][2]string{"users": {"mallory", "bob"}, "guests": {mallory, bob}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage, client := startStage(t, stagetest.Options{})
			table := recordsOf(t, client)
			other := mustDialWith(t, client, users[1], nil)
			stays, ends := mustDialWith(t, client, users[0], nil), mustDialWith(t, client, users[0], nil)
			breakRules(t, ends)
			kicked := time.Now().Unix() / 60
			for i, out := range []int64{60, 120, 240} {
				for _, passed := range []int64{0, out - 5} {
					table.passTime(t, users[0], passed)
					conn, err := dialWith(t, client, grantFor(users[0]), nil)
					wantRefused(t, conn, err, http.StatusForbidden)
				}
				table.passTime(t, users[0], 6)
				again := mustDialWith(t, client, users[0], nil)
				if i < 2 {
					// The user's strikes of this minute and the last still count: fewer than three more are enough.
					// On a slow machine they may have become too old.
					n := breakUntilKicked(t, again)
					if n >= 3 && time.Now().Unix()/60 <= kicked+1 {
						t.Errorf("%d more broken frames were needed", n)
					}
					kicked = time.Now().Unix() / 60
				}
			}
			for _, reason := range stage.Refusals("ConnectFunction") {
				if reason != "kicked" {
					t.Errorf("connect refused for %q", reason)
				}
			}
			send(t, stays, "I am another connection", "m-1")
			await[stageclient.Ack](t, stays)
			send(t, other, "quiet here", "b-1")
			await[stageclient.Ack](t, other)
			if n := len(mustConnections(stage)); n != 3 {
				t.Errorf("the gateway holds %d connections, want the two that stayed and the newest", n)
			}
			mustDialWith(t, client, users[1], nil)
		})
	}
}

func mustConnections(stage *stagetest.Stage) []string {
	var ids []string
	for _, connection := range stage.Gateway().Connections() {
		ids = append(ids, fmt.Sprint(connection))
	}
	return ids
}

func TestARotationReplacesNoOtherConnection(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]string{"below the limit": "3", "at the limit": "2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, client := startStage(t, stagetest.Options{Parameters: map[string]string{"ConnectionsPerUser": limit}})
			bob := connect(t, client, "bob")
			laptop := mustDialWith(t, client, "alice", map[string]string{"ci": instance(0)})
			phone := mustDialWith(t, client, "alice", map[string]string{"ci": instance(1)})
			rotated := mustDialWith(t, client, "alice", map[string]string{"ci": instance(1)})
			if limit == "2" {
				wantBye(t, phone, "replaced")
			} else {
				send(t, phone, "both live", "p-1")
				await[stageclient.Ack](t, phone)
				await[stageclient.Message](t, bob)
				_ = phone.Close() // as a client does once the new connection works
			}
			for i, conn := range []*stageclient.Conn{laptop, rotated} {
				send(t, conn, fmt.Sprint("still here ", i), fmt.Sprint("l-", i))
				await[stageclient.Ack](t, conn)
				if got := await[stageclient.Message](t, bob); got.Text != fmt.Sprint("still here ", i) {
					t.Errorf("bob received %+v", got)
				}
			}
		})
	}
}

// TestAReplacedConnectionThatStaysIsClosedLater: the client does not close its older connection.
func TestAReplacedConnectionThatStaysIsClosedLater(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{})
	old := mustDialWith(t, client, "alice", map[string]string{"ci": instance(0)})
	mustDialWith(t, client, "alice", map[string]string{"ci": instance(0)})
	if answer := mustInvokeReaper(t, client, scheduledEvent); answer["due"] != 0.0 {
		t.Errorf("at once a sweep found %v", answer)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-time.After(time.Second) {
		if answer := mustInvokeReaper(t, client, scheduledEvent); answer["closed"] == 1.0 {
			break
		}
	}
	wantBye(t, old, "replaced")
}

func TestSigningOutEndsOneSignIn(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{})
	const first, second = "AAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBB"
	one := mustDialWith(t, client, "alice", map[string]string{"si": first})
	two := mustDialWith(t, client, "alice", map[string]string{"si": second})
	until := time.Now().Add(time.Hour).Unix()
	answer := mustInvokeReaper(t, client,
		fmt.Sprintf(`{"signOut":{"user":"alice","signIn":%q,"until":%d,"by":"page"}}`, first, until))
	if answer["connections"] != 1.0 || answer["pending"] != 0.0 || answer["by"] != "page" {
		t.Errorf("answered %v", answer)
	}
	wantBye(t, one, "signed_out")
	conn, err := dialWith(t, client, grantFor("alice"), map[string]string{"si": first})
	wantRefused(t, conn, err, http.StatusForbidden)
	send(t, two, "still signed in", "1")
	await[stageclient.Ack](t, two)
	mustDialWith(t, client, "alice", nil)
}

// TestAFloodOfPingsEndsTheConnection: other users notice nothing.
func TestAFloodOfPingsEndsTheConnection(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{})
	mallory, bob := connect(t, client, "mallory"), connect(t, client, "bob")
	var flood sync.WaitGroup
	flood.Go(func() {
		for mallory.Ping(within(t)) == nil { // until the server closes the connection
		}
	})
	defer func() { _ = mallory.Close(); flood.Wait() }()
	for {
		frame, err := mallory.Next(within(t))
		if closed, ok := errors.AsType[*stageclient.ClosedError](err); ok {
			if closed.Code != 1000 {
				t.Errorf("closed with %d", closed.Code)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if bye, ok := frame.(stageclient.Bye); ok && bye.Code != "kicked" { // a busy machine may close without a bye
			t.Errorf("bye %s, want kicked", bye.Code)
		}
	}
	if err := bob.Ping(within(t)); err != nil {
		t.Fatal(err)
	}
	await[stageclient.Pong](t, bob)
}

// TestEvictionsKicksAndBansAreInTheAuditLog: each act logs one line with a hash of the user.
func TestEvictionsKicksAndBansAreInTheAuditLog(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{Parameters: map[string]string{"ConnectionsPerUser": "1"}})
	connect(t, client, "alice")
	connect(t, client, "alice")
	breakRules(t, connect(t, client, "mallory"))
	mustInvokeReaper(t, client,
		`{"revoke":{"user":"alice","bannedUntil":4102444800,"by":"arn:aws:iam::111122223333:user/carol","why":"spam"}}`)
	for function, want := range map[string]string{
		"ConnectFunction": "evict", "SendMessageFunction": "kick", "ReaperFunction": "ban",
	} {
		line := awaitLine(t, stage, function, "audit")
		if line.Action != want || line.By == "" || line.SubHash == "" {
			t.Errorf("%s has written %+v, want %s", function, line, want)
		}
	}
}

// TestSigningOutClosesTheConnectionsOfTheSignIn: the page's server asks signurl, and signurl invokes the reaper.
func TestSigningOutClosesTheConnectionsOfTheSignIn(t *testing.T) {
	t.Parallel()
	localOnly(t, "sets parameters")
	_, client := startStage(t, stagetest.Options{Parameters: map[string]string{"AuthMode": "iam"}})
	credentials := clienttest.Keys(t, client, stagetest.FrontendFunction)
	ask := func(path, body string) (int, []byte) {
		t.Helper()
		address := strings.Replace(client.Outputs.SignURL, "/signurl", path, 1)
		r, err := http.NewRequestWithContext(within(t), http.MethodPost, address, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if err := client.SignRequest(within(t), credentials, r, []byte(body)); err != nil {
			t.Fatal(err)
		}
		response, answer := clienttest.Fetch(t, http.DefaultClient.Do, r)
		return response.StatusCode, []byte(answer)
	}
	const first, second = "AAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBB"
	enter := func(signIn string) (int, *stageclient.Conn) {
		t.Helper()
		proof, now := stageclient.NewProof(), time.Now()
		status, answer := ask("/signurl",
			fmt.Sprintf(`{"challenge":%q,"signIn":%q,"user":{"sub":"alice","name":"Alice",`+
				`"sessionStart":%d,"sessionEndsAt":%d}}`,
				proof.Challenge, signIn, now.Unix(), now.Add(time.Hour).Unix()))
		if status != http.StatusOK {
			return status, nil
		}
		var signed stageclient.Signed
		if err := json.Unmarshal(answer, &signed); err != nil {
			t.Fatal(err)
		}
		conn, err := client.Dial(within(t), &signed, stageclient.DialOptions{Verifier: proof.Verifier})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return status, conn
	}
	_, one := enter(first)
	_, two := enter(second)
	ends := time.Now().Add(time.Hour).Unix()
	body := fmt.Sprintf(`{"user":{"sub":"alice","sessionEndsAt":%d},"signIn":%q}`, ends, first)
	if status, answer := ask("/signout", body); status != http.StatusNoContent {
		t.Fatalf("signing out was answered %d %s", status, answer)
	}
	wantBye(t, one, "signed_out")
	if status, _ := enter(first); status != http.StatusUnauthorized {
		t.Errorf("a URL for the sign-in that is over: %d, want 401", status)
	}
	send(t, two, "still signed in", "1")
	await[stageclient.Ack](t, two)
}
