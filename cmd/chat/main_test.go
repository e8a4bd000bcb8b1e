package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// stage is an HTTP API and a WebSocket API with the contract in its simplest form. Every URL opens one connection, for
// a client that proves the challenge. The stage echoes and acknowledges every message.
type stage struct {
	*httptest.Server
	t *testing.T

	mu         sync.Mutex
	challenges map[string]string // by ticket, until used
	signed     int
	drop       int // connections to drop at their first message
	sent       []map[string]any
}

func startStage(t *testing.T) (*stage, string) {
	t.Helper()
	s := &stage{t: t, challenges: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dev/token", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"access_token":"token-of-%s"}`, r.URL.Query().Get("user"))
	})
	mux.HandleFunc("POST /signurl", s.signURL)
	mux.HandleFunc("GET /prod", s.connect)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	outputs := filepath.Join(t.TempDir(), "outputs.json")
	text := fmt.Sprintf(`{"WebSocketUrl":"ws%s/prod","SignUrl":"%s/signurl","FrontendUrl":"%s/page",
"Region":"us-east-1","Local":{"DevTokenUrl":"%s/dev/token"}}`,
		strings.TrimPrefix(s.URL, "http"), s.URL, s.URL, s.URL)
	if err := os.WriteFile(outputs, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s, outputs
}

