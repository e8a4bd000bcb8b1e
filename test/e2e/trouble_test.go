package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

// TestTheChatDeliversDespiteFaults plays clients with one rule: a message that was reported as failed is sent again
// under the same id. Every member gets every message, and no record is left after the clients have gone.
func TestTheChatDeliversDespiteFaults(t *testing.T) {
	t.Parallel()
	localOnly(t, "injects faults")
	for name, faults := range map[string]localstage.Faults{
		"transactions conflict and the table is throttled": {TransactionConflicts: 0.3, DynamoDBThrottle: 0.2, Seed: 7},
		"functions are slow and get killed": {KillFunctions: 0.1, DelayFunctions: 5 * time.Millisecond,
			Seed: 7},
		"posts meet limits": {LimitPosts: 0.2, Seed: 7},
		"answers are lost and late, and pages are torn": {LoseAnswers: 0.1, DelayDynamoDB: 5 * time.Millisecond,
			TornQueries: 0.2, Seed: 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage, client := startStage(t,
				stagetest.Options{Faults: faults, Parameters: map[string]string{"MessagesPerWindow": "1000"}})
			const users, messages = 4, 10
			var chatters []*chatterer
			for i := range users {
				chatters = append(chatters, &chatterer{t: t, user: fmt.Sprintf("user-%d", i),
					conn: connectPatiently(t, client.Connect, fmt.Sprintf("user-%d", i))})
			}
			var all sync.WaitGroup
			for _, c := range chatters {
				all.Go(func() { c.chat(messages, users*messages) })
			}
			all.Wait()
			for _, c := range chatters {
				_ = c.conn.Close()
			}
			// a killed $disconnect is not repeated: the reaper removes what it leaves, in time
			if faults.KillFunctions == 0 {
				stage.ThrottleDynamoDB(0)
				awaitEmpty(t, client)
			}
		})
	}
}

// connectPatiently connects like a client that retries when the stage asks it to wait.
func connectPatiently(
	t *testing.T,
	connect func(ctx context.Context, user string, rooms ...string) (*stageclient.Conn, *stageclient.Signed, error),
	user string,
) *stageclient.Conn {
	t.Helper()
	for ctx := within(t); ; {
		conn, _, err := connect(ctx, user)
		if err == nil {
			t.Cleanup(conn.Abort)
			return conn
		}
		refused, handshake := errors.AsType[*stageclient.RefusedError](err)
		unsigned, signing := errors.AsType[*stageclient.SignError](err)
		again := handshake &&
			slices.Contains([]int{http.StatusServiceUnavailable, http.StatusBadGateway}, refused.Status) ||
			signing && unsigned.Status >= http.StatusInternalServerError
		if !again {
			t.Fatalf("connect as %s: %v", user, err)
		}
	}
}

// chatterer is a client in a room with many others.
type chatterer struct {
	t    *testing.T
	user string
	conn *stageclient.Conn
}

// chat sends messages, repeats each until it is acknowledged, and returns after the given number of different messages.
// The server may fail before it answers, so a client without an answer repeats the message, too.
func (c *chatterer) chat(messages, want int) {
	acknowledged, seen := 0, map[string]string{} // text by id
	c.send(acknowledged)
	for ctx := within(c.t); acknowledged < messages || len(seen) < want; {
		frame, err := c.next(ctx)
		if err != nil {
			c.t.Errorf("%s saw %d of %d messages and has %d of %d acknowledged: %v", c.user, len(seen), want,
				acknowledged, messages, err)
			return
		}
		switch f := frame.(type) {
		case stageclient.Message:
			if text, twice := seen[f.ID]; twice && text != f.Text {
				c.t.Errorf("%q and %q have one id", text, f.Text)
			}
			seen[f.ID] = f.Text
			continue
		case stageclient.Ack:
			if f.ClientID != fmt.Sprint(acknowledged) {
				continue // the answer to an earlier try
			}
			acknowledged++
		}
		if acknowledged < messages {
			c.send(acknowledged)
		}
	}
}

// next returns the next frame, or nil after a while without one.
func (c *chatterer) next(ctx context.Context) (stageclient.Frame, error) {
	waiting, stop := context.WithTimeout(ctx, time.Second)
	defer stop()
	frame, err := c.conn.Next(waiting)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return nil, nil
	}
	return frame, err
}

func (c *chatterer) send(number int) {
	message := stageclient.Outgoing{Text: fmt.Sprintf("%s %d", c.user, number), ID: fmt.Sprint(number)}
	if err := c.conn.Send(c.t.Context(), message); err != nil {
		c.t.Errorf("%s: %v", c.user, err)
	}
}

