package e2e_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage/stagetest"
)

// logLine has the members by which a line of a function is found.
type logLine struct{ Message, ConnectionID, RequestID, SubHash, Level, Action, By string }

func linesOf(t *testing.T, stage *stagetest.Stage, function string) []logLine {
	t.Helper()
	var lines []logLine
	for _, text := range stage.Lines(function) {
		var line logLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Errorf("%s has logged a line that is no JSON: %s", function, text)
		}
		lines = append(lines, line)
	}
	return lines
}

// awaitLine waits until a function logs a line with the given message.
func awaitLine(t *testing.T, stage *stagetest.Stage, function, message string) logLine {
	t.Helper()
	for ctx := within(t); ; <-time.After(5 * time.Millisecond) {
		lines := linesOf(t, stage, function)
		if i := slices.IndexFunc(lines, func(l logLine) bool { return l.Message == message }); i >= 0 {
			return lines[i]
		}
		if ctx.Err() != nil {
			t.Fatalf("%s has not logged %q, but %+v", function, message, lines)
		}
	}
}

// TestTheLinesOfOneConnectionAreFoundInTheLogs: a user reports the gateway's error frame. The connection id in it leads
// through all functions that know the connection. The user's hash leads to signurl, which does not know it yet.
func TestTheLinesOfOneConnectionAreFoundInTheLogs(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{Edit: withoutStatement("ReadAndCountSender")})
	conn := connect(t, client, "alice")
	send(t, conn, "hello", "1")
	frame := await[stageclient.GatewayError](t, conn)
	if frame.ConnectionID == "" || frame.RequestID == "" {
		t.Fatalf("the gateway's frame names neither connection nor request: %+v", frame)
	}
	_ = conn.Close()
	connected := awaitLine(t, stage, "ConnectFunction", "connected")
	for _, line := range []logLine{
		connected,
		awaitLine(t, stage, "SendMessageFunction", "frame failed"),
		awaitLine(t, stage, "DisconnectFunction", "disconnected"),
	} {
		if line.ConnectionID != frame.ConnectionID || line.RequestID == "" {
			t.Errorf("%+v is not found by the connection %s", line, frame.ConnectionID)
		}
	}
	if signed := awaitLine(t, stage, "SignUrlFunction", "URL signed"); signed.SubHash == "" ||
		signed.SubHash != connected.SubHash || signed.RequestID == "" {
		t.Errorf("signurl's line %+v and connect's %+v have no user in common", signed, connected)
	}
}
