package attack_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// stalling is the client side of a socket. It stops reading on command.
type stalling struct {
	net.Conn
	mu   sync.Mutex
	open chan struct{} // closed while the client reads
}

// Read implements net.Conn.
func (s *stalling) Read(p []byte) (int, error) {
	s.mu.Lock()
	open := s.open
	s.mu.Unlock()
	<-open
	return s.Conn.Read(p)
}

// Close implements net.Conn.
func (s *stalling) Close() error {
	s.resume()
	return s.Conn.Close()
}

func (s *stalling) stall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = make(chan struct{})
}

func (s *stalling) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.open:
	default:
		close(s.open)
	}
}

// joinStalling connects a user through a socket that can stall, and returns the id of the connection.
func (s *scene) joinStalling(t *testing.T, user string) (conn *stageclient.Conn, socket *stalling, id string) {
	t.Helper()
	socket = &stalling{open: make(chan struct{})}
	close(socket.open)
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		tcp, err := new(net.Dialer).DialContext(ctx, network, address)
		socket.Conn = tcp
		return socket, err
	}}
	before := s.members(t)
	signed, proof := clienttest.Sign(t, s.client, user)
	conn, err := stageclient.Dial(clienttest.Within(t), signed, stageclient.DialOptions{
		Verifier: proof.Verifier, Header: http.Header{"Origin": {s.client.Origin()}},
		HTTP: &http.Client{Transport: transport},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Abort)
	return conn, socket, s.newcomer(t, before)
}

// fill posts to a connection until the gateway answers 429 even to a frame as short as a message. It uses a function's
// keys, because an attacker would have to wait for other users' messages.
func (s *scene) fill(t *testing.T, connectionID string) {
	t.Helper()
	plain, client := *s, *s.client // a client that does not wait after a 429
	client.HTTP = http.DefaultClient
	plain.client = &client
	address := s.client.Outputs.CallbackURL + "/@connections/" + url.PathEscape(connectionID)
	for _, size := range []int{120 << 10, 8 << 10, 512, 1} {
		frame := []byte(`{"type":"message","id":"filling","room":"lobby","from":{"sub":"f","name":"f"},"message":"` +
			strings.Repeat("x", size) + `","sentAt":1}`)
		for status := http.StatusOK; status == http.StatusOK; {
			var answer string
			status, answer = plain.signedCall(t, sendFunction, "execute-api", http.MethodPost, address, "", frame)
			if status != http.StatusOK && status != http.StatusTooManyRequests {
				t.Fatalf("@connections answered %d %s", status, answer)
			}
		}
	}
}

// members returns the connections in the lobby.
func (s *scene) members(t *testing.T) map[string]bool {
	t.Helper()
	found := make(map[string]bool)
	for _, key := range s.items(t).keys("ROOM#lobby#0/") {
		found[strings.TrimPrefix(key, "ROOM#lobby#0/")] = true
	}
	return found
}

// newcomer returns the connection in the lobby that was not there before.
func (s *scene) newcomer(t *testing.T, before map[string]bool) string {
	t.Helper()
	for id := range s.members(t) {
		if !before[id] {
			return id
		}
	}
	t.Fatal("the newcomer is not in the lobby")
	return ""
}

// sendText sends a message, and returns its ack.
func sendText(t *testing.T, conn *stageclient.Conn, id string) stageclient.Ack {
	t.Helper()
	ctx := clienttest.Within(t)
	if err := conn.Send(ctx, stageclient.Outgoing{Text: "message " + id, ID: id}); err != nil {
		t.Fatal(err)
	}
	for {
		frame, err := conn.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		switch f := frame.(type) {
		case stageclient.Ack:
			return f
		case stageclient.Error:
			t.Fatalf("message %s was answered %+v", id, f)
		}
	}
}

// TestSocketsThatNeverReadAreDropped: two and then five sockets in a room of ten stop reading. Every message is
// acknowledged meanwhile. After three messages broadcasts no longer wait for those sockets.
func TestSocketsThatNeverReadAreDropped(t *testing.T) {
	t.Parallel()
	localOnly(t, "fills the buffers of sockets with a function's keys")
	for _, silent := range []int{2, 5} {
		t.Run(strconv.Itoa(silent), func(t *testing.T) {
			t.Parallel()
			s := openEmpty(t, stagetest.Options{Parameters: map[string]string{}})
			speaker := clienttest.Connect(t, s.client, "speaker")
			for i := range 9 - silent {
				clienttest.Connect(t, s.client, fmt.Sprintf("reader-%d", i))
			}
			for range silent {
				_, socket, id := s.joinStalling(t, "mallory")
				socket.stall()
				s.fill(t, id)
			}
			for i := range 3 {
				if ack := sendText(t, speaker, strconv.Itoa(i)); ack.Recipients-ack.Delivered > silent {
					t.Errorf("message %d was acknowledged as %+v", i, ack)
				}
			}
			began := time.Now()
			for i := range 3 {
				if ack := sendText(t, speaker, "after-"+strconv.Itoa(i)); ack.Recipients != 10-silent ||
					ack.Delivered != 10-silent {
					t.Errorf("a message after the third was acknowledged as %+v, want %d recipients", ack, 10-silent)
				}
			}
			t.Logf("three messages after the third took %s", time.Since(began))
		})
	}
}

// TestASlowPhoneThatCatchesUpStays: a phone stops reading for one message and reads again before the next, many times.
// Its connection stays.
func TestASlowPhoneThatCatchesUpStays(t *testing.T) {
	t.Parallel()
	localOnly(t, "fills the buffers of sockets with a function's keys")
	s := openEmpty(t, stagetest.Options{Parameters: map[string]string{}})
	speaker := clienttest.Connect(t, s.client, "speaker")
	clienttest.Connect(t, s.client, "reader")
	phone, socket, id := s.joinStalling(t, "phone")
	for round := range 3 {
		socket.stall()
		s.fill(t, id)
		if ack := sendText(t, speaker, fmt.Sprintf("stalled-%d", round)); ack.Recipients != 3 || ack.Delivered != 2 {
			t.Errorf("round %d: while the phone stalls, a message was acknowledged as %+v", round, ack)
		}
		socket.resume()
		drained := drain(t, phone)
		if ack := sendText(t, speaker, fmt.Sprintf("read-%d", round)); ack.Recipients != 3 || ack.Delivered != 3 {
			t.Errorf("round %d: the phone has read %d frames, and a message was acknowledged as %+v",
				round, drained, ack)
		}
		want := fmt.Sprintf("message read-%d", round)
		for clienttest.Await[stageclient.Message](t, phone).Text != want {
		}
	}
	if !s.members(t)[id] {
		t.Error("the phone has lost its place")
	}
}

// drain reads the waiting frames of a connection, and returns their number.
func drain(t *testing.T, conn *stageclient.Conn) int {
	t.Helper()
	for n := 0; ; n++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := conn.Next(ctx)
		cancel()
		if err != nil {
			return n
		}
	}
}
