package stageclient_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"signedsocket/internal/stageclient"
)

// serve starts a WebSocket server that does script on each connection, and returns a
// signed URL for it.
func serve(t *testing.T, script func(ctx context.Context, socket *websocket.Conn)) *stageclient.Signed {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := websocket.Accept(w, r,
			&websocket.AcceptOptions{Subprotocols: []string{"chat.v1"}, InsecureSkipVerify: true})
		if err != nil {
			t.Error(err)
			return
		}
		script(r.Context(), socket)
	}))
	t.Cleanup(server.Close)
	return &stageclient.Signed{URL: "ws" + strings.TrimPrefix(server.URL, "http") + "/prod?X-Amz-Signature=secret",
		Protocols: []string{"chat.v1"}}
}

func dial(t *testing.T, signed *stageclient.Signed, o stageclient.DialOptions) *stageclient.Conn {
	t.Helper()
	conn, err := stageclient.Dial(t.Context(), signed, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Abort)
	return conn
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestFramesOfTheContract(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want stageclient.Frame
	}{
		{`{"type":"message","id":"I","room":"lobby","from":{"sub":"bob","name":"Bob"},"message":"hi",` +
			`"sentAt":1795327200123}`,
			stageclient.Message{ID: "I", Room: "lobby", From: stageclient.User{Sub: "bob", Name: "Bob"}, Text: "hi",
				SentAt: 1795327200123}},
		{`{"type":"ack","id":"I","clientId":"c","recipients":3,"delivered":2,"gone":1}`,
			stageclient.Ack{ID: "I", ClientID: "c", Recipients: 3, Delivered: 2, Gone: 1}},
		{`{"type":"error","code":"rate_limited","message":"Slow down.","clientId":"c","retryAfterMs":1500}`,
			stageclient.Error{Code: "rate_limited", Text: "Slow down.", ClientID: "c", RetryAfterMs: 1500}},
		{`{"type":"pong"}`, stageclient.Pong{}},
		{`{"type":"bye","code":"evicted"}`, stageclient.Bye{Code: "evicted"}},
		{`{"message": "Internal server error", "connectionId":"C=", "requestId":"R="}`,
			stageclient.GatewayError{Text: "Internal server error", ConnectionID: "C=", RequestID: "R="}},
		{`{"type":"typing","who":"bob"}`, stageclient.Unknown{Raw: `{"type":"typing","who":"bob"}`}},
		{`{}`, stageclient.Unknown{Raw: `{}`}},
		// a renamed member
		{`{"type":"message","id":"I","room":"lobby","sender":{"sub":"bob"},"message":"hi","sentAt":1}`, nil},
		{`{"type":"ack"}`, nil},
		{`{"type":"pong"`, nil},
		{`{"type":"bye","code":7}`, nil},
	}
	signed := serve(t, func(ctx context.Context, socket *websocket.Conn) {
		for _, test := range tests {
			_ = socket.Write(ctx, websocket.MessageText, []byte(test.text))
		}
		socket.Close(websocket.StatusGoingAway, "Going away")
	})
	conn := dial(t, signed, stageclient.DialOptions{})
	for _, test := range tests {
		got, err := conn.Next(soon(t))
		if diff := cmp.Diff(test.want, got); diff != "" ||
			(test.want == nil) != errors.Is(err, stageclient.ErrMalformedFrame) {
			t.Errorf("%s: error %v\n%s", test.text, err, diff)
		}
	}
	var closed *stageclient.ClosedError
	if _, err := conn.Next(soon(t)); !errors.As(err, &closed) || closed.Code != 1001 || closed.Reason != "Going away" {
		t.Errorf("after the last frame: %v", err)
	}
}

func TestClientSpeaksTheContract(t *testing.T) {
	t.Parallel()
	got := make(chan string, 10)
	var offered []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		offered = append(r.Header.Values("Sec-WebSocket-Protocol"), r.Header.Get("Origin"))
		socket, err := websocket.Accept(w, r,
			&websocket.AcceptOptions{Subprotocols: []string{"chat.v1"}, InsecureSkipVerify: true})
		if err != nil {
			t.Error(err)
			return
		}
		for {
			_, data, err := socket.Read(r.Context())
			if err != nil {
				close(got)
				return
			}
			got <- string(data)
		}
	}))
	t.Cleanup(server.Close)
	signed := &stageclient.Signed{URL: server.URL, Protocols: []string{"chat.v1"}}
	conn := dial(t, signed, stageclient.DialOptions{Verifier: "v", Header: http.Header{"Origin": {"http://a.example"}}})
	for _, err := range []error{
		conn.Send(soon(t), stageclient.Outgoing{Text: "hi"}),
		conn.Send(soon(t), stageclient.Outgoing{Text: "hi", Room: "lobby", ID: "1"}),
		conn.Ping(soon(t)), conn.SendText(soon(t), "raw"), conn.Close(), conn.Close(),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	var frames []string
	for frame := range got {
		frames = append(frames, frame)
	}
	want := []string{`{"action":"sendmessage","message":"hi"}`,
		`{"action":"sendmessage","message":"hi","room":"lobby","id":"1"}`, `{"action":"ping"}`, "raw"}
	if diff := cmp.Diff(want, frames); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"chat.v1,pop.v", "http://a.example"}, offered); diff != "" ||
		conn.Subprotocol() != "chat.v1" {
		t.Errorf("chosen %q\n%s", conn.Subprotocol(), diff)
	}
	if diff := cmp.Diff([]string{"chat.v1"}, signed.Protocols); diff != "" {
		t.Errorf("the caller's protocols were changed: %s", diff)
	}
}

