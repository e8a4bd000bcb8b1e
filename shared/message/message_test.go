package message

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
)

// TestIDFor reads the table that the browser client's tests read too.
func TestIDFor(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/ids.json")
	if err != nil {
		t.Fatal(err)
	}
	var examples []struct {
		Name     string `json:"name"`
		Subject  string `json:"sub"`
		Room     string `json:"room"`
		ClientID string `json:"clientId"`
		ID       string `json:"id"`
	}
	if err := json.Unmarshal(data, &examples); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]string, len(examples))
	for _, example := range examples {
		if got := IDFor(example.Subject, example.Room, example.ClientID); got != example.ID {
			t.Errorf("%s: id %q, want %q", example.Name, got, example.ID)
		}
		if len(example.ID) != ulid.EncodedSize {
			t.Errorf("%s: an id of %d letters, unlike a ULID", example.Name, len(example.ID))
		}
		if other, found := seen[example.ID]; found {
			t.Errorf("%s has the id of %s", example.Name, other)
		}
		seen[example.ID] = example.Name
	}
	if len(seen) < 8 {
		t.Errorf("%d examples", len(seen))
	}
}

// TestNoClientCanForgeTheIDOfANote: a message under the id of a note would keep the note out of the log.
func TestNoClientCanForgeTheIDOfANote(t *testing.T) {
	t.Parallel()
	note := NoteIDFor("alice", "lobby", 17)
	ids := map[string]string{
		"a message named by the number": IDFor("alice", "lobby", "17"),
		"another number":                NoteIDFor("alice", "lobby", 18),
		"another room":                  NoteIDFor("alice", "lobby2", 17),
		"another user":                  NoteIDFor("alice2", "lobby", 17),
		"an erasure":                    ErasureIDFor("alice", "lobby", "17"),
		"another erasure":               ErasureIDFor("alice", "lobby", "18"),
	}
	seen := map[string]string{note: "the note"}
	for name, id := range ids {
		if other, found := seen[id]; found {
			t.Errorf("%s has the id of %s", name, other)
		}
		seen[id] = name
	}
	if again := NoteIDFor("alice", "lobby", 17); again != note || len(note) != idLength {
		t.Errorf("ids %q and %q", note, again)
	}
	for _, id := range []string{"delete\x0017", "a\x00b"} {
		frame := `{"message":"hi","id":"` + strings.ReplaceAll(id, "\x00", `\u0000`) + `"}`
		if _, code := Decode(frame); code != BadMessage {
			t.Errorf("a client named its message %q", id)
		}
	}
}

func TestErasedHash(t *testing.T) {
	t.Parallel()
	// printf 'lobby\0alice' | sha256sum | xxd -r -p | base32
	if got := ErasedHash("lobby", "alice"); got != "lzcml5goppuh3ayzkwsqft3mgn" {
		t.Errorf("hash %s", got)
	}
}

func TestNewIDSortsByTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	first, err := NewID(now)
	if err != nil {
		t.Fatal(err)
	}
	second, err := NewID(now.Add(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != idLength || first >= second {
		t.Errorf("ids %q and %q", first, second)
	}
	if _, err := NewID(time.UnixMilli(-1)); err == nil {
		t.Error("an id for a time before 1970")
	}
}

func TestFrames(t *testing.T) {
	t.Parallel()
	sent := time.UnixMilli(1795327200123)
	tests := []struct {
		name  string
		frame interface{ Encode() ([]byte, error) }
		want  string
	}{
		{"message", Message{ID: "1", Room: "lobby", From: Sender{"alice", "Alice"}, Text: "a<b>\n\"", SentAt: sent},
			`{"type":"message","id":"1","room":"lobby","from":{"sub":"alice","name":"Alice"},` +
				`"message":"a<b>\n\"","sentAt":1795327200123}`},
		{"ack", Ack{ID: "1", ClientID: "c", Recipients: 3, Delivered: 2, Gone: 1},
			`{"type":"ack","id":"1","clientId":"c","recipients":3,"delivered":2,"gone":1}`},
		{"ack in a large room", Ack{ID: "1", Recipients: 9, Delivered: 3, Gone: 1, Queued: 5},
			`{"type":"ack","id":"1","recipients":9,"delivered":3,"gone":1,"queued":5}`},
		{"ack without client id", Ack{ID: "1"}, `{"type":"ack","id":"1","recipients":0,"delivered":0,"gone":0}`},
		{"error", Error{Code: BadMessage},
			`{"type":"error","code":"bad_message","message":"The frame is not a valid message."}`},
		{"error with all", Error{Code: RateLimited, ClientID: "c", RetryAfter: time.Millisecond + 1},
			`{"type":"error","code":"rate_limited","message":"Too many messages, wait a moment.",` +
				`"clientId":"c","retryAfterMs":2}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := test.frame.Encode()
			if err != nil || string(got) != test.want {
				t.Errorf("frame %s, %v; want %s", got, err, test.want)
			}
		})
	}
	if got := string(EncodePong()); got != `{"type":"pong"}` {
		t.Errorf("pong %s", got)
	}
	if got, err := EncodeBye(Evicted); err != nil || string(got) != `{"type":"bye","code":"evicted"}` {
		t.Errorf("bye %s, %v", got, err)
	}
}

func TestEveryCodeHasAText(t *testing.T) {
	t.Parallel()
	other := Code("other").text()
	for _, code := range codes() {
		if text := code.text(); text == other || !strings.HasSuffix(text, ".") {
			t.Errorf("%s says %q", code, text)
		}
	}
}

func TestEncodeRefusesInvalidText(t *testing.T) {
	t.Parallel()
	if frame, err := (Message{Text: "\xff"}).Encode(); err == nil {
		t.Errorf("frame %q", frame)
	}
}
