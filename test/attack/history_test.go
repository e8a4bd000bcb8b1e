package attack_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
)

// withHistory lets a stage keep messages.
func withHistory() stagetest.Options {
	return stagetest.Options{Parameters: map[string]string{"HistoryDays": "7", "MessagesPerWindow": "1000"}}
}

// refused sends a frame. The next frame but pushed messages must be an error with a code.
func refused(t *testing.T, conn *stageclient.Conn, frame, code string) {
	t.Helper()
	if err := conn.SendText(clienttest.Within(t), frame); err != nil {
		t.Fatalf("%s: %v", frame, err)
	}
	for {
		answer, err := conn.Next(clienttest.Within(t))
		if _, pushed := answer.(stageclient.Message); pushed {
			continue
		}
		if got, ok := answer.(stageclient.Error); err != nil || !ok || got.Code != code {
			t.Errorf("%s: answered %#v (%v), want %s", frame, answer, err, code)
		}
		return
	}
}

// want is a frame that asks for a part of a room's log.
func want(room, part string) string {
	return fmt.Sprintf(`{"action":"history","want":[{"room":%q,%s}]}`, room, part)
}

// TestAUserReadsOnlyTheLogsOfTheirRooms: the record of the connection names the rooms, whatever the frame says.
func TestAUserReadsOnlyTheLogsOfTheirRooms(t *testing.T) {
	t.Parallel()
	s := open(t, withHistory())
	vault, proof := grant(func(g *stageclient.Grant) { g.Sub, g.Name, g.Rooms = "keeper", "Keeper", []string{"vault"} })
	keeper, err := clienttest.Dial(t, s.client, clienttest.Presign(t, s.client, signURLFunction, vault).URL,
		proof.Verifier, nil)
	if err != nil {
		t.Fatal(err)
	}
	clienttest.Send(t, keeper, "a secret of the vault", "k-1")
	stored := clienttest.Await[stageclient.Ack](t, keeper)
	if stored.Seq == 0 {
		t.Fatalf("acknowledged as %+v: the secret is not stored, and the test shows nothing", stored)
	}
	frames := []string{
		want("vault", `"last":100`), want("vault", fmt.Sprintf(`"after":%d`, stored.Seq-1)),
		want("vault", `"before":9007199254740991`), want("VAULT", `"last":1`), want("vault#0", `"last":1`),
		want("LOG#vault", `"last":1`), want("lobby.vault", `"last":1`), want("*", `"last":1`),
		`{"action":"history","want":[{"room":"lobby","last":1},{"room":"vault","last":1}]}`,
		`{"action":"history","here":["vault"]}`, `{"action":"history","read":{"vault":1}}`,
		`{"action":"history","want":[{"room":"lobby","last":1}],"read":{"vault":1}}`,
	}
	for i, frame := range frames {
		mallory := clienttest.ConnectWithHistory(t, s.client, fmt.Sprint("mallory-", i)) // strikes follow a user
		s.unharmed(t, []string{historyFunction}, func() { refused(t, mallory, frame, "room_not_allowed") })
		_ = mallory.Close()
		s.settled(t, 3)
	}
}

// TestForgedRequestsForThePastAreRefused: numbers that no client can have seen, and frames that parsers read
// differently.
func TestForgedRequestsForThePastAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t, withHistory())
	tomorrow := time.Now().Add(24 * time.Hour).UnixMilli()
	frames := map[string]string{
		"a negative number":       want("lobby", `"after":-1`),
		"a number of tomorrow":    want("lobby", fmt.Sprintf(`"after":%d`, tomorrow)),
		"the largest number":      want("lobby", `"after":9007199254740991`),
		"a number beyond 53 bits": want("lobby", `"after":9007199254740992`),
		"a number beyond 64 bits": want("lobby", `"after":18446744073709551617`),
		"a fraction":              want("lobby", `"after":0.5`),
		"an exponent":             want("lobby", `"after":1e3`),
		"a text":                  want("lobby", `"after":"0"`),
		"before the first number": want("lobby", `"before":0`),
		"before and last":         want("lobby", `"before":5,"last":5`),
		"after and before":        want("lobby", `"after":5,"before":5`),
		"after twice":             want("lobby", `"after":5,"after":0`),
		"another letter case":     want("lobby", `"After":0`),
		"101 messages":            want("lobby", `"last":101`),
		"a limit of none":         want("lobby", `"before":5,"limit":0`),
		"a huge limit":            want("lobby", `"before":5,"limit":2147483648`),
		"another user's name":     want("lobby", `"last":5,"sub":"victim"`),
		"a room twice":            want("lobby", `"last":5},{"room":"lobby","last":5`),
		"nine rooms":              want("lobby", `"last":5`+strings.Repeat(`},{"room":"lobby","last":5`, 8)),
		"nothing":                 `{"action":"history"}`,
		"empty lists":             `{"action":"history","want":[],"here":[],"read":{}}`,
		"a negative marker":       `{"action":"history","read":{"lobby":-1}}`,
		"a marker twice":          `{"action":"history","read":{"lobby":1,"lobby":2}}`,
	}
	users := 0
	for name, frame := range frames {
		mallory := clienttest.ConnectWithHistory(t, s.client, fmt.Sprint("mallory-", users))
		users++
		t.Log(name)
		s.unharmed(t, []string{historyFunction}, func() { refused(t, mallory, frame, "bad_message") })
		_ = mallory.Close()
		s.settled(t, 2)
	}
	mallory := clienttest.ConnectWithHistory(t, s.client, "mallory-large")
	s.unharmed(t, []string{historyFunction}, func() {
		refused(t, mallory, want("lobby", `"last":5`)+strings.Repeat(" ", 4<<10), "too_large")
	})
}

