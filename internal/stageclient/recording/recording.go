// Package recording writes what a client sent to a stage and what the stage answered, one JSON object a line. It masks
// everything that is secret or names an account: signatures, tokens, keys, tickets, verifiers, account ids, addresses
// of clients. Such recordings are the only proof of how AWS answers.
package recording

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxBody is how many bytes of a body or frame are kept.
const maxBody = 4 << 10

// Exchange is a request and its answer.
type Exchange struct {
	At       time.Time   `json:"at"`
	Method   string      `json:"method"`
	Target   string      `json:"target"`
	Header   http.Header `json:"header"`
	Body     string      `json:"body,omitempty"`
	Status   int         `json:"status,omitempty"` // none when there was no answer
	Answer   http.Header `json:"answer,omitempty"`
	Answered string      `json:"answered,omitempty"` // the answer's body; a handshake's is not kept, it is the socket
	Error    string      `json:"error,omitempty"`
}

// Frame is a frame of an open connection, or its end.
type Frame struct {
	At        time.Time `json:"at"`
	Direction string    `json:"frame"` // "sent", "received" or "closed"
	Text      string    `json:"text"`
}

// Recorder writes exchanges and frames. It may be used concurrently.
type Recorder struct {
	mask masker

	mu  sync.Mutex
	out io.Writer
}

// New returns a recorder that writes to out.
func New(out io.Writer) *Recorder { return &Recorder{mask: newMasker(), out: out} }

// Client returns an HTTP client that records the exchanges of next. A nil next is http.DefaultTransport.
func (r *Recorder) Client(next http.RoundTripper) *http.Client {
	if next == nil {
		next = http.DefaultTransport
	}
	return &http.Client{Transport: &transport{recorder: r, next: next}}
}

// Trace records a frame, or the end of a connection. It has the form of stageclient.Trace.
func (r *Recorder) Trace(direction string, data []byte) {
	r.write(Frame{time.Now().UTC(), direction, r.mask.text(shortened(data))})
}

// write writes one line. It ignores errors, so that a test goes on without its recording.
func (r *Recorder) write(record any) {
	line, err := json.Marshal(record)
	if err != nil {
		line = fmt.Appendf(nil, `{"error":%q}`, err.Error())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = r.out.Write(append(line, '\n')) // see above
}

type transport struct {
	recorder *Recorder
	next     http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	mask := t.recorder.mask
	exchange := Exchange{At: time.Now().UTC(), Method: r.Method, Target: mask.target(r.URL),
		Header: mask.fields(r.Header)}
	defer func() { t.recorder.write(exchange) }()
	if r.Body != nil && r.GetBody != nil {
		body, err := r.GetBody()
		if err == nil {
			exchange.Body = mask.text(shortened(read(body)))
		}
	}
	response, err := t.next.RoundTrip(r)
	if err != nil {
		exchange.Error = mask.text(err.Error())
		return nil, err
	}
	exchange.Status, exchange.Answer = response.StatusCode, mask.fields(response.Header)
	if response.StatusCode == http.StatusSwitchingProtocols {
		return response, nil
	}
	body := read(response.Body)
	exchange.Answered = mask.text(shortened(body))
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// read takes all of a body and closes it.
func read(body io.ReadCloser) []byte {
	data, _ := io.ReadAll(body) // after an error, record the part before it
	_ = body.Close()
	return data
}

func shortened(data []byte) string {
	if len(data) <= maxBody {
		return string(data)
	}
	return fmt.Sprintf("%s… (%d bytes)", data[:maxBody], len(data))
}
