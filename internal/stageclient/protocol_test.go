package stageclient_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/coder/websocket"

	"signedsocket/internal/stageclient"
	"signedsocket/protocol"
)

func TestClientAcceptsTheExamplesOfTheProtocol(t *testing.T) {
	t.Parallel()
	for name, frame := range map[string]stageclient.Frame{
		"message": stageclient.Message{}, "ack": stageclient.Ack{}, "error": stageclient.Error{},
		"history": stageclient.History{}, "synced": stageclient.Synced{},
		"deleted": stageclient.Deleted{}, "presence": stageclient.Presence{},
		"bye": stageclient.Bye{}, "pong": stageclient.Pong{}, "gatewayError": stageclient.GatewayError{},
	} {
		frames := protocol.Examples(t, name)
		signed := serve(t, func(ctx context.Context, socket *websocket.Conn) {
			for _, text := range frames {
				_ = socket.Write(ctx, websocket.MessageText, []byte(text))
			}
			socket.Close(websocket.StatusNormalClosure, "")
		})
		conn := dial(t, signed, stageclient.DialOptions{})
		for _, text := range frames {
			got, err := conn.Next(soon(t))
			if err != nil || fmt.Sprintf("%T", got) != fmt.Sprintf("%T", frame) {
				t.Errorf("%s is read as %+v, %v", text, got, err)
			}
		}
	}
}

func TestEveryFrameOfTheClientKeepsToTheProtocol(t *testing.T) {
	t.Parallel()
	signed := serve(t, func(ctx context.Context, socket *websocket.Conn) { _, _, _ = socket.Read(ctx) })
	var mu sync.Mutex
	var sent []string
	conn := dial(t, signed, stageclient.DialOptions{Trace: func(direction string, data []byte) {
		mu.Lock()
		defer mu.Unlock()
		if direction == "sent" {
			sent = append(sent, string(data))
		}
	}})
	after := int64(0)
	for _, m := range []stageclient.Outgoing{
		{Text: "hi"}, {Text: "a<b>\n\"😀", Room: "lobby", ID: "0193a5c8-9c3b-7c8e-8f53-2d0f3a5b7c11"},
		{Text: "hi", ID: "1", After: &after},
	} {
		_ = conn.Send(soon(t), m) // the server may be gone already
	}
	_ = conn.Ping(soon(t))
	_ = conn.History(soon(t), "h1", stageclient.WantAfter("a", 0), stageclient.WantAfter("b", 1795943828551),
		stageclient.WantBefore("c", 1795943828551, 0), stageclient.WantBefore("d", 7, 100),
		stageclient.WantLast("e", 1))
	_ = conn.History(soon(t), "", stageclient.WantLast("e", 100))
	_ = conn.Ask(soon(t), stageclient.Question{Here: []string{"a", "b"}, Read: map[string]int64{"a": 0, "b": 7}})
	_ = conn.SendDelete(soon(t), "a", 7, "d1")
	_ = conn.SendDelete(soon(t), "a", 7, "")
	mu.Lock()
	defer mu.Unlock()
	for _, frame := range sent {
		if err := protocol.FromClient([]byte(frame)); err != nil {
			t.Errorf("the client sends %s: %v", frame, err)
		}
	}
	if len(sent) != 9 {
		t.Errorf("sent %q", sent)
	}
}

func TestRequestsAndAnswersOfSignurlKeepToTheProtocol(t *testing.T) {
	t.Parallel()
	answers := slices.Concat(
		protocol.Examples(t, "answer"), protocol.Examples(t, "refusal"), protocol.Examples(t, "gatewayRefusal"),
	)
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := protocol.SignURLRequest(body); err != nil {
			t.Errorf("the client asks %s: %v", body, err)
		}
		if asked > 0 {
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = io.WriteString(w, answers[asked%len(answers)])
		asked++
	}))
	t.Cleanup(server.Close)
	client := &stageclient.Client{Outputs: stageclient.Outputs{SignURL: server.URL, Region: "us-east-1"}}
	challenge := stageclient.NewProof().Challenge
	signed, err := client.SignURL(t.Context(), "token", nil, "")
	if err != nil || signed.User.Name == "" || signed.ExpiresIn == 0 || len(signed.Protocols) != 1 {
		t.Errorf("the example of an answer is read as %+v, %v", signed, err)
	}
	for asked < len(answers) {
		client.Instance = stageclient.NewInstance()
		client.Instance.Name = "Gast"
		if _, err := client.SignURL(t.Context(), "", []string{"lobby", "team-1"}, challenge); err == nil {
			t.Error("a refusal is taken for an answer")
		}
		user := stageclient.NewNamedUser(stageclient.User{Sub: "alice", Name: "Alice"}, time.Now())
		user.Issuer, user.Rooms, user.SignIn = "https://id.example.com", []string{"lobby"}, "Zm9vYmFyYmF6cXV4MTIzNA"
		key := credentials.NewStaticCredentialsProvider("ASIAEXAMPLE", "secret", "st")
		if _, err := client.SignURLFor(t.Context(), key, user, nil, challenge); err == nil {
			t.Error("a refusal is taken for an answer")
		}
	}
}
