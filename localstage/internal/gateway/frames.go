package gateway

import (
	"bytes"

	"github.com/gobwas/ws"
)

// Close codes. Source: RFC 6455, 7.4.1, and "Overview of WebSocket APIs".
const (
	closeNormal      = 1000
	closeGoingAway   = 1001
	closeProtocol    = 1002
	closeUnsupported = 1003
	closeNoStatus    = 1005 // never on the wire
	closeAbnormal    = 1006 // never on the wire
	closeInvalidData = 1007
	closeTooBig      = 1009
)

// headerRoom is the space that a frame's header may need before its payload.
const headerRoom = 10

// textFrame makes a frame of buf without a copy. The first headerRoom bytes of buf are free, the others are the
// payload.
func textFrame(buf []byte) []byte {
	header := ws.Header{Fin: true, OpCode: ws.OpText, Length: int64(len(buf) - headerRoom)}
	start := headerRoom - ws.HeaderSize(header)
	_ = ws.WriteHeader(bytes.NewBuffer(buf[start:start:headerRoom]), header) // a buffer takes everything
	return buf[start:]
}

// newTextFrame returns a frame that carries text.
func newTextFrame(text string) []byte {
	buf := make([]byte, headerRoom, headerRoom+len(text))
	return textFrame(append(buf, text...))
}

// pongFrame returns the answer to a ping.
func pongFrame(payload []byte) []byte {
	return ws.MustCompileFrame(ws.NewPongFrame(payload))
}

// closeFrame returns a close frame. closeNoStatus makes one without a code.
func closeFrame(code int, reason string) []byte {
	if code == closeNoStatus {
		return ws.MustCompileFrame(ws.NewCloseFrame(nil))
	}
	//nolint:gosec // a close code is below 65,536
	return ws.MustCompileFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusCode(code), reason)))
}
