package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

// records reads the table of a stage.
type records struct {
	api   *dynamodb.Client
	table string
}

func recordsOf(t *testing.T, c *stageclient.Client) records {
	t.Helper()
	return records{api: clienttest.Table(t, c, "admin"), table: c.Outputs.TableName}
}

// members returns the number of connections in the lobby by user.
func (r records) members(ctx context.Context) (map[string]int, error) {
	out, err := r.api.Query(ctx, &dynamodb.QueryInput{
		TableName: &r.table, KeyConditionExpression: aws.String("pk = :pk"), ConsistentRead: aws.Bool(true),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: "ROOM#lobby#0"},
		},
	})
	if err != nil {
		return nil, err
	}
	users := make(map[string]int)
	for _, item := range out.Items {
		users[item["sub"].(*types.AttributeValueMemberS).Value]++
	}
	return users, nil
}

// live returns what the table has of a user: the count n and the connections that the item lists.
func (r records) live(t *testing.T, user string) (n string, listed int) {
	t.Helper()
	out, err := r.api.GetItem(within(t), &dynamodb.GetItemInput{TableName: &r.table, ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "USER#" + user},
			"sk": &types.AttributeValueMemberS{Value: "USER"},
		}})
	if err != nil {
		t.Fatal(err)
	}
	n = "0"
	for name, value := range out.Item {
		if strings.HasPrefix(name, "c_") {
			listed++
		}
		if name == "n" {
			n = value.(*types.AttributeValueMemberN).Value
		}
	}
	return n, listed
}

func TestFiftyUsesOfOneURLOpenOneConnection(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{})
	signed, proof := sign(t, client, "alice")
	const attempts = 50
	var opened atomic.Int32
	var uses sync.WaitGroup
	for range attempts {
		uses.Go(func() {
			conn, err := client.Dial(t.Context(), signed, stageclient.DialOptions{Verifier: proof.Verifier})
			if err == nil {
				opened.Add(1)
				t.Cleanup(func() { _ = conn.Close() })
				return
			}
			refused, ok := errors.AsType[*stageclient.RefusedError](err)
			if !ok || refused.Status != http.StatusForbidden && refused.Status != http.StatusServiceUnavailable {
				t.Errorf("a use failed with %v, want HTTP 403", err)
			}
		})
	}
	uses.Wait()
	n, listed := recordsOf(t, client).live(t, "alice")
	if held := len(stage.Gateway().Connections()); opened.Load() != 1 || held != 1 || n != "1" || listed != 1 {
		t.Errorf("%d connections were opened, the gateway holds %d, the table counts %s and lists %d; want 1 of each",
			opened.Load(), held, n, listed)
	}
}

func TestFiftyConnectsOfOneUserNeverExceedTheLimit(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{Faults: localstage.Faults{TransactionConflicts: 0.2, Seed: 7}})
	table := recordsOf(t, client)
	credentials, err := client.Credentials(within(t), "SignUrlFunction")
	if err != nil {
		t.Fatal(err)
	}
	watching, stop := context.WithCancel(t.Context())
	var watch, attempts sync.WaitGroup
	watch.Go(func() {
		for watching.Err() == nil {
			if users, err := table.members(watching); err == nil && users["alice"] > 5 {
				t.Errorf("alice has %d live records, more than 5", users["alice"])
			}
		}
	})
	var opened atomic.Int32
	for range 50 {
		attempts.Go(func() {
			proof := stageclient.NewProof()
			grant := stageclient.NewGrant(stageclient.User{Sub: "alice", Name: "Alice"}, []string{"lobby"},
				proof.Challenge, time.Now())
			signed, err := client.SignLocally(t.Context(), credentials, grant)
			if err != nil {
				t.Error(err)
				return
			}
			conn, err := client.Dial(t.Context(), signed, stageclient.DialOptions{Verifier: proof.Verifier})
			if err == nil {
				opened.Add(1)
				t.Cleanup(conn.Abort)
				return
			}
			// connect gives up when conflicts last too long. It has written nothing, and the client tries again.
			if refused, ok := errors.AsType[*stageclient.RefusedError](err); !ok ||
				refused.Status != http.StatusServiceUnavailable {
				t.Errorf("a connect failed with %v, want HTTP 503 at worst", err)
			}
		})
	}
	attempts.Wait()
	stop()
	watch.Wait()
	users, err := table.members(within(t))
	if err != nil {
		t.Fatal(err)
	}
	n, listed := table.live(t, "alice")
	if users["alice"] != 5 || n != "5" || listed != 5 {
		t.Errorf("after %d connections the room lists %d, the user counts %s and lists %d; want 5 of each",
			opened.Load(), users["alice"], n, listed)
	}
}

