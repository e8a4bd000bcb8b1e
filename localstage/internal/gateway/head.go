package gateway

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// maxHead is the number of bytes of a request head that are kept for their letter case.
const maxHead = 64 << 10

// headKey is the context key of a connection's *recordingConn.
type headKey struct{}

// RecordHeads wraps l so that $connect events can show header names in the
// letter case of the client, which net/http does not keep. It works together
// with ConnContext and covers the first request of every TCP connection, which
// a handshake practically always is. Without it, names arrive in canonical case.
func RecordHeads(l net.Listener) net.Listener { return recordingListener{l} }

// ConnContext is the http.Server.ConnContext for a server whose listener is wrapped by RecordHeads.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, headKey{}, c)
}

type recordingListener struct{ net.Listener }

func (l recordingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &recordingConn{Conn: c, recording: true}, nil
}

// recordingConn keeps the bytes that the server reads, until the first request head is complete.
type recordingConn struct {
	net.Conn

	mu        sync.Mutex
	recording bool
	head      []byte
}

func (c *recordingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.recording {
		c.head = append(c.head, p[:n]...)
		c.recording = len(c.head) < maxHead && !bytes.Contains(c.head, []byte("\r\n\r\n"))
	}
	return n, err
}

// Write drops the head: an answer means that its request has been handled.
func (c *recordingConn) Write(p []byte) (int, error) {
	c.take()
	return c.Conn.Write(p)
}

// CloseWrite lets net/http end its side first, as on a bare TCP connection.
func (c *recordingConn) CloseWrite() error { return closeWrite(c.Conn) }

// take returns the recorded head once, and frees it.
func (c *recordingConn) take() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	head := c.head
	c.head, c.recording = nil, false
	return head
}

// closeWrite ends the sending side of c if c has a method for it.
func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// bare returns the connection below the recording.
func bare(c net.Conn) net.Conn {
	if recorded, ok := c.(*recordingConn); ok {
		return recorded.Conn
	}
	return c
}

// field is one header line.
type field struct{ name, value string }

// requestFields returns the header lines of r without Host: as the client wrote them if its head was recorded, and
// otherwise with net/http's names in their order. The second result is false if a recorded head has a line that ends in
// a line feed alone. net/http takes that for the end of the line, parseHead does not.
func requestFields(r *http.Request) ([]field, bool) {
	if c, ok := r.Context().Value(headKey{}).(*recordingConn); ok {
		head := c.take()
		if hasBareLineFeed(head) { // mutate:stage-line-feed
			return nil, false
		}
		if fields := parseHead(head); len(fields) > 0 {
			return fields, true
		}
	}
	var fields []field
	for name, values := range r.Header {
		name = strings.Replace(name, "Sec-Websocket-", "Sec-WebSocket-", 1) // as RFC 6455 spells it
		for _, v := range values {
			fields = append(fields, field{name, v})
		}
	}
	slices.SortStableFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return fields, true
}

// hasBareLineFeed reports whether a line of a request head ends in a line feed without a carriage return. The head ends
// with the first empty line, of either form. A body follows.
func hasBareLineFeed(head []byte) bool {
	for len(head) > 0 {
		line, rest, ended := bytes.Cut(head, []byte("\n"))
		switch {
		case !ended:
			return false
		case !bytes.HasSuffix(line, []byte("\r")):
			return true
		case len(line) == 1:
			return false
		}
		head = rest
	}
	return false
}

// parseHead splits a request head that net/http has accepted into its lines.
func parseHead(head []byte) []field {
	text, _, complete := strings.Cut(string(head), "\r\n\r\n")
	if !complete {
		return nil
	}
	var fields []field
	lines := strings.Split(text, "\r\n")
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ":")
		if ok && !strings.EqualFold(name, "Host") {
			fields = append(fields, field{name, strings.Trim(value, " \t")})
		}
	}
	return fields
}
