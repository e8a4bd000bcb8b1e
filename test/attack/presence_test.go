package attack_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
)

// here is a frame that asks who is in rooms.
func here(rooms ...string) string {
	return `{"action":"history","here":["` + strings.Join(rooms, `","`) + `"]}`
}

// TestAUserSeesOnlyWhoIsInTheirRooms: the record of the connection names the rooms, whatever the frame says. Nor is a
// user told of joins in another room.
func TestAUserSeesOnlyWhoIsInTheirRooms(t *testing.T) {
	t.Parallel()
	s := open(t, withHistory())
	enter := func(user string) *stageclient.Conn {
		t.Helper()
		vault, proof := grant(func(g *stageclient.Grant) { g.Sub, g.Name, g.Rooms = user, user, []string{"vault"} })
		url := clienttest.Presign(t, s.client, signURLFunction, vault).URL
		conn, err := clienttest.DialWithHistory(t, s.client, url, proof.Verifier)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SendText(clienttest.Within(t), here("vault")); err != nil {
			t.Fatal(err)
		}
		if p := clienttest.Await[stageclient.Presence](t, conn); p.Room != "vault" || p.Count == 0 {
			t.Fatalf("%s is told %+v: the roster is not known, and the test shows nothing", user, p)
		}
		return conn
	}
	enter("keeper")
	others := 3
	for i, frame := range []string{
		here("vault"), here("lobby", "vault"), here("VAULT"), here("vault#0"), here("ROOM#vault"), here("*"),
		`{"action":"history","want":[{"room":"lobby","last":1}],"here":["vault"]}`,
		`{"action":"history","want":[{"room":"lobby","last":1}],"here":["lobby"],"read":{"vault":1}}`,
	} {
		mallory := clienttest.ConnectWithHistory(t, s.client, fmt.Sprint("mallory-", i)) // strikes follow a user
		s.unharmed(t, []string{historyFunction}, func() { refused(t, mallory, frame, "room_not_allowed") })
		_ = mallory.Close()
		s.settled(t, others)
	}
	mallory := clienttest.ConnectWithHistory(t, s.client, "mallory")
	enter("visitor") // whom the keeper is told of
	if err := mallory.Ping(clienttest.Within(t)); err != nil {
		t.Fatal(err)
	}
	for {
		switch frame, err := mallory.Next(clienttest.Within(t)); frame.(type) {
		case stageclient.Message: // of the friend
		case stageclient.Pong:
			return
		default:
			t.Fatalf("mallory got %#v (%v), want nothing but the pong", frame, err)
		}
	}
}

// TestAFloodOfQuestionsForMembersIsStopped: a question about eight rooms counts as eight. So two of them pass in a
// window, and four are refused. Each further one is a strike, and the third strike ends the connection.
func TestAFloodOfQuestionsForMembersIsStopped(t *testing.T) {
	t.Parallel()
	s := open(t, withHistory())
	rooms := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	all, proof := grant(func(g *stageclient.Grant) { g.Sub, g.Name, g.Rooms = "mallory", "Mallory", rooms })
	mallory, err := clienttest.DialWithHistory(t, s.client,
		clienttest.Presign(t, s.client, signURLFunction, all).URL, proof.Verifier)
	if err != nil {
		t.Fatal(err)
	}
	const flood, limit = 50, 20
	for range flood {
		if err := mallory.SendText(clienttest.Within(t), here(rooms...)); err != nil {
			break // the connection is closed, and so the flood ends
		}
	}
	answers, limited := 0, false
	for err == nil {
		var frame stageclient.Frame
		frame, err = mallory.Next(clienttest.Within(t))
		switch f := frame.(type) {
		case stageclient.Presence:
			answers++
		case stageclient.Error:
			limited = limited || f.Code == "rate_limited"
		}
	}
	if !errors.As(err, new(*stageclient.ClosedError)) {
		t.Errorf("the flood ended with %v, want the close", err)
	}
	if answers == 0 || answers > 2*limit || !limited {
		t.Errorf("%d rooms in %d questions were answered, limited is %t; want at most %d", answers, flood, limited,
			2*limit)
	}
	s.nothingDelivered(t)
}

// TestAClientOfChatV1GetsNoRoster: to it the action is as unknown as it was before.
func TestAClientOfChatV1GetsNoRoster(t *testing.T) {
	t.Parallel()
	s := open(t, withHistory())
	mallory := clienttest.Connect(t, s.client, "mallory")
	refused(t, mallory, here("lobby"), "unknown_action")
	s.nothingDelivered(t)
}