// TestRevocationDuringHandshakesLeavesNothing revokes users at every moment of their handshake, whose 101 is held back.
// A connection that opened gets a bye and is closed. No message that is sent after the command returned arrives.
func TestRevocationDuringHandshakesLeavesNothing(t *testing.T) {
	t.Parallel()
	const interleavings, atATime, hold = 40, 4, 60 * time.Millisecond
	stage, client := startStage(t, stagetest.Options{
		Faults: localstage.Faults{Hold101: hold}, Parameters: map[string]string{"MessagesPerWindow": "1000"},
	})
	bob := connect(t, client, "bob")
	var started atomic.Int64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); chatter(t, bob, 100*time.Millisecond, &started, stop) }()

	var outcomes [3]atomic.Int32 // refused, closed during the handshake, closed when open
	var races sync.WaitGroup
	slots := make(chan struct{}, atATime)
	for i := range interleavings {
		plan := race{user: fmt.Sprintf("user-%d", i)}
		switch i % 4 {
		case 0:
			plan.connectLast = true // must be refused, also on a slow machine
		case 1:
			plan.revokeLast = true // must get in
		case 2:
			plan.revokeAfter = 2 * hold // before, during and after the time in which the 101 is held back
		case 3:
			plan.connectAfter = hold // while the revocation is under way
		}
		slots <- struct{}{}
		races.Go(func() {
			defer func() { <-slots }()
			outcomes[plan.run(t, client)].Add(1)
		})
	}
	races.Wait()
	close(stop)
	<-done
	table := recordsOf(t, client)
	users, err := table.members(within(t))
	if err != nil || len(users) != 1 || users["bob"] != 1 {
		t.Errorf("in the lobby are %v, %v; want bob alone", users, err)
	}
	for i := range interleavings {
		if n, listed := table.live(t, fmt.Sprintf("user-%d", i)); n != "0" || listed != 0 {
			t.Errorf("user-%d has %s live records, %d listed", i, n, listed)
		}
	}
	if held := len(stage.Gateway().Connections()); held != 1 {
		t.Errorf("the gateway holds %d connections, want bob's", held)
	}
	t.Logf("refused: %d, closed before the client saw a message: %d, after: %d", outcomes[0].Load(), outcomes[1].Load(),
		outcomes[2].Load())
	if refused := outcomes[0].Load(); refused < interleavings/4 || refused > interleavings*3/4 {
		t.Errorf("%d of %d were refused, want a quarter at least and three quarters at most", refused, interleavings)
	}
}

// race is a handshake of a user beside a revocation of the user, unless one of them comes last. Each begins after a
// random part of its time.
type race struct {
	user                      string
	revokeAfter, connectAfter time.Duration
	revokeLast, connectLast   bool
}

// run returns 0 for a refused handshake, and otherwise 1 plus the result of drain.
func (r race) run(t *testing.T, client *stageclient.Client) (outcome int) {
	proof := stageclient.NewProof()
	credentials, err := client.Credentials(t.Context(), "SignUrlFunction")
	if err != nil {
		t.Error(err)
		return
	}
	grant := stageclient.NewGrant(stageclient.User{Sub: r.user, Name: r.user}, []string{"lobby"}, proof.Challenge,
		time.Now())
	signed, err := client.SignLocally(t.Context(), credentials, grant)
	if err != nil {
		t.Error(err)
		return
	}
	var returned time.Time
	connected, revoked := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(revoked)
		if r.revokeLast {
			<-connected
		}
		<-time.After(rand.N(max(r.revokeAfter, 1)))
		if _, err := invokeReaper(t.Context(), client, `{"revoke":{"user":"`+r.user+`"}}`); err != nil {
			t.Errorf("revoke %s: %v", r.user, err)
		}
		returned = time.Now()
	}()
	if r.connectLast {
		<-revoked
	}
	<-time.After(rand.N(max(r.connectAfter, 1)))
	conn, err := client.Dial(t.Context(), signed, stageclient.DialOptions{Verifier: proof.Verifier})
	close(connected)
	<-revoked
	if err != nil {
		if refused, ok := errors.AsType[*stageclient.RefusedError](err); !ok || refused.Status != http.StatusForbidden {
			t.Errorf("%s: %v, want HTTP 403 or a connection", r.user, err)
		}
		return 0
	}
	defer conn.Abort()
	return 1 + drain(t, conn, r.user, returned)
}

// drain reads a connection until it ends, which it must. It returns 1 if there was a message.
func drain(t *testing.T, conn *stageclient.Conn, user string, returned time.Time) (messages int) {
	ctx, cancel := context.WithTimeout(t.Context(), clienttest.Patience)
	defer cancel()
	for {
		frame, err := conn.Next(ctx)
		if err != nil {
			if closed, ok := errors.AsType[*stageclient.ClosedError](err); !ok || closed.Code != 1000 {
				t.Errorf("%s: %v, want close code 1000", user, err)
			}
			return messages
		}
		if m, ok := frame.(stageclient.Message); ok {
			messages = 1
			if m.Time().After(returned) {
				t.Errorf("%s received a message that was sent %s after the revocation", user, m.Time().Sub(returned))
			}
		}
	}
}
