package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"signedsocket/localstage/internal/gateway"
)

// First bytes of frames: the FIN bit, the reserved bits and the opcode.
const (
	continuation = 0x00
	text         = 0x01
	finCont      = 0x80
	finText      = 0x81
	finBinary    = 0x82
	finClose     = 0x88
	finPing      = 0x89
	finPong      = 0x8a
)

// frame returns a masked frame. It is written by hand, so that no library judges itself.
func frame(first byte, payload string) []byte {
	var lengthBits byte
	var extended []byte
	switch n := len(payload); {
	case n < 126:
		lengthBits = byte(n)
	case n <= 0xffff:
		lengthBits, extended = 126, binary.BigEndian.AppendUint16(nil, uint16(n))
	default:
		lengthBits, extended = 127, binary.BigEndian.AppendUint64(nil, uint64(n))
	}
	return encoded(first, lengthBits, extended, payload)
}

// encoded returns a masked frame with the given encoding of its length.
func encoded(first, lengthBits byte, extended []byte, payload string) []byte {
	mask := [4]byte{0x12, 0x34, 0x56, 0x78}
	out := append([]byte{first, 0x80 | lengthBits}, extended...)
	out = append(out, mask[:]...)
	for i := range len(payload) {
		out = append(out, payload[i]^mask[i%4])
	}
	return out
}

func closePayload(code uint16, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, code)) + reason
}

func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

// received is one frame that the gateway sent.
type received struct {
	First   byte
	Payload string
}

// readFrame reads one frame of the gateway, which must not be masked.
func readFrame(r io.Reader) (received, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return received{}, err
	}
	length := uint64(head[1])
	switch head[1] {
	case 126:
		var extended [2]byte
		if _, err := io.ReadFull(r, extended[:]); err != nil {
			return received{}, err
		}
		length = uint64(binary.BigEndian.Uint16(extended[:]))
	case 127:
		if err := binary.Read(r, binary.BigEndian, &length); err != nil {
			return received{}, err
		}
	}
	payload := make([]byte, length)
	_, err := io.ReadFull(r, payload)
	return received{head[0], string(payload)}, err
}

// upgraded opens a connection by hand.
func (s *stage) upgraded(t testing.TB) (*net.TCPConn, *bufio.Reader) {
	t.Helper()
	c := s.dialTCP(t, upgradeHead("/prod"))
	r := bufio.NewReader(c)
	response, err := http.ReadResponse(r, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %v %v", response, err)
	}
	return c, r
}

// echoStage answers every message with its own text, so that the test sees how the gateway reads a client's frames.
func echoStage(t testing.TB) *stage {
	t.Helper()
	echo := respond(func(_ context.Context, event []byte) ([]byte, error) {
		var e proxyEvent
		if err := json.Unmarshal(event, &e); err != nil {
			return nil, err
		}
		return json.Marshal(map[string]any{"statusCode": 200, "body": *e.Body})
	})
	return newStage(t, options{message: echo, routes: func(routes []gateway.Route) []gateway.Route {
		routes[2].TwoWay = true
		return routes
	}})
}

// silent stands for a close frame without a code.
const silent = 1005

