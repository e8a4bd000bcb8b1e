package gateway_test

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"signedsocket/localstage/internal/clock/clocktest"
	"signedsocket/localstage/internal/gateway"
)

// TestIdleConnectionsAreHeld keeps a thousand connections without traffic for almost the whole idle time, then posts to
// each. make bench-stage holds ten times as many, and judges the memory that this test only logs.
func TestIdleConnectionsAreHeld(t *testing.T) {
	t.Parallel()
	const connections = 1000
	clock := clocktest.New()
	s := newStage(t, options{cfg: gateway.Config{Clock: clock}})
	before, clients := memoryInUse(), make([]net.Conn, connections)
	for i := range clients {
		clients[i] = dialIdle(t, s.host)
		t.Cleanup(func() { _ = clients[i].Close() })
	}
	t.Logf("%d bytes a connection, both ends and whatever other tests do meanwhile", (memoryInUse()-before)/connections)
	clock.Move(10*time.Minute - time.Nanosecond)
	infos := s.Connections()
	if len(infos) != connections {
		t.Fatalf("%d connections are held, want %d", len(infos), connections)
	}
	for _, info := range infos {
		s.post(t, info.ConnectionID, "hi", 200)
	}
	for _, c := range clients {
		frame := make([]byte, len("\x81\x02hi"))
		if _, err := io.ReadFull(bufio.NewReader(c), frame); err != nil || string(frame) != "\x81\x02hi" {
			t.Fatalf("a client got %q: %v", frame, err)
		}
	}
}
