package e2e_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"signedsocket/internal/stageclient"
	"signedsocket/protocol"
)

// wire checks what clients send and get against the protocol. A violation fails the test when it ends.
type wire struct {
	signURL string
	next    http.RoundTripper

	mu         sync.Mutex
	violations []string
}

// signedURL matches a signed URL, which is a secret.
var signedURL = regexp.MustCompile(`wss?://[^\s'"]+`)

// brokenFrames are the frames that tests have sent on purpose with sendBroken.
var brokenFrames sync.Map

// checked returns a client whose frames, requests to signurl and their answers are checked.
func checked(t testing.TB, c *stageclient.Client) *stageclient.Client {
	t.Helper()
	w := &wire{signURL: c.Outputs.SignURL, next: http.DefaultTransport}
	client := new(http.Client)
	if c.HTTP != nil {
		*client = *c.HTTP
		w.next = cmp.Or(c.HTTP.Transport, w.next)
	}
	client.Transport = w
	trace := c.Trace
	c.HTTP, c.Trace = client, func(direction string, data []byte) {
		if trace != nil {
			trace(direction, data)
		}
		w.frame(direction, data)
	}
	t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, violation := range w.violations {
			t.Errorf("against protocol/: %s", violation)
		}
	})
	return c
}

// frame checks a frame of an open connection.
func (w *wire) frame(direction string, data []byte) {
	_, onPurpose := brokenFrames.Load(string(data))
	switch {
	case direction == "received":
		w.note("the client receives "+string(data), protocol.FromServer(data))
	case direction == "sent" && !onPurpose:
		w.note("the client sends "+string(data), protocol.FromClient(data))
	}
}

func (w *wire) note(what string, err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	text := signedURL.ReplaceAllString(fmt.Sprintf("%s: %v", what, err), "wss://…")
	w.violations = append(w.violations, text)
}

// RoundTrip implements http.RoundTripper. It checks the answers of signurl, and the requests that signurl takes.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost || r.URL.String() != w.signURL || r.GetBody == nil {
		return w.next.RoundTrip(r)
	}
	copied, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	asked, err := io.ReadAll(copied)
	if err != nil {
		return nil, err
	}
	response, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	w.note(fmt.Sprintf("signurl answers %d", response.StatusCode), protocol.SignURLAnswer(response.StatusCode, body))
	if response.StatusCode == http.StatusOK {
		w.note("signurl takes "+string(asked), protocol.SignURLRequest(asked))
	}
	return response, nil
}

// sendBroken sends a frame that the protocol forbids.
func sendBroken(t *testing.T, conn *stageclient.Conn, frame string) {
	t.Helper()
	if err := protocol.FromClient([]byte(frame)); err == nil {
		t.Errorf("the protocol allows %s", frame)
	}
	brokenFrames.Store(frame, true)
	if err := conn.SendText(within(t), frame); err != nil {
		t.Fatal(err)
	}
}

func TestAViolationOfTheProtocolIsNoticed(t *testing.T) {
	t.Parallel()
	w := new(wire)
	w.frame("sent", []byte(`{"action":"sendmessage","message":"hi"}`))
	w.frame("received", []byte(`{"type":"pong"}`))
	w.frame("sent", []byte(`{"action":"delete","room":"lobby","seq":9}`))
	w.frame("received", []byte(`{"type":"presence","room":"lobby","n":1,"count":0}`))
	w.frame("closed", []byte("connection closed by the server: 1001"))
	if len(w.violations) != 0 {
		t.Errorf("violations %q", w.violations)
	}
	w.frame("sent", []byte(`{"action":"sendmessage","text":"a member that no test sends"}`))
	w.frame("received", []byte(`{"type":"ping"}`))
	w.frame("sent", []byte(`{"action":"delete","room":"lobby"}`))
	w.frame("received", []byte(`{"type":"deleted","room":"lobby","seq":9}`))
	w.frame("received", []byte(`{"type":"presence","room":"lobby","count":1}`))
	if len(w.violations) != 5 {
		t.Errorf("violations %q, want all five frames", w.violations)
	}
	answer := `{"url":"wss://a.example/prod?X-Amz-Signature=secret"}`
	w.note("signurl answers 200", protocol.SignURLAnswer(http.StatusOK, []byte(answer)))
	if last := w.violations[len(w.violations)-1]; len(w.violations) != 6 || strings.Contains(last, "secret") {
		t.Errorf("violations %q, want six without the signed URL", w.violations)
	}
}