func TestFramesFollowRFC6455(t *testing.T) {
	t.Parallel()
	const euro = "\xe2\x82\xac"
	a125, a126, a32k := strings.Repeat("a", 125), strings.Repeat("a", 126), strings.Repeat("a", 32768)
	echoed := func(s string) []received { return []received{{finText, s}} }
	tests := []struct {
		name  string
		send  []byte
		want  []received // before any close frame
		close uint16     // code of the gateway's close frame; 0 for an open stream
	}{
		{"text", frame(finText, "a"), echoed("a"), 0},
		{"text of 125 bytes", frame(finText, a125), echoed(a125), 0},
		{"text of 126 bytes", frame(finText, a126), echoed(a126), 0},
		{"text outside of ASCII", frame(finText, euro), echoed(euro), 0},
		{"greatest frame", frame(finText, a32k), echoed(a32k), 0},
		{
			"greatest message",
			join(frame(text, a32k), frame(continuation, a32k), frame(continuation, a32k), frame(finCont, a32k)),
			echoed(strings.Repeat(a32k, 4)),
			0,
		},
		{"two fragments", join(frame(text, "a"), frame(finCont, "b")), echoed("ab"), 0},
		{
			"three fragments, one empty",
			join(frame(text, "a"), frame(continuation, ""), frame(finCont, "b")),
			echoed("ab"),
			0,
		},
		{"character across fragments", join(frame(text, euro[:1]), frame(finCont, euro[1:])), echoed(euro), 0},
		{"ping", frame(finPing, ""), []received{{finPong, ""}}, 0},
		{"ping with payload", frame(finPing, "here"), []received{{finPong, "here"}}, 0},
		{"ping of 125 bytes", frame(finPing, a125), []received{{finPong, a125}}, 0},
		{
			"two pings are answered in order",
			join(frame(finPing, "1"), frame(finPing, "2")),
			[]received{{finPong, "1"}, {finPong, "2"}},
			0,
		},
		{"the last character of Unicode", frame(finText, "\xf4\x8f\xbf\xbf"), echoed("\xf4\x8f\xbf\xbf"), 0},
		{"NUL and a byte order mark", frame(finText, "\xef\xbb\xbf\x00"), echoed("\xef\xbb\xbf\x00"), 0},
		{
			"ping between fragments",
			join(frame(text, "a"), frame(finPing, "p"), frame(finCont, "b")),
			[]received{{finPong, "p"}, {finText, "ab"}},
			0,
		},
		{"unsolicited pong", join(frame(finPong, "x"), frame(finText, "a")), echoed("a"), 0},
		{
			"unsolicited pong between fragments",
			join(frame(text, "a"), frame(finPong, ""), frame(finCont, "b")),
			echoed("ab"),
			0,
		},
		{
			"nothing is handled after a close",
			join(frame(finClose, ""), frame(finText, "a"), frame(finPing, "")),
			nil,
			silent,
		},
		{"close without a code", frame(finClose, ""), nil, silent},
		{"close with a reason", frame(finClose, closePayload(1000, "bye")), nil, 1000},
		{"close 3000", frame(finClose, closePayload(3000, "")), nil, 3000},
		{"close 4999", frame(finClose, closePayload(4999, "")), nil, 4999},
		{"close 1012 of the registry", frame(finClose, closePayload(1012, "")), nil, 1012},
		{"close of one byte", frame(finClose, "x"), nil, 1002},
		{"close 999", frame(finClose, closePayload(999, "")), nil, 1002},
		{"close 1004", frame(finClose, closePayload(1004, "")), nil, 1002},
		{"close 1005 on the wire", frame(finClose, closePayload(1005, "")), nil, 1002},
		{"close 1006 on the wire", frame(finClose, closePayload(1006, "")), nil, 1002},
		{"close 1015 on the wire", frame(finClose, closePayload(1015, "")), nil, 1002},
		{"close 2999", frame(finClose, closePayload(2999, "")), nil, 1002},
		{"close 5000", frame(finClose, closePayload(5000, "")), nil, 1002},
		{"close of 126 bytes", frame(finClose, closePayload(1000, a125)), nil, 1002},
		{"close reason that is not UTF-8", frame(finClose, closePayload(1000, "\xff")), nil, 1007},
		{"unmasked text", append([]byte{finText, 1}, 'a'), nil, 1002},
		{"unmasked close", []byte{finClose, 0}, nil, 1002},
		{"unmasked ping", []byte{finPing, 0}, nil, 1002},
		{"reserved bit 1, compression", frame(finText|0x40, "a"), nil, 1002},
		{"reserved bit 2", frame(finText|0x20, "a"), nil, 1002},
		{"reserved bit 3", frame(finText|0x10, "a"), nil, 1002},
		{"reserved bit on a continuation", join(frame(text, "a"), frame(finCont|0x40, "b")), nil, 1002},
		{"reserved bit on a close", frame(finClose|0x40, ""), nil, 1002},
		{"reserved bit on a ping", frame(finPing|0x40, ""), nil, 1002},
		{"opcode 3", frame(0x83, ""), nil, 1002},
		{"opcode 11", frame(0x8b, ""), nil, 1002},
		{"ping of 126 bytes", frame(finPing, a126), nil, 1002},
		{"pong of 126 bytes", frame(finPong, a126), nil, 1002},
		{"fragmented pong", frame(0x0a, ""), nil, 1002},
		{"fragmented ping", frame(0x09, ""), nil, 1002},
		{"fragmented close", frame(0x08, ""), nil, 1002},
		{"continuation of nothing", frame(finCont, "a"), nil, 1002},
		{
			"continuation after control frames only",
			join(frame(finPing, ""), frame(finPong, ""), frame(finCont, "b")),
			[]received{{finPong, ""}},
			1002,
		},
		{"text inside of a fragmented message", join(frame(text, "a"), frame(finText, "b")), nil, 1002},
		{"length of two bytes that needs one", encoded(finText, 126, []byte{0, 125}, a125), nil, 1002},
		{"length of eight bytes that needs one", encoded(finText, 127, []byte{0, 0, 0, 0, 0, 0, 0, 1}, "a"), nil, 1002},
		{"length with the highest bit", encoded(finText, 127, []byte{0x80, 0, 0, 0, 0, 0, 0, 1}, "a"), nil, 1002},
		{"text that is not UTF-8", frame(finText, "\xff"), nil, 1007},
		{"text beyond Unicode", frame(finText, "\xf4\x90\x80\x80"), nil, 1007},
		{"surrogate in text", frame(finText, "\xed\xa0\x80"), nil, 1007},
		{"overlong text", frame(finText, "\xc0\xaf"), nil, 1007},
		{"text that ends within a character", join(frame(text, "a"), frame(finCont, euro[:2])), nil, 1007},
		{"binary", frame(finBinary, "a"), nil, 1003},
		{"fragmented binary", frame(0x02, "a"), nil, 1003},
		{"frame above 32 KB", frame(finText, a32k+"a"), nil, 1009},
		{"frame that claims 2 GB", encoded(finText, 127, []byte{0, 0, 0, 0, 0x80, 0, 0, 0}, ""), nil, 1009},
		{"continuation above 32 KB", join(frame(text, "a"), frame(finCont, a32k+"a")), nil, 1009},
		{"message above 128 KB", join(frame(text, a32k), frame(continuation, a32k), frame(continuation, a32k),
			frame(continuation, a32k), frame(finCont, "a")), nil, 1009},
	}
	s := echoStage(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, r := s.upgraded(t)
			if _, err := c.Write(tt.send); err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				got, err := readFrame(r)
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Fatalf("%v %s", err, diff)
				}
			}
			if tt.close == 0 {
				tt.close = 1000
				if _, err := c.Write(frame(finClose, closePayload(1000, ""))); err != nil {
					t.Fatal(err)
				}
			}
			wantEnd(t, r, tt.close)
		})
	}
}

