package gateway

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// outcome reads a client's stream to its end.
type outcome struct {
	messages []string
	pongs    int
	code     int // of the close, 0 for a stream that just ends
}

func readStream(t *testing.T, r io.Reader) outcome {
	t.Helper()
	var o outcome
	reader := newMessageReader(r, func(payload []byte) {
		if len(payload) > ws.MaxControlFramePayloadSize {
			t.Errorf("pong of %d bytes", len(payload))
		}
		o.pongs++
	})
	for {
		text, err := reader.next()
		var closed *closeError
		switch {
		case err == nil:
			o.messages = append(o.messages, string(text))
		case errors.As(err, &closed):
			o.code = closed.code
			return o
		default:
			return o
		}
	}
}

// FuzzMessageReader sends arbitrary bytes. For every division into reads the outcome must be the same, within the
// limits, and with a known code.
func FuzzMessageReader(f *testing.F) {
	masked := func(frames ...ws.Frame) []byte {
		var b bytes.Buffer
		for _, frame := range frames {
			ws.MustWriteFrame(&b, ws.MaskFrameWith(frame, [4]byte{1, 2, 3, 4}))
		}
		return b.Bytes()
	}
	f.Add(masked(ws.NewTextFrame([]byte("hello")), ws.NewCloseFrame(nil)))
	f.Add(masked(ws.NewFrame(ws.OpText, false, []byte("a")), ws.NewPingFrame(nil),
		ws.NewFrame(ws.OpContinuation, true, []byte("b"))))
	f.Add(masked(ws.NewBinaryFrame([]byte("x"))))
	f.Add(masked(ws.NewTextFrame([]byte{0xff})))
	f.Add(masked(ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "bye"))))
	f.Add([]byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0})
	f.Add([]byte{0x81, 0x01, 'a'})
	f.Fuzz(func(t *testing.T, stream []byte) {
		whole := readStream(t, bytes.NewReader(stream))
		for _, message := range whole.messages {
			if len(message) > maxMessage || !utf8.ValidString(message) {
				t.Errorf("message of %d bytes, UTF-8 is %v", len(message), utf8.ValidString(message))
			}
		}
		if whole.code != 0 && whole.code != closeNoStatus && !mayBeSent(whole.code) {
			t.Errorf("closed with %d", whole.code)
		}
		split := readStream(t, iotest.OneByteReader(bytes.NewReader(stream)))
		if len(split.messages) != len(whole.messages) || split.code != whole.code || split.pongs != whole.pongs {
			t.Errorf("byte by byte: %+v, at once: %+v", split, whole)
		}
	})
}