func TestRefusedHandshakeKeepsItsStatus(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-ErrorType", "ForbiddenException")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"message":"Forbidden"}`)
	}))
	t.Cleanup(server.Close)
	_, err := stageclient.Dial(t.Context(), &stageclient.Signed{URL: server.URL}, stageclient.DialOptions{})
	var refused *stageclient.RefusedError
	if !errors.As(err, &refused) || refused.Status != 403 || refused.Body != `{"message":"Forbidden"}` ||
		refused.Header.Get("X-Amzn-ErrorType") != "ForbiddenException" {
		t.Fatalf("error %#v", err)
	}
	if strings.Contains(err.Error(), "message") {
		t.Errorf("the error shows the body: %v", err)
	}
}

func TestErrorsDoNotShowTheURL(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	address := "ws" + strings.TrimPrefix(server.URL, "http") + "/prod?X-Amz-Signature=secret"
	server.Close()
	_, err := stageclient.Dial(t.Context(), &stageclient.Signed{URL: address}, stageclient.DialOptions{})
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("error %v", err)
	}
	_, err = stageclient.Dial(t.Context(), &stageclient.Signed{URL: "ws://[::1?secret"}, stageclient.DialOptions{})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v", err)
	}
}

func TestAnEndedWaitKeepsTheConnection(t *testing.T) {
	t.Parallel()
	signed := serve(t, func(ctx context.Context, socket *websocket.Conn) {
		_, data, err := socket.Read(ctx)
		if err == nil {
			_ = socket.Write(ctx, websocket.MessageText, data)
		}
		_, _, _ = socket.Read(ctx) // until the client goes
	})
	conn := dial(t, signed, stageclient.DialOptions{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := conn.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v", err)
	}
	if err := conn.SendText(soon(t), `{"type":"pong"}`); err != nil {
		t.Fatal(err)
	}
	if _, err := stageclient.Await[stageclient.Pong](soon(t), conn); err != nil {
		t.Error(err)
	}
	conn.Abort()
	if _, err := conn.Next(soon(t)); err == nil {
		t.Error("an aborted connection gave a frame")
	}
}

func TestAwaitDropsOtherFrames(t *testing.T) {
	t.Parallel()
	signed := serve(t, func(ctx context.Context, socket *websocket.Conn) {
		for _, text := range []string{`{"type":"pong"}`, `{"type":"bye","code":"kicked"}`} {
			_ = socket.Write(ctx, websocket.MessageText, []byte(text))
		}
		_ = socket.CloseNow()
	})
	conn := dial(t, signed, stageclient.DialOptions{})
	if bye, err := stageclient.Await[stageclient.Bye](soon(t), conn); err != nil || bye.Code != "kicked" {
		t.Errorf("%+v, %v", bye, err)
	}
	_, err := stageclient.Await[stageclient.Ack](soon(t), conn)
	if closed := new(stageclient.ClosedError); err == nil || errors.As(err, &closed) {
		t.Errorf("a connection that was cut: %v", err)
	}
}

func TestConnectSendsTheVerifierOfItsChallenge(t *testing.T) {
	t.Parallel()
	var challenge string
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("POST /signurl", func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Rooms     []string
			Challenge string
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || !cmp.Equal(asked.Rooms, []string{"a", "b"}) {
			t.Errorf("asked %+v, %v", asked, err)
		}
		challenge = asked.Challenge
		fmt.Fprintf(w, `{"url":"%s/prod","protocols":["chat.v1"],"expiresIn":10,"sessionEndsIn":7200,`+
			`"user":{"sub":"alice","name":"Alice"}}`, server.URL)
	})
	mux.HandleFunc("GET /prod", func(w http.ResponseWriter, r *http.Request) {
		_, verifier, _ := strings.Cut(r.Header.Get("Sec-WebSocket-Protocol"), ",pop.")
		if digest := sha256.Sum256([]byte(verifier)); base64.RawURLEncoding.EncodeToString(digest[:]) != challenge {
			t.Errorf("%q is no proof of %q", verifier, challenge)
		}
		socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chat.v1"}})
		if err == nil {
			socket.CloseRead(r.Context())
		}
	})
	client := &stageclient.Client{TokenCommand: "echo t",
		Outputs: stageclient.Outputs{SignURL: server.URL + "/signurl"}}
	conn, signed, err := client.Connect(soon(t), "alice", "a", "b")
	if err != nil || signed.User.Name != "Alice" {
		t.Fatalf("%v, %v", signed, err)
	}
	conn.Abort()
}
