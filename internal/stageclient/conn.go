package stageclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"github.com/coder/websocket"
)

// The WebSocket subprotocols of the chat. A server without history knows the first one only.
const (
	Protocol            = "chat.v1"
	ProtocolWithHistory = "chat.v2"
)

// WithHistory returns the protocols of a client that wants history and also works without it.
func WithHistory() []string { return []string{ProtocolWithHistory, Protocol} }

const (
	proofPrefix = "pop."    // before the verifier, offered as a second subprotocol
	maxFrame    = 128 << 10 // API Gateway's limit for a message, in bytes
	readAhead   = 64        // frames kept until Next takes them
)

// RefusedError is a handshake with another answer than 101.
type RefusedError struct {
	Status int
	Body   string // at most 1 KB; may repeat the signed URL, so do not show or log it
	Header http.Header
}

// Error names the status only.
func (e *RefusedError) Error() string {
	return "handshake refused with status " + strconv.Itoa(e.Status)
}

// ClosedError is a connection that the other side closed.
type ClosedError struct {
	Code   int // WebSocket close code
	Reason string
}

// Error names the close code and the reason.
func (e *ClosedError) Error() string {
	return fmt.Sprintf("connection closed by the server: %d %s", e.Code, e.Reason)
}

// DialOptions are the optional parts of a handshake.
type DialOptions struct {
	Verifier  string       // of the Proof whose challenge is in the URL
	Protocols []string     // to offer, the best one first; those of the signed URL when empty
	Header    http.Header  // such as Origin, which a browser would send
	HTTP      *http.Client // http.DefaultClient when nil
	Trace     Trace        // may be nil
}

// Trace is called when a frame was "sent" or "received" on a connection, or when the connection was "closed". It must
// not keep data.
type Trace func(direction string, data []byte)

// Origin returns the Origin header of a page of this stage. It is empty when the stage names no page.
func (c *Client) Origin() string {
	page, err := url.Parse(c.Outputs.FrontendURL)
	if err != nil || page.Host == "" {
		return ""
	}
	return page.Scheme + "://" + page.Host
}

// Dial is [Dial] from a page of this stage: with the page's Origin, unless the options have another one.
func (c *Client) Dial(ctx context.Context, signed *Signed, o DialOptions) (*Conn, error) {
	o.Header = o.Header.Clone()
	if o.Header == nil {
		o.Header = make(http.Header)
	}
	if origin := c.Origin(); origin != "" && o.Header.Values("Origin") == nil {
		o.Header.Set("Origin", origin)
	}
	if o.HTTP == nil {
		o.HTTP = c.HTTP
	}
	if o.Trace == nil {
		o.Trace = c.Trace
	}
	return Dial(ctx, signed, o)
}

// Conn is an open connection. Send and Next may be called concurrently with each
// other; the caller must Close it.
type Conn struct {
	socket *websocket.Conn
	trace  Trace
	frames chan received
	stop   context.CancelFunc
	ended  chan struct{} // closed when the reader has ended
	reason error         // why it ended; read after ended is closed
}

type received struct {
	frame Frame
	err   error
}

// Dial opens the connection that a signed URL permits. A handshake that is refused
// is a [*RefusedError]. Errors never contain the URL.
func Dial(ctx context.Context, signed *Signed, o DialOptions) (*Conn, error) {
	protocols := o.Protocols
	if len(protocols) == 0 {
		protocols = signed.Protocols
	}
	if o.Verifier != "" {
		protocols = append(append([]string(nil), protocols...), proofPrefix+o.Verifier)
	}
	socket, resp, err := websocket.Dial(ctx, signed.URL,
		&websocket.DialOptions{Subprotocols: protocols, HTTPHeader: o.Header, HTTPClient: o.HTTP})
	if err != nil {
		return nil, dialError(resp, err)
	}
	socket.SetReadLimit(maxFrame)
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	trace := o.Trace
	if trace == nil {
		trace = func(string, []byte) {}
	}
	c := &Conn{socket: socket, trace: trace, frames: make(chan received, readAhead), stop: stop,
		ended: make(chan struct{})}
	go c.read(reading)
	return c, nil
}

func dialError(resp *http.Response, err error) error {
	if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
		refused := &RefusedError{Status: resp.StatusCode, Header: resp.Header}
		if resp.Body != nil {
			body, _ := io.ReadAll(resp.Body) // the WebSocket library has cut it to 1 KB
			refused.Body = string(body)
		}
		return refused
	}
	if withURL := new(url.Error); errors.As(err, &withURL) {
		err = withURL.Err
	}
	return fmt.Errorf("connect: %w", err)
}

// read reads frames from the socket until it ends. So a Next that gives up does not break the connection.
func (c *Conn) read(ctx context.Context) {
	defer close(c.ended)
	for {
		_, data, err := c.socket.Read(ctx)
		if err != nil {
			c.reason = closeError(err)
			c.trace("closed", []byte(c.reason.Error()))
			return
		}
		c.trace("received", data)
		frame, err := parseFrame(data)
		select {
		case c.frames <- received{frame, err}:
		case <-ctx.Done():
			c.reason = fmt.Errorf("receive: %w", net.ErrClosed)
			return
		}
	}
}

func closeError(err error) error {
	var closed websocket.CloseError
	if errors.As(err, &closed) {
		return &ClosedError{int(closed.Code), closed.Reason}
	}
	return fmt.Errorf("receive: %w", err)
}

// Subprotocol returns the subprotocol that the server chose, or nothing.
func (c *Conn) Subprotocol() string { return c.socket.Subprotocol() }

// SendText sends any text as one frame.
func (c *Conn) SendText(ctx context.Context, text string) error {
	c.trace("sent", []byte(text))
	if err := c.socket.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// Next returns the next frame. If ctx ends first, it returns the error of ctx, and the connection stays usable. After
// the last frame of a connection that the server closed, the error is a [*ClosedError].
func (c *Conn) Next(ctx context.Context) (Frame, error) {
	select {
	case r := <-c.frames:
		return r.frame, r.err
	default:
	}
	select {
	case r := <-c.frames:
		return r.frame, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.ended:
	}
	select { // the reader may have read a frame before it ended
	case r := <-c.frames:
		return r.frame, r.err
	default:
		return nil, c.reason
	}
}

// Await returns the next frame of one type and drops all others before it.
func Await[F Frame](ctx context.Context, c *Conn) (F, error) {
	for {
		frame, err := c.Next(ctx)
		if err != nil {
			var none F
			return none, fmt.Errorf("wait for %T: %w", none, err)
		}
		if wanted, ok := frame.(F); ok {
			return wanted, nil
		}
	}
}

// Close closes with code 1000 and waits a short time for the answer. A second call does nothing.
func (c *Conn) Close() error {
	err := c.socket.Close(websocket.StatusNormalClosure, "")
	c.stop()
	<-c.ended
	if websocket.CloseStatus(err) != -1 || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return nil // the server closed first, or this is the second call
	}
	return err
}

// Abort cuts the connection without a close frame, as a crash or a dead network does.
func (c *Conn) Abort() {
	_ = c.socket.CloseNow() // it is over either way
	c.stop()
	<-c.ended
}