// TestEveryFaultOccurs asks for each fault as the command line does, and looks for it in the frames of a client.
func TestEveryFaultOccurs(t *testing.T) {
	t.Parallel()
	localOnly(t, "injects faults")
	const pause = 300 * time.Millisecond
	for _, test := range []struct {
		name, value string
		see         func(t *testing.T, stage *stagetest.Stage, client *stageclient.Client)
	}{
		{"hold-101", pause.String(), func(t *testing.T, _ *stagetest.Stage, client *stageclient.Client) {
			signed, proof := sign(t, client, "alice")
			began := time.Now()
			if _, err := dialURL(t, client, signed.URL, proof.Verifier); err != nil || time.Since(began) < pause {
				t.Errorf("connected after %v, %v", time.Since(began), err)
			}
		}},
		{"delay-functions", pause.String(), func(t *testing.T, _ *stagetest.Stage, client *stageclient.Client) {
			began := time.Now()
			if sign(t, client, "alice"); time.Since(began) < pause {
				t.Errorf("signed after %v", time.Since(began))
			}
		}},
		{"kill-functions", "1", func(t *testing.T, _ *stagetest.Stage, client *stageclient.Client) {
			until(t, "signurl was killed", func(ctx context.Context) bool { // unless it ended before it was killed
				_, _, err := client.Connect(ctx, "alice")
				refused, ok := errors.AsType[*stageclient.SignError](err)
				return ok && refused.Status == http.StatusInternalServerError
			})
		}},
		{"dynamodb-throttle", "1", func(t *testing.T, stage *stagetest.Stage, client *stageclient.Client) {
			_, _, err := client.Connect(within(t), "alice")
			if refused, ok := errors.AsType[*stageclient.SignError](err); !ok ||
				refused.Status != http.StatusInternalServerError {
				t.Errorf("signurl answered %v, want HTTP 500", err)
			}
			stage.ThrottleDynamoDB(0)
			connect(t, client, "alice")
		}},
		{"transaction-conflicts", "1", func(t *testing.T, _ *stagetest.Stage, client *stageclient.Client) {
			signed, proof := sign(t, client, "alice")
			conn, err := dialURL(t, client, signed.URL, proof.Verifier)
			wantRefused(t, conn, err, http.StatusServiceUnavailable)
		}},
		{"limit-posts", "1", func(t *testing.T, _ *stagetest.Stage, client *stageclient.Client) {
			alice := connect(t, client, "alice")
			send(t, alice, "hello", "")
			if got := await[stageclient.GatewayError](t, alice); got.Text != "Internal server error" {
				t.Errorf("alice was told %+v", got)
			}
		}},
		{"gone-posts", "1", hearsNothing},
		{"lose-posts", "1", hearsNothing},
		{"lose-answers", "1", func(t *testing.T, _ *stagetest.Stage, client *stageclient.Client) {
			_, _, err := client.Connect(within(t), "alice")
			if refused, ok := errors.AsType[*stageclient.SignError](err); !ok ||
				refused.Status != http.StatusInternalServerError {
				t.Errorf("signurl answered %v, want HTTP 500", err)
			}
		}},
		{"hold-readers", "1", hearsNothing},
		{"drop-tcp", "1", func(t *testing.T, _ *stagetest.Stage, client *stageclient.Client) {
			alice := connect(t, client, "alice")
			send(t, alice, "hello", "")
			_, err := alice.Next(within(t))
			if _, goodbye := errors.AsType[*stageclient.ClosedError](err); err == nil || goodbye {
				t.Errorf("the connection ended with %v, want no close frame", err)
			}
		}},
		{"lose-disconnects", "1", func(t *testing.T, stage *stagetest.Stage, client *stageclient.Client) {
			_ = connect(t, client, "alice").Close()
			if err := stage.Close(within(t)); err != nil || stage.Invocations("DisconnectFunction") != 0 {
				t.Errorf("closed with %v after %d $disconnect", err, stage.Invocations("DisconnectFunction"))
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			faults, err := localstage.ParseFaults(map[string]string{test.name: test.value}, 1)
			if err != nil {
				t.Fatal(err)
			}
			stage, client := startStage(t, stagetest.Options{Faults: faults})
			test.see(t, stage, client)
		})
	}
}

// hearsNothing checks that a message does not come back to its sender.
func hearsNothing(t *testing.T, _ *stagetest.Stage, client *stageclient.Client) {
	t.Helper()
	alice := connect(t, client, "alice")
	send(t, alice, "hello", "")
	if frame, err := alice.Next(contextThatEndsSoon(t)); err == nil {
		t.Errorf("alice received %+v", frame)
	}
}

// until repeats a step until the step returns true.
func until(t *testing.T, what string, step func(ctx context.Context) bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for ctx := within(t); !step(ctx); <-look.C {
		if ctx.Err() != nil {
			t.Fatalf("it did not happen that %s", what)
		}
	}
}

// TestMessagesKeepTheirOrderWhenAsked: AWS promises no order, and a stage keeps none by default.
func TestMessagesKeepTheirOrderWhenAsked(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{
		Parameters: map[string]string{"MessagesPerWindow": "1000"},
		Configure:  func(c *localstage.Config) { c.Ordering = localstage.Serial },
	})
	alice := connect(t, client, "alice")
	const messages = 30
	for i := range messages {
		send(t, alice, fmt.Sprint(i), "")
	}
	for i := range messages {
		if got := await[stageclient.Message](t, alice); got.Text != fmt.Sprint(i) {
			t.Fatalf("message %s came in place %d", got.Text, i)
		}
	}
}
