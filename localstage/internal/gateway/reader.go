package gateway

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// These are the limits of a client's messages.
// Source: "Quotas for configuring and running a WebSocket API"; that they count
// payload bytes, and that the limit itself is allowed, is assumed.
const (
	maxFrame   = 32 << 10
	maxMessage = 128 << 10
	// readBuffer holds a usual message with its header, so that the message takes one read. Larger payloads bypass it.
	readBuffer = 512
)

// closeError is the reason for an orderly end of a client's stream: its own close frame, or a broken rule.
type closeError struct {
	code   int
	reason string
	byPeer bool
}

func (e *closeError) Error() string { return fmt.Sprintf("close %d %s", e.code, e.reason) }

// messageReader reads the text messages of one client from its frames, as
// strictly as RFC 6455 allows.
type messageReader struct {
	in      *bufio.Reader
	pong    func(payload []byte) // answers a ping
	state   ws.State
	message []byte // received parts of a fragmented message
}

func newMessageReader(in io.Reader, pong func([]byte)) *messageReader {
	return &messageReader{in: bufio.NewReaderSize(in, readBuffer), pong: pong, state: ws.StateServerSide}
}

// next returns the next whole message. The error is a *closeError or that of
// the connection.
func (m *messageReader) next() ([]byte, error) {
	for {
		header, err := m.header()
		if err != nil {
			return nil, err
		}
		switch header.OpCode {
		case ws.OpPing, ws.OpPong, ws.OpClose:
			err = m.control(header)
		default:
			var complete bool
			if complete, err = m.data(header); complete && err == nil {
				return m.take()
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

// header reads the next frame's header and checks it before any payload.
func (m *messageReader) header() (ws.Header, error) {
	start, err := m.in.Peek(2)
	if err != nil {
		return ws.Header{}, err
	}
	lengthBits := start[1] & 0x7f
	header, err := ws.ReadHeader(m.in)
	switch {
	case errors.Is(err, ws.ErrHeaderLengthMSB):
		return header, protocolError("frame length is out of range")
	case err != nil:
		return header, err
	case lengthBits == 126 && header.Length < 126, lengthBits == 127 && header.Length <= 0xffff:
		return header, protocolError("frame length is not minimal") // RFC 6455, 5.2
	}
	if err := ws.CheckHeader(header, m.state); err != nil {
		return header, protocolError(err.Error())
	}
	return header, m.allowed(header)
}

// allowed applies the service's own rules to a data frame.
// Source: "Binary media types for WebSocket APIs" for 1003, "Quotas for
// configuring and running a WebSocket API" for 1009; the reasons are assumed.
func (m *messageReader) allowed(h ws.Header) error {
	switch {
	case h.OpCode == ws.OpBinary:
		return &closeError{code: closeUnsupported, reason: "binary frames are not supported"}
	case !h.OpCode.IsControl() && h.Length > maxFrame:
		return &closeError{code: closeTooBig, reason: "frame exceeds 32 KB"}
	case !h.OpCode.IsControl() && int64(len(m.message))+h.Length > maxMessage:
		return &closeError{code: closeTooBig, reason: "message exceeds 128 KB"}
	}
	return nil
}

// data reads the payload of a data frame and reports whether its message is
// complete.
func (m *messageReader) data(h ws.Header) (bool, error) {
	have := len(m.message)
	m.message = slices.Grow(m.message, int(h.Length))[:have+int(h.Length)]
	if err := m.payload(h, m.message[have:]); err != nil {
		return false, err
	}
	if !h.Fin {
		m.state = m.state.Set(ws.StateFragmented)
	} else {
		m.state = m.state.Clear(ws.StateFragmented)
	}
	return h.Fin, nil
}

// take passes the complete message on. Text must be UTF-8.
// Source: RFC 6455, 8.1.
func (m *messageReader) take() ([]byte, error) {
	message := m.message
	m.message = nil
	if !utf8.Valid(message) {
		return nil, &closeError{code: closeInvalidData, reason: "text is not UTF-8"}
	}
	return message, nil
}

// control reads and answers a control frame; a close frame ends the stream.
func (m *messageReader) control(h ws.Header) error {
	payload := make([]byte, h.Length)
	if err := m.payload(h, payload); err != nil {
		return err
	}
	switch h.OpCode {
	case ws.OpPing:
		m.pong(payload)
	case ws.OpClose:
		return closedByPeer(payload)
	}
	return nil
}

// payload fills buf with the unmasked payload.
func (m *messageReader) payload(h ws.Header, buf []byte) error {
	if _, err := io.ReadFull(m.in, buf); err != nil {
		return err
	}
	ws.Cipher(buf, h.Mask, 0)
	return nil
}

// closedByPeer returns the closeError for the payload of a client's close frame.
// Source: RFC 6455, 5.5.1 and 7.4; "The $connect and $disconnect routes" for a frame without a code.
func closedByPeer(payload []byte) error {
	switch {
	case len(payload) == 0:
		return &closeError{code: closeNoStatus, reason: "Client-side close frame status not set", byPeer: true}
	case len(payload) == 1:
		return protocolError("close frame of one byte")
	}
	code := int(binary.BigEndian.Uint16(payload))
	if !mayBeSent(code) {
		return protocolError("close code is not allowed")
	}
	if !utf8.Valid(payload[2:]) {
		return &closeError{code: closeInvalidData, reason: "close reason is not UTF-8"}
	}
	return &closeError{code: code, reason: string(payload[2:]), byPeer: true}
}

// mayBeSent reports whether an endpoint may put code into a close frame.
// Source: RFC 6455, 7.4, and IANA's registry of close codes for 1012 to 1014.
func mayBeSent(code int) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
}

// protocolError returns the error for a stream that breaks RFC 6455.
func protocolError(reason string) error {
	return &closeError{code: closeProtocol, reason: reason}
}
