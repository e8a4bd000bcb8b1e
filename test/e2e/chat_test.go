package e2e_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

func TestTwoUsersExchangeMessagesBothWays(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	who := whoIs(t, client, "alice")
	alice, bob := connect(t, client, "alice"), connect(t, client, "bob")

	const text = "こんにちは"
	send(t, alice, text, "a-1")
	if got := await[stageclient.Message](t, bob); got.Text != text || got.From != who || got.Room != "lobby" {
		t.Errorf("bob received %+v, want alice's message with the name that her token vouches for", got)
	}
	if got := await[stageclient.Ack](t, alice); got.ClientID != "a-1" || got.Recipients != 2 || got.Delivered != 2 ||
		got.Gone != 0 {
		t.Errorf("alice's message was acknowledged as %+v, want 2 of 2 delivered", got)
	}
	send(t, bob, "hello", "b-1")
	for got := await[stageclient.Message](t, alice); got.Text != "hello"; got = await[stageclient.Message](t, alice) {
		if got.From != who {
			t.Errorf("alice received %+v from an unknown sender", got)
		}
	}
}

func TestTheSenderComesFromTheTokenNotFromTheFrame(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	alice, bob := connect(t, client, "alice"), connect(t, client, "bob")

	sendBroken(t, alice, `{"action":"sendmessage","message":"I am bob","from":{"sub":"bob"}}`)
	if got := await[stageclient.Error](t, alice); got.Code != "bad_message" {
		t.Errorf("a frame that names its sender was answered %+v, want bad_message", got)
	}
	send(t, alice, "honest", "")
	if got := await[stageclient.Message](t, bob); got.Text != "honest" {
		t.Errorf("bob received %+v, want the honest message only", got)
	}
}

func TestBadFramesAreAnsweredAndTheSocketStaysOpen(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	cases := []struct{ name, frame, code string }{
		{"not JSON", `hello`, "bad_message"},
		{"not an object", `["sendmessage"]`, "bad_message"},
		{"unknown name", `{"action":"sendmessage","message":"x","colour":"red"}`, "bad_message"},
		{"wrong letter case", `{"action":"sendmessage","Message":"x"}`, "bad_message"},
		{"a name twice", `{"action":"sendmessage","message":"x","message":"y"}`, "bad_message"},
		{"no text", `{"action":"sendmessage"}`, "bad_message"},
		{"unknown action", `{"action":"shout","message":"x"}`, "unknown_action"},
		{"foreign room", `{"action":"sendmessage","message":"x","room":"vault"}`, "room_not_allowed"},
		{"too large", `{"action":"sendmessage","message":"` + strings.Repeat("x", 5000) + `"}`, "too_large"},
	}
	for i, c := range cases {
		// Each frame has a user of its own. Strikes follow the user, and a third one would end the connection.
		conn := connect(t, client, fmt.Sprintf("alice-%d", i))
		if c.code != "room_not_allowed" {
			sendBroken(t, conn, c.frame)
		} else if err := conn.SendText(within(t), c.frame); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := await[stageclient.Error](t, conn); got.Code != c.code {
			t.Errorf("%s: answered %+v, want code %s", c.name, got, c.code)
		}
		send(t, conn, "better", "1")
		await[stageclient.Ack](t, conn)
		_ = conn.Close()
	}
}

// TestAFrameWithoutAnActionIsAMessage: the README promises that to pages that send no action.
func TestAFrameWithoutAnActionIsAMessage(t *testing.T) {
	t.Parallel()
	client := anyStage(t)
	conn := connect(t, client, "alice")
	if err := conn.SendText(within(t), `{"message": "送信"}`); err != nil {
		t.Fatal(err)
	}
	if got := await[stageclient.Message](t, conn); got.Text != "送信" {
		t.Errorf("received %+v", got)
	}
}

func TestTooManyMessagesAreRefusedWithTheTimeToWait(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{Parameters: map[string]string{"MessagesPerWindow": "3"}})
	conn := connect(t, client, "alice")
	// A window may end between two messages, so up to twice as many can pass.
	for i := range 7 {
		send(t, conn, fmt.Sprint(i), "")
	}
	if got := await[stageclient.Error](t, conn); got.Code != "rate_limited" || got.RetryAfterMs <= 0 ||
		got.RetryAfterMs > 10_000 {
		t.Errorf("answered %+v, want rate_limited and 1 to 10000 ms to wait", got)
	}
}

func TestTheNewestConnectionWinsWhenAUserHasTooMany(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{Parameters: map[string]string{"ConnectionsPerUser": "2"}})
	first := connect(t, client, "alice")
	connect(t, client, "alice")
	third := connect(t, client, "alice")

	send(t, third, "still here", "")
	if got := await[stageclient.Ack](t, third); got.Recipients != 2 {
		t.Errorf("acknowledged as %+v, want 2 recipients: the oldest gave way", got)
	}
	wantBye(t, first, "evicted")
}

// TestAUserWhoJoinsABusyRoomLosesNothing holds every 101 back for half a second. Meanwhile the new connection is in the
// list of the room, but posts to it answer 410.
func TestAUserWhoJoinsABusyRoomLosesNothing(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{
		Faults:     localstage.Faults{Hold101: 500 * time.Millisecond},
		Parameters: map[string]string{"MessagesPerWindow": "1000"},
	})
	alice := connect(t, client, "alice")
	var started atomic.Int64 // number of the last message whose sending has begun
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); chatter(t, alice, 20*time.Millisecond, &started, stop) }()

	bob := connect(t, client, "bob") // returns when bob has seen the 101
	first := started.Load() + 1
	missing := map[int64]bool{}
	for number := first; number < first+50; number++ {
		missing[number] = true
	}
	for len(missing) > 0 {
		m := await[stageclient.Message](t, bob)
		var number int64
		if _, err := fmt.Sscanf(m.Text, "message %d", &number); err != nil {
			t.Fatalf("bob received %q", m.Text)
		}
		delete(missing, number)
	}
	close(stop)
	<-done
	// Bob's connection was in the list of the room while posts to it answered 410. It is still there.
	send(t, bob, "still here", "b-1")
	if got := await[stageclient.Ack](t, bob); got.Recipients != 2 || got.Delivered != 2 {
		t.Errorf("bob's message was acknowledged as %+v, want 2 of 2", got)
	}
}

// chatter sends numbered messages, one at each tick, until stop.
func chatter(t *testing.T, conn *stageclient.Conn, every time.Duration, started *atomic.Int64, stop <-chan struct{}) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for number := int64(1); ; number++ {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		started.Store(number)
		message := stageclient.Outgoing{Text: fmt.Sprintf("message %d", number), ID: fmt.Sprintf("n-%d", number)}
		if err := conn.Send(t.Context(), message); err != nil {
			t.Errorf("message %d: %v", number, err)
			return
		}
	}
}
