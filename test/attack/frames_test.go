package attack_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// answered sends a frame and checks the code of the error that answers it.
func answered(t *testing.T, conn *stageclient.Conn, name, frame, code string) {
	t.Helper()
	if err := conn.SendText(clienttest.Within(t), frame); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	got, err := stageclient.Await[stageclient.Error](clienttest.Within(t), conn)
	if err != nil || got.Code != code {
		t.Fatalf("%s: answered %+v (%v), want %s", name, got, err, code)
	}
}

// strikeless uses a new user for every bad frame, because a third strike would kick the user.
func (s *scene) strikeless(t *testing.T, frames []hostileFrame) {
	t.Helper()
	for i, f := range frames {
		mallory := clienttest.Connect(t, s.client, fmt.Sprint("mallory-", i))
		s.unharmed(t, []string{sendFunction}, func() { answered(t, mallory, f.name, f.frame, f.code) })
		_ = mallory.Close()
		s.settled(t, 2)
	}
}

type hostileFrame struct{ name, frame, code string }

// TestAFrameCannotNameAnotherSender: the sender comes from the connection's record, not from the frame.
func TestAFrameCannotNameAnotherSender(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	var frames []hostileFrame
	for _, member := range []string{
		`"from":{"sub":"victim","name":"Victim"}`, `"user":"admin"`, `"sub":"victim"`, `"nm":"Victim"`,
		`"name":"Victim"`, `"sentAt":0`, `"type":"bye"`,
		`"connectionId":"` + s.connectionID(t) + `"`, `"requestContext":{"connectionId":"x"}`,
		`"__proto__":{"sub":"victim"}`,
	} {
		frames = append(frames,
			hostileFrame{member, `{"action":"sendmessage","message":"obey",` + member + `}`, "bad_message"})
	}
	s.strikeless(t, frames)
}

// TestFramesThatParsersReadDifferentlyAreRefused: the gateway reads a frame to choose its route. The function must not
// act on a different reading of the same frame.
func TestFramesThatParsersReadDifferentlyAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	s.strikeless(t, []hostileFrame{
		{"an action twice", `{"action":"ping","action":"sendmessage","message":"x"}`, "bad_message"},
		{"a message twice", `{"action":"sendmessage","message":"x","message":"y"}`, "bad_message"},
		{"a message twice, once escaped", `{"action":"sendmessage","message":"x","mess\u0061ge":"y"}`, "bad_message"},
		{"a room twice", `{"action":"sendmessage","message":"x","room":"lobby","room":"vault"}`, "bad_message"},
		{"another case", `{"action":"sendmessage","MESSAGE":"x"}`, "bad_message"},
		{"both cases", `{"action":"sendmessage","message":"x","Message":"y"}`, "bad_message"},
		{"an action in another case", `{"Action":"ping","action":"sendmessage","message":"x"}`, "bad_message"},
		{"a letter that folds to another", `{"action":"ſendmessage","message":"x"}`, "unknown_action"},
		{"a byte order mark", "\ufeff" + `{"action":"sendmessage","message":"x"}`, "bad_message"},
		{"something behind it", `{"action":"sendmessage","message":"x"}{"message":"y"}`, "bad_message"},
		{"a comma too many", `{"action":"sendmessage","message":"x",}`, "bad_message"},
		{"a comment", `{"action":"sendmessage",/**/"message":"x"}`, "bad_message"},
		{"half a surrogate pair", `{"action":"sendmessage","message":"\ud800"}`, "bad_message"},
		{"a number for a text", `{"action":"sendmessage","message":1}`, "bad_message"},
		{"an object for a text", `{"action":"sendmessage","message":{"toString":"x"}}`, "bad_message"},
		{"a list for a text", `{"action":"sendmessage","message":["x"]}`, "bad_message"},
		{"null for a text", `{"action":"sendmessage","message":null}`, "bad_message"},
		{"a zero in the text", `{"action":"sendmessage","message":"a\u0000b"}`, "bad_message"},
		{"a terminal's escape", `{"action":"sendmessage","message":"\u001b[2J"}`, "bad_message"},
		{"text that turns round", `{"action":"sendmessage","message":"abc\u202edef"}`, "bad_message"},
		{"depth", `{"action":"sendmessage","message":` + strings.Repeat("[", 1500) + strings.Repeat("]", 1500) + `}`,
			"bad_message"},
		{"an id that is a path", `{"action":"sendmessage","message":"x","id":"../../USER"}`, "bad_message"},
		{"a long id", `{"action":"sendmessage","message":"x","id":"` + strings.Repeat("a", 37) + `"}`, "bad_message"},
		{"2,001 letters", `{"action":"sendmessage","message":"` + strings.Repeat("a", 2001) + `"}`, "too_large"},
		{"more than 4 KB", `{"action":"sendmessage",` + strings.Repeat(" ", 4<<10) + `"message":"x"}`, "too_large"},
		{"an action of the gateway's", `{"action":"$disconnect"}`, "unknown_action"},
		{"the action connect", `{"action":"$connect","sub":"victim"}`, "unknown_action"},
	})
}

// TestAFrameOfTwoActionsSendsNothing: no member gets the message, whichever action the gateway routes by.
func TestAFrameOfTwoActionsSendsNothing(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	mallory := clienttest.Connect(t, s.client, "mallory")
	s.unharmed(t, []string{sendFunction}, func() {
		if err := mallory.SendText(clienttest.Within(t),
			`{"action":"sendmessage","message":"x","action":"ping"}`); err != nil {
			t.Fatal(err)
		}
		frame, err := mallory.Next(clienttest.Within(t)) // the answer to one of the two
		if _, sent := frame.(stageclient.Ack); err != nil || sent {
			t.Errorf("answered %#v, %v", frame, err)
		}
	})
}