// TestAClientOfChatV1GetsNoHistory: to it the action is as unknown as it was before, and three of them end the
// connection.
func TestAClientOfChatV1GetsNoHistory(t *testing.T) {
	t.Parallel()
	s := open(t, withHistory())
	mallory := clienttest.Connect(t, s.client, "mallory")
	for range 2 {
		refused(t, mallory, want("lobby", `"last":5`), "unknown_action")
	}
	if err := mallory.SendText(clienttest.Within(t), want("lobby", `"after":0`)); err != nil {
		t.Fatal(err)
	}
	if bye := clienttest.Await[stageclient.Bye](t, mallory); bye.Code != "kicked" {
		t.Errorf("said bye with %q, want kicked", bye.Code)
	}
	s.nothingDelivered(t)
}

// TestAFloodOfRequestsForThePastIsStopped: one connection asks as fast as it can. At most the limit of one window
// passes, or of two when a window ends meanwhile. The third refusal ends the connection.
func TestAFloodOfRequestsForThePastIsStopped(t *testing.T) {
	t.Parallel()
	s := open(t, withHistory())
	mallory := clienttest.ConnectWithHistory(t, s.client, "mallory")
	const flood, limit = 100, 20
	for range flood {
		if err := mallory.SendText(clienttest.Within(t), want("lobby", `"last":100`)); err != nil {
			break // the connection is closed, and so the flood ends
		}
	}
	answers, limited := 0, false
	for {
		frame, err := mallory.Next(clienttest.Within(t))
		if err != nil {
			break
		}
		switch f := frame.(type) {
		case stageclient.History:
			answers++
		case stageclient.Error:
			limited = limited || f.Code == "rate_limited"
		case stageclient.Bye:
			if f.Code != "kicked" {
				t.Errorf("said bye with %q, want kicked", f.Code)
			}
		}
	}
	if answers == 0 || answers > 2*limit || !limited {
		t.Errorf("%d of %d requests were answered, limited is %t; want at most %d", answers, flood, limited, 2*limit)
	}
	s.nothingDelivered(t)
}

// TestAnEndedSessionReadsNoHistory waits for the end of a short session. Then the connection gets an answer that says
// so, or is closed, and never a page.
func TestAnEndedSessionReadsNoHistory(t *testing.T) {
	t.Parallel()
	s := open(t, withHistory())
	mallory := s.ended(t, func(url, verifier string) (*stageclient.Conn, error) {
		return clienttest.DialWithHistory(t, s.client, url, verifier)
	})
	_ = mallory.SendText(clienttest.Within(t), want("lobby", `"last":100`)) // it may be closed by now
	for {
		frame, err := mallory.Next(clienttest.Within(t))
		if closed, ok := errors.AsType[*stageclient.ClosedError](err); ok {
			t.Logf("closed with %d", closed.Code) // by the sweep, which was faster
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		switch f := frame.(type) {
		case stageclient.History, stageclient.Synced:
			t.Errorf("a session that had ended was answered %+v", f)
			return
		case stageclient.Error:
			if f.Code != "session_ended" {
				t.Errorf("answered %+v, want session_ended", f)
			}
			return
		}
	}
}