// wantEnd reads a close frame with that code and then the end of the stream.
func wantEnd(t *testing.T, r io.Reader, code uint16) {
	t.Helper()
	last, err := readFrame(r)
	if err != nil {
		t.Fatalf("no close frame: %v", err)
	}
	got := uint16(silent)
	if len(last.Payload) >= 2 {
		got = binary.BigEndian.Uint16([]byte(last.Payload))
	}
	if last.First != finClose || got != code {
		t.Errorf("frame %#x with code %d, want a close frame with %d", last.First, got, code)
	}
	if _, err := readFrame(r); !errors.Is(err, io.EOF) {
		t.Errorf("after the close frame: %v, want the end", err)
	}
}

func TestFrameArrivingByteByByteIsRead(t *testing.T) {
	t.Parallel()
	s := echoStage(t)
	c, r := s.upgraded(t)
	for _, b := range join(frame(text, "slow"), frame(finPing, "p"), frame(finCont, " motion")) {
		if _, err := c.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []received{{finPong, "p"}, {finText, "slow motion"}} {
		if got, err := readFrame(r); err != nil || got != want {
			t.Fatalf("got %v %v, want %v", got, err, want)
		}
	}
}

func TestManyMessagesInOneSegmentAreAllRead(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	c, _ := s.upgraded(t)
	var all []byte
	for range 100 {
		all = append(all, frame(finText, "m")...)
	}
	if _, err := c.Write(all); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		s.message.next(t)
	}
}
