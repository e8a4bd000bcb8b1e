package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
)

// room is a WebSocket server that sends every message to every member. For the message with a chosen number its script
// changes the frames.
type room struct {
	t        *testing.T
	server   *httptest.Server
	script   func(r *room, sent *outgoing)
	accept   func(attempt int) int // status of a handshake; nil accepts all
	mu       sync.Mutex
	attempts int
	members  map[string]*websocket.Conn // by user
	count    int
	log      *clienttest.Log // nil: the room keeps no history
}

// outgoing is what a message causes: frames by user, and the answer to its sender.
type outgoing struct {
	n      int // of the message, in the order of arrival
	sender string
	text   string
	frames map[string][]string
	answer string
}

func startRoom(t *testing.T, script func(r *room, sent *outgoing)) *room {
	t.Helper()
	r := &room{t: t, script: script, members: map[string]*websocket.Conn{}}
	r.server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.server.Close)
	return r
}

// Connect implements Stage.
func (r *room) Connect(ctx context.Context, user string) (Member, error) {
	url := "ws" + strings.TrimPrefix(r.server.URL, "http") + "/?user=" + user
	conn, err := stageclient.Dial(ctx, &stageclient.Signed{URL: url}, stageclient.DialOptions{})
	if err != nil {
		return Member{}, err
	}
	return Member{
		Socket: conn, User: stageclient.User{Sub: user, Name: name(user)}, Rooms: []string{"lobby"},
		History: r.log != nil,
	}, nil
}

func name(user string) string { return "The " + user }

func (r *room) serve(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	r.attempts++
	attempt := r.attempts
	r.mu.Unlock()
	if r.accept != nil && r.accept(attempt) != http.StatusSwitchingProtocols {
		w.WriteHeader(r.accept(attempt))
		return
	}
	socket := r.join(w, request)
	if socket == nil {
		return
	}
	user := request.URL.Query().Get("user")
	for {
		_, data, err := socket.Read(request.Context())
		if err != nil {
			return
		}
		r.broadcast(request.Context(), socket, user, data)
	}
}

// join accepts a member. No broadcast runs meanwhile, so a member gets every message after its 101.
func (r *room) join(w http.ResponseWriter, request *http.Request) *websocket.Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	socket, err := websocket.Accept(w, request, nil)
	if err != nil {
		r.t.Error(err)
		return nil
	}
	r.members[request.URL.Query().Get("user")] = socket
	return socket
}

func (r *room) broadcast(ctx context.Context, socket *websocket.Conn, sender string, data []byte) {
	var frame struct {
		Action, Message, ID string
		Want                []stageclient.Want
	}
	if err := json.Unmarshal(data, &frame); err != nil {
		r.t.Error(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if frame.Action == "history" {
		for _, answer := range clienttest.Answer([]*clienttest.Log{r.log}, frame.ID, frame.Want) {
			_ = socket.Write(ctx, websocket.MessageText, wire(r.t, answer)) // a client that left gets nothing
		}
		return
	}
	out := &outgoing{n: r.count, sender: sender, text: frame.Message, frames: map[string][]string{}}
	r.count++
	text := messageFrame("id-"+frame.ID, sender, frame.Message)
	if r.log != nil {
		text = string(wire(r.t, r.append(sender, frame.ID, frame.Message)))
	}
	for user := range r.members {
		out.frames[user] = []string{text}
	}
	out.answer = fmt.Sprintf(`{"type":"ack","id":"id-%s","clientId":%q,"recipients":1,"delivered":1,"gone":0}`,
		frame.ID, frame.ID)
	if r.script != nil {
		r.script(r, out)
	}
	for user, frames := range out.frames {
		for _, frame := range frames {
			_ = r.members[user].Write(ctx, websocket.MessageText, []byte(frame)) // a client that left gets nothing
		}
	}
	if out.answer != "" {
		_ = r.members[sender].Write(ctx, websocket.MessageText, []byte(out.answer))
	}
}

func messageFrame(id, sender, text string) string {
	return fmt.Sprintf(`{"type":"message","id":%q,"room":"lobby","from":{"sub":%q,"name":%q},`+
		`"message":%q,"sentAt":1795348980000}`, id, sender, name(sender), text)
}

// other returns a member that is not the sender.
func (o *outgoing) other() string {
	for user := range o.frames {
		if user != o.sender {
			return user
		}
	}
	return ""
}

// quick is a plan of 20 messages of 4 clients.
func quick() Plan {
	return Plan{Clients: 4, ConnectRate: 1000, Rate: 400, Duration: 50 * time.Millisecond, Drain: 10 * time.Second,
		Size: 8, Seed: 7}
}

func silent(string) {}