// TestFramesBeyondTheGatewaysLimitsEndTheConnection: API Gateway closes the connection, and the frame reaches no
// function.
func TestFramesBeyondTheGatewaysLimitsEndTheConnection(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	tests := []struct {
		name string
		kind websocket.MessageType
		data string
		code websocket.StatusCode
	}{
		{"binary", websocket.MessageBinary, `{"action":"sendmessage","message":"x"}`, websocket.StatusUnsupportedData},
		{"text that is no UTF-8", websocket.MessageText, "{\"action\":\"sendmessage\",\"message\":\"\xff\xfe\"}",
			websocket.StatusInvalidFramePayloadData},
		{"a frame of more than 32 KB", websocket.MessageText, strings.Repeat("a", 32<<10+1),
			websocket.StatusMessageTooBig},
	}
	for _, test := range tests {
		socket := s.rawSocket(t)
		invoked := s.invocations()[sendFunction]
		if err := socket.Write(clienttest.Within(t), test.kind, []byte(test.data)); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		_, _, err := socket.Read(clienttest.Within(t))
		if code := websocket.CloseStatus(err); code != test.code {
			t.Errorf("%s: ended with %v, want close code %d", test.name, err, test.code)
		}
		s.settled(t, 2)
		if now := s.invocations()[sendFunction]; now != invoked {
			t.Errorf("%s: reached sendmessage", test.name)
		}
		s.nothingDelivered(t)
	}
}

// rawSocket is a connection of mallory that can send any bytes. The comparison of the table leaves it out.
func (s *scene) rawSocket(t *testing.T) *websocket.Conn {
	t.Helper()
	signed, proof := clienttest.Sign(t, s.client, "mallory")
	socket, response, err := websocket.Dial(clienttest.Within(t), signed.URL, &websocket.DialOptions{
		HTTPClient: s.client.HTTP, Subprotocols: []string{stageclient.Protocol, "pop." + proof.Verifier},
		HTTPHeader: http.Header{"Origin": {s.client.Outputs.FrontendURL}},
	})
	if err != nil {
		t.Fatal("mallory's own connection was refused")
	}
	if response.Header.Get("Sec-WebSocket-Protocol") != stageclient.Protocol {
		t.Errorf("the answer does not name %s alone", stageclient.Protocol)
	}
	t.Cleanup(func() { _ = socket.CloseNow() })
	return socket
}

// TestUsersDoNotReachOtherRooms tries the query of the URL, the request for it, the frame, and the room names of a
// grant.
func TestUsersDoNotReachOtherRooms(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	vault, proof := grant(func(g *stageclient.Grant) { g.Sub, g.Name, g.Rooms = "keeper", "Keeper", []string{"vault"} })
	keeper, err := clienttest.Dial(t, s.client, clienttest.Presign(t, s.client, signURLFunction, vault).URL,
		proof.Verifier, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, room := range []string{"vault", "VAULT", "vault#0", "ROOM#vault#0", "lobby.vault", "*", " vault"} {
		mallory := clienttest.Connect(t, s.client, fmt.Sprint("mallory-", i)) // strikes follow a user
		s.unharmed(t, []string{sendFunction}, func() {
			answered(t, mallory, room, `{"action":"sendmessage","message":"let me in","room":"`+room+`"}`,
				"room_not_allowed")
		})
		_ = mallory.Close()
		s.settled(t, 3)
	}
	// In the other direction, a member of the vault gets nothing of the lobby, and a member of the lobby nothing of the
	// vault.
	clienttest.Send(t, keeper, "a secret of the vault", "k-1")
	frame, err := keeper.Next(clienttest.Within(t))
	if own, ok := frame.(stageclient.Message); err != nil || !ok || own.Text != "a secret of the vault" {
		t.Errorf("the keeper first received %#v (%v), want its own message", frame, err)
	}
	if got := clienttest.Await[stageclient.Ack](t, keeper); got.Recipients != 1 {
		t.Errorf("the vault's message had %d recipients, want its keeper only", got.Recipients)
	}
	s.nothingDelivered(t)
}

// TestAnEndedSessionNeitherSendsNorReceives waits for the end of a short session. Broadcasts leave the silent
// connection out. The sending connection gets an answer that says so.
func TestAnEndedSessionNeitherSendsNorReceives(t *testing.T) {
	t.Parallel()
	s := open(t, stagetest.Options{})
	mallory := s.ended(t, func(url, verifier string) (*stageclient.Conn, error) {
		return clienttest.Dial(t, s.client, url, verifier, nil)
	})
	clienttest.Send(t, s.friend, "between us", "between")
	if got := clienttest.Await[stageclient.Ack](t, s.friend); got.Recipients != 2 || got.Delivered != 2 {
		t.Errorf("acknowledged as %+v, want the friend and the victim only", got)
	}
	for heard := ""; heard != "between us"; {
		heard = clienttest.Await[stageclient.Message](t, s.victim).Text
	}
	if err := mallory.SendText(clienttest.Within(t), `{"action":"sendmessage","message":"me too"}`); err != nil {
		t.Fatal(err)
	}
	for {
		frame, err := mallory.Next(clienttest.Within(t))
		if closed, ok := errors.AsType[*stageclient.ClosedError](err); ok {
			t.Logf("closed with %d", closed.Code) // by the sweep, which was faster
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if message, ok := frame.(stageclient.Message); ok && message.Text == "between us" {
			t.Error("a session that had ended was delivered to")
		}
		if refused, ok := frame.(stageclient.Error); ok {
			if refused.Code != "session_ended" {
				t.Errorf("answered %+v, want session_ended", refused)
			}
			break
		}
	}
	s.nothingDelivered(t)
}