func (s *stage) signURL(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var body struct {
		Rooms     []string
		Challenge string
		User      struct{ Sub, Name string }
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		s.t.Error(err)
	}
	user, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer token-of-")
	switch {
	case strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"):
		user = body.User.Sub + "-called-" + body.User.Name
	case !ok:
		user = "guest-1"
	}
	if user == "mallory" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"message":"Unauthorized"}`)
		return
	}
	if len(body.Rooms) == 0 {
		body.Rooms = []string{"lobby"}
	}
	s.signed++
	ticket := fmt.Sprint("ticket-", s.signed)
	s.challenges[ticket] = body.Challenge
	address := fmt.Sprintf("ws%s/prod?sub=%s&rm=%s&jti=%s", strings.TrimPrefix(s.URL, "http"), user,
		strings.Join(body.Rooms, "."), ticket)
	fmt.Fprintf(w,
		`{"url":%q,"protocols":["chat.v1"],"expiresIn":10,"sessionEndsIn":7200,"user":{"sub":%q,"name":"The %s"}}`,
		address, user, user)
}

func (s *stage) connect(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	challenge, unused := s.challenges[r.URL.Query().Get("jti")]
	delete(s.challenges, r.URL.Query().Get("jti"))
	s.mu.Unlock()
	_, verifier, _ := strings.Cut(r.Header.Get("Sec-WebSocket-Protocol"), ",pop.")
	digest := sha256.Sum256([]byte(verifier))
	if !unused || base64.RawURLEncoding.EncodeToString(digest[:]) != challenge || r.Header.Get("Origin") != s.URL {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chat.v1"}})
	if err != nil {
		s.t.Error(err)
		return
	}
	for {
		_, data, err := socket.Read(r.Context())
		if err != nil {
			return
		}
		if !s.deliver(r, socket, data) {
			_ = socket.CloseNow()
			return
		}
	}
}

// deliver echoes and acknowledges a message. It returns false when the connection has to be cut.
func (s *stage) deliver(r *http.Request, socket *websocket.Conn, data []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var frame map[string]any
	if err := json.Unmarshal(data, &frame); err != nil {
		s.t.Error(err)
	}
	s.sent = append(s.sent, frame)
	user := r.URL.Query().Get("sub")
	echo := fmt.Sprintf(`{"type":"message","id":"of-%s","room":"lobby","from":{"sub":%q,"name":"The %s"},`+
		`"message":%q,"sentAt":1795348980000}`, frame["id"], user, user, frame["message"])
	_ = socket.Write(r.Context(), websocket.MessageText, []byte(echo))
	if s.drop > 0 {
		s.drop--
		return false
	}
	_ = socket.Write(r.Context(), websocket.MessageText, fmt.Appendf(nil,
		`{"type":"ack","id":"of-%s","clientId":%q,"recipients":1,"delivered":1,"gone":0}`, frame["id"], frame["id"]))
	return true
}

// seen returns the number of signed URLs and the messages that arrived.
func (s *stage) seen() (int, []map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signed, s.sent
}

// chatAs runs the program.
func chatAs(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, notes bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(stdin), &out, &notes)
	return code, out.String(), notes.String()
}

func TestPipedLinesAreSentAndShown(t *testing.T) {
	t.Parallel()
	s, outputs := startStage(t)
	code, stdout, stderr := chatAs(t, "hello\nこんにちは\n",
		"--as", "alice", "--outputs", outputs, "--room", "ops")
	if code != exitDone || strings.Count(stdout, "\n") != 2 ||
		!strings.HasPrefix(stdout, "The alice (you) ") || !strings.HasSuffix(stdout, "  こんにちは\n") {
		t.Errorf("exit code %d, shown %q", code, stdout)
	}
	if !strings.HasPrefix(stderr, "* connected as The alice (alice) in ops until ") {
		t.Errorf("notes %q", stderr)
	}
	if _, sent := s.seen(); len(sent) != 2 || sent[0]["action"] != "sendmessage" || sent[0]["message"] != "hello" {
		t.Errorf("sent %v", sent)
	}
}

func TestEveryAttemptHasASignedURLOfItsOwn(t *testing.T) {
	t.Parallel()
	s, outputs := startStage(t)
	s.drop = 2
	code, stdout, stderr := chatAs(t, "", "--as", "alice", "--outputs", outputs, "--once", "hi", "--once", "bye")
	if code != exitDone || strings.Count(stdout, "\n") != 2 {
		t.Errorf("exit code %d, shown %q, notes:\n%s", code, stdout, stderr)
	}
	signed, sent := s.seen()
	if signed != 3 || len(sent) != 4 || sent[0]["id"] != sent[2]["id"] || sent[2]["id"] == sent[3]["id"] {
		t.Errorf("%d URLs signed, sent %v", signed, sent)
	}
}

func TestExitCodesAndMessages(t *testing.T) {
	t.Parallel()
	_, outputs := startStage(t)
	gone, goneOutputs := startStage(t)
	gone.Close()
	tests := map[string]struct {
		args   []string
		stdin  string
		code   int
		stderr string
	}{
		"refused": {[]string{"--as", "mallory", "--outputs", outputs}, "hi\n", exitRefused,
			"does not take the access token (401)"},
		"no outputs": {[]string{"--as", "alice", "--outputs", outputs + "x"}, "", exitFailed,
			"start a stage with `make run` first"},
		"no stage": {[]string{"--as", "alice", "--outputs", goneOutputs}, "", exitFailed,
			"no stage answers at " + gone.URL},
		"no user": {nil, "", exitUsage, "--as=USER or --guest"},
		"two users": {[]string{"--as", "alice", "--guest"}, "", exitUsage,
			"--as and --guest can't be used together"},
		"two ways": {[]string{"--as", "alice", "--sign-locally", "--trusted-caller"}, "", exitUsage,
			"can't be used together"},
		"no guest":     {[]string{"--guest", "--trusted-caller"}, "", exitUsage, "instead of --guest"},
		"a guest":      {[]string{"--guest", "--outputs", outputs}, "", exitDone, "connected as The guest-1"},
		"unknown flag": {[]string{"--as", "alice", "--loud"}, "", exitUsage, "--loud"},
		"stdin twice":  {[]string{"--as", "alice", "--outputs", "-"}, "", exitUsage, "--once"},
		"token command": {[]string{"--as", "alice", "--outputs", outputs, "--token-command", "exit 7"}, "", exitFailed,
			"exit status 7"},
		"other outputs": {[]string{"--as", "alice", "--outputs", "-", "--once", "x"}, "{}", exitFailed,
			"no WebSocketUrl"},
		"only connects": {[]string{"--as", "alice", "--outputs", outputs}, "", exitDone, "connected as"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := chatAs(t, test.stdin, test.args...)
			if code != test.code || !strings.Contains(stderr, test.stderr) {
				t.Errorf("exit code %d, notes %q", code, stderr)
			}
		})
	}
	if code, stdout, _ := chatAs(t, "", "--help"); code != exitDone || !strings.Contains(stdout, "Exit codes:") {
		t.Errorf("--help: %d %q", code, stdout)
	}
}

func TestTrustedCallerNamesTheUser(t *testing.T) {
	_, outputs := startStage(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_SESSION_TOKEN", "")
	code, _, stderr := chatAs(t, "", "--as", "alice", "--name", "Ally", "--outputs", outputs, "--trusted-caller")
	if code != exitDone || !strings.Contains(stderr, "connected as The alice-called-Ally") {
		t.Errorf("exit code %d, notes %q", code, stderr)
	}
}

func TestSignLocallySignsWithTheDefaultChain(t *testing.T) {
	_, outputs := startStage(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_SESSION_TOKEN", "")
	// This stage does not know the ticket, so it refuses the handshake.
	code, _, stderr := chatAs(t, "", "--as", "alice", "--outputs", outputs, "--sign-locally")
	if code != exitRefused || !strings.Contains(stderr, "ExtraSignerArns") || strings.Contains(stderr, "X-Amz") {
		t.Errorf("exit code %d, notes %q", code, stderr)
	}
}

func TestPeopleSeeTheLastMessagesFirst(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		given  *int
		person bool
		want   int
	}{{nil, true, 20}, {nil, false, 0}, {new(5), true, 5}, {new(5), false, 5}, {new(0), true, 0}} {
		if got := (options{Last: test.given}).firstMessages(test.person); got != test.want {
			t.Errorf("--last %v, person: %t: %d messages, want %d", test.given, test.person, got, test.want)
		}
	}
}
