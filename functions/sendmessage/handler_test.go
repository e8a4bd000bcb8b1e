package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/message"
)

func TestAMessageReachesAllMembersOfTheRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("sender=", "a=", "b=")
	w.h.now = func() time.Time { return w.now }
	w.handle("sendmessage", `{"action":"sendmessage","message":"hi","room":"lobby","id":"m1"}`)
	want := fmt.Sprintf(`{"type":"message","id":"%s","room":"lobby","from":{"sub":"alice","name":"Alice"},`+
		`"message":"hi","sentAt":%d}`,
		message.IDFor("alice", "lobby", "m1"), w.now.UnixMilli())
	for _, id := range []string{"a=", "b="} {
		w.received(id, want)
	}
	id := message.IDFor("alice", "lobby", "m1")
	w.received("sender=", want, `{"type":"ack","id":"`+id+`","clientId":"m1","recipients":3,"delivered":3,"gone":0}`)
	if w.store.touches != 1 || w.store.queries != 1 || len(w.store.removed) != 0 {
		t.Errorf("%d updates, %d queries, removed %v; want one, one and none", w.store.touches, w.store.queries,
			w.store.removed)
	}
	if log := w.log.String(); strings.Contains(log, "hi") || strings.Contains(log, "Alice") {
		t.Errorf("the log holds the message's text:\n%s", log)
	}
}

func TestAFrameWithoutActionIsAMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("sender=", "a=")
	w.handle("$default", `{"message": "hi"}`)
	for i, frame := range w.gateway.frames("sender=") {
		var got struct{ Type, ID, ClientID string }
		err := json.Unmarshal([]byte(frame), &got)
		if err != nil || got.Type != []string{"message", "ack"}[i] || got.ID != freshID || got.ClientID != "" {
			t.Errorf("frame %s, %v", frame, err)
		}
	}
	if got := w.gateway.frames("a="); len(got) != 1 {
		t.Errorf("the other got %q", got)
	}
}

func TestSenderIsAmongTheRecipientsWhateverTheRoomLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.handle("sendmessage", `{"message":"hi"}`)
	if got := w.gateway.frames("sender="); len(got) != 2 || !strings.Contains(got[1], `"recipients":1,"delivered":1`) {
		t.Errorf("the sender got %q", got)
	}
}

func TestPingIsAnsweredWithoutTheTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.handle("ping", `{"action":"ping"}`)
	w.received("sender=", `{"type":"pong"}`)
	if w.store.touches+w.store.queries != 0 {
		t.Error("the table was asked")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, route, body string
		touch             error
		rooms             []string
		want              string
	}{
		{"no JSON", "$default", `hello`, nil, nil, `{"type":"error","code":"bad_message","message":"…"}`},
		{"an unknown name", "sendmessage", `{"message":"hi","user":"bob"}`, nil, nil,
			`{"type":"error","code":"bad_message","message":"…"}`},
		{"an unknown action", "$default", `{"action":"join","room":"x"}`, nil, nil,
			`{"type":"error","code":"unknown_action","message":"…"}`},
		{"too large", "sendmessage", strings.Repeat("x", 5000), nil, nil,
			`{"type":"error","code":"too_large","message":"…"}`},
		{"not connected", "sendmessage", `{"message":"hi","id":"m1"}`, connections.ErrNotConnected, nil,
			`{"type":"error","code":"not_connected","message":"…","clientId":"m1"}`},
		{"session ended", "sendmessage", `{"message":"hi"}`, connections.ErrSessionEnded, nil,
			`{"type":"error","code":"session_ended","message":"…"}`},
		{"too often", "sendmessage", `{"message":"hi","id":"m1"}`,
			&connections.RateLimitError{RetryAfter: 2500 * time.Millisecond}, nil,
			`{"type":"error","code":"rate_limited","message":"…","clientId":"m1","retryAfterMs":2500}`},
		{"another room", "sendmessage", `{"message":"hi","room":"secret","id":"m1"}`, nil, nil,
			`{"type":"error","code":"room_not_allowed","message":"…","clientId":"m1"}`},
		{"which of two rooms", "sendmessage", `{"message":"hi","id":"m1"}`, nil, []string{"lobby", "news"},
			`{"type":"error","code":"bad_message","message":"…","clientId":"m1"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.join("a=")
			w.store.touchErr = test.touch
			if test.rooms != nil {
				w.store.sender.Rooms = nil
				for _, room := range test.rooms {
					w.store.sender.Rooms = append(w.store.sender.Rooms, connections.Membership{Room: room})
				}
			}
			w.handle(test.route, test.body)
			got := w.gateway.frames("sender=")
			if len(got) != 1 || withoutText(got[0]) != test.want {
				t.Errorf("the sender got %q, want %s", got, test.want)
			}
			if others := w.gateway.frames("a="); len(others) != 0 || w.store.queries != 0 {
				t.Errorf("others got %q after %d queries", others, w.store.queries)
			}
			lost := errors.Is(test.touch, connections.ErrNotConnected) ||
				errors.Is(test.touch, connections.ErrSessionEnded)
			if want := map[bool]int{true: 0, false: 1}[lost]; w.store.strikes != want {
				t.Errorf("%d strikes, want %d: to be late is no fault of the client's", w.store.strikes, want)
			}
			if !strings.Contains(w.log.String(), `"message":"message refused"`) {
				t.Errorf("log:\n%s", w.log)
			}
		})
	}
}

// TestAnActionOfChatV2IsNoStrikeForItsClients: it is one for clients of chat.v1, and counts as a message for others.
func TestAnActionOfChatV2IsNoStrikeForItsClients(t *testing.T) {
	t.Parallel()
	const refusal = `{"type":"error","code":"unknown_action","message":"There is no such action."}`
	for _, frame := range []string{
		`{"action":"delete","room":"lobby","seq":5}`, `{"action":"history","here":["lobby"]}`,
	} {
		for protocol, strikes := range map[int]int{1: 1, 2: 0} {
			w := newWorld(t)
			w.store.sender.Protocol = protocol
			w.handle("$default", frame)
			w.received("sender=", refusal)
			if w.store.strikes != strikes || w.store.touches != 1 {
				t.Errorf("chat.v%d, %s: %d strikes, %d counted; want %d and one", protocol, frame, w.store.strikes,
					w.store.touches, strikes)
			}
		}
	}
	w := newWorld(t)
	w.store.sender.Protocol = 2
	w.handle("$default", `{"action":"join"}`)
	w.store.touchErr = &connections.RateLimitError{RetryAfter: time.Second}
	w.handle("$default", `{"action":"delete"}`)
	if w.store.strikes != 2 {
		t.Errorf("%d strikes for an unknown action and for too many frames, want two", w.store.strikes)
	}
}

func TestTheThirdStrikeGetsABye(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store.kickAt = 3
	for range 3 {
		w.handle("$default", `hello`)
	}
	got := w.gateway.frames("sender=")
	if len(got) != 4 || got[3] != `{"type":"bye","code":"kicked"}` {
		t.Errorf("the sender got %q, want three errors and a bye", got)
	}
	if !slices.Equal(w.gateway.closed, []string{"sender="}) {
		t.Errorf("closed %q, want the sender at once", w.gateway.closed)
	}
	audit := `"message":"audit","connectionId":"sender=","routeKey":"$default","action":"kick","by":"strikes"`
	if !strings.Contains(w.log.String(), audit) ||
		!strings.Contains(w.log.String(), `"why":"bad_message","connections":1`) {
		t.Errorf("log:\n%s\nwant one line for the record", w.log)
	}
}

func TestAKickedConnectionGetsAByeAndNoAnswer(t *testing.T) {
	t.Parallel()
	for _, route := range []string{"sendmessage", "$default"} {
		w := newWorld(t)
		w.join("a=")
		w.store.touchErr, w.store.strikeErr = connections.ErrKicked, connections.ErrKicked
		w.handle(route, `{"message":"hi","room":7}`)
		w.received("sender=", `{"type":"bye","code":"kicked"}`)
		w.received("a=")
		if strings.Count(w.log.String(), `"reason":"kicked"`) != 1 ||
			!slices.Equal(w.gateway.closed, []string{"sender="}) {
			t.Errorf("closed %q, log:\n%s", w.gateway.closed, w.log)
		}
	}
}

func TestFramesOfAnEndedConnectionCostNothing(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*world){
		"not known any more": func(w *world) { w.store.touchErr = connections.ErrNotConnected },
		"session over":       func(w *world) { w.store.touchErr = connections.ErrSessionEnded },
		"kicked":             func(w *world) { w.store.touchErr = connections.ErrKicked },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			end(w)
			w.gateway.closeErr = errors.New("throttled") // so that more frames come
			for range 100 {
				w.handle("sendmessage", `{"message":"hi"}`)
				w.handle("ping", `{"action":"ping"}`)
				w.handle("$default", `hello`)
			}
			if len(w.gateway.frames("sender=")) != 1 || w.store.touches != 1 || w.store.strikes != 0 {
				t.Errorf("%d answers, %d writes, %d strikes; want one answer and one write",
					len(w.gateway.frames("sender=")), w.store.touches, w.store.strikes)
			}
			if closes := len(w.gateway.closed); closes < 2 || closes > 12 {
				t.Errorf("%d tries to close, want a few", closes)
			}
		})
	}
}

func TestAFloodOfPingsCountsAsMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store.kickAt = 3
	for range freePings {
		w.handle("ping", `{"action":"ping"}`)
	}
	if w.store.touches != 0 || len(w.gateway.frames("sender=")) != freePings {
		t.Errorf("%d writes for the pings of a good client, want none", w.store.touches)
	}
	for range 20 {
		w.handle("ping", `{"action":"ping"}`)
	}
	if w.store.touches != 20 {
		t.Errorf("%d of 20 pings counted", w.store.touches)
	}
	w.store.touchErr = &connections.RateLimitError{RetryAfter: time.Second}
	for range 10 {
		w.handle("ping", `{"action":"ping"}`)
	}
	if w.store.strikes != 3 || !slices.Equal(w.gateway.closed[:1], []string{"sender="}) {
		t.Errorf("%d strikes, closed %q; want the third strike to close the connection", w.store.strikes,
			w.gateway.closed)
	}
}

func TestPingsOfOthersAndOfAnotherTimeAreNotCountedTogether(t *testing.T) {
	t.Parallel()
	w, now := newWatch(), time.Now()
	for i := range 2 * freePings {
		if free := w.isFreePing("a=", now); free != (i < freePings) {
			t.Errorf("ping %d: free is %t", i+1, free)
		}
	}
	if !w.isFreePing("b=", now) || !w.isFreePing("a=", now.Add(pingWindow)) ||
		!w.isFreePing("a=", now.Add(-time.Hour)) {
		t.Error("a ping that is not one too many was counted")
	}
	for i := range 2 * maxWatched {
		w.isFreePing(fmt.Sprint(i), now)
	}
	if len(w.pings) > maxWatched {
		t.Errorf("remembers %d connections, want at most %d", len(w.pings), maxWatched)
	}
}

func TestAFrameIsRefusedEvenIfItsStrikeIsNotCounted(t *testing.T) {
	t.Parallel()
	for _, err := range []error{errors.New("no route to table"), connections.ErrNotConnected} {
		w := newWorld(t)
		w.store.strikeErr = err
		w.handle("$default", `hello`)
		if got := w.gateway.frames("sender="); len(got) != 1 || !strings.Contains(got[0], "bad_message") {
			t.Errorf("%v: the sender got %q", err, got)
		}
	}
}

func TestPanicIsAFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.h.newID = func(time.Time) (string, error) { panic("pop.secret") }
	w.fails("sendmessage", `{"message":"hi"}`, logging.ErrPanic)
	if strings.Contains(w.log.String(), "secret") {
		t.Errorf("log:\n%s", w.log)
	}
}

// withoutText replaces the sentence for people in an error frame.
func withoutText(frame string) string {
	before, rest, _ := strings.Cut(frame, `"message":"`)
	_, after, _ := strings.Cut(rest, `"`)
	return before + `"message":"…"` + after
}

func TestNamedRoomIsUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store.sender.Rooms = append(w.store.sender.Rooms, connections.Membership{Room: "news"})
	w.handle("sendmessage", `{"message":"hi","room":"news"}`)
	if w.store.room != "news" {
		t.Errorf("asked for the members of %q", w.store.room)
	}
}

func TestAClientIDInAnotherRoomIsAnotherMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store.sender.Rooms = append(w.store.sender.Rooms, connections.Membership{Room: "news"})
	ids := make(map[string]bool)
	for _, room := range []string{"lobby", "news", "lobby"} {
		w.handle("sendmessage", `{"message":"hi","room":"`+room+`","id":"m1"}`)
		var ack struct{ Type, ID, ClientID string }
		if err := json.Unmarshal([]byte(w.last()), &ack); err != nil || ack.Type != "ack" || ack.ClientID != "m1" {
			t.Fatalf("ack %s, %v", w.last(), err)
		}
		ids[ack.ID] = true
	}
	if len(ids) != 2 {
		t.Errorf("messages to two rooms, one of them sent again, have %d ids: %v", len(ids), ids)
	}
}

func TestFaultsAreErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("no route to table")
	t.Run("sender cannot be read", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.store.touchErr = broken
		w.fails("sendmessage", `{"message":"hi"}`, broken)
		w.received("sender=")
	})
	t.Run("room cannot be read", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.join("a=")
		w.store.membersErr = broken
		w.fails("sendmessage", `{"message":"hi"}`, broken)
		if got := w.gateway.frames("a="); len(got) != 1 {
			t.Errorf("the members of the first page got %q", got)
		}
	})
	t.Run("the client cannot be told", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		denied := errors.New("not authorized to perform: execute-api:ManageConnections")
		w.gateway.fail = func(string, int) error { return denied }
		w.fails("sendmessage", `{"message":"hi"}`, denied)
		w.fails("sendmessage", `x`, denied)
		w.fails("ping", `{"action":"ping"}`, denied)
	})
	t.Run("no id", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.h.newID = func(time.Time) (string, error) { return "", broken }
		w.fails("sendmessage", `{"message":"hi"}`, broken)
	})
	t.Run("another route", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.fails("$connect", ``, nil)
	})
}

func TestAckThatDoesNotArriveIsNoFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.gateway.fail = func(_ string, earlier int) error {
		if earlier == 1 {
			return errors.New("connection reset")
		}
		return nil
	}
	w.handle("sendmessage", `{"message":"hi"}`)
	if !strings.Contains(w.log.String(), "ack not delivered") {
		t.Errorf("log:\n%s", w.log)
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"TABLE_NAME": "table", "CALLBACK_URL": "https://host/prod", "STACK_NAME": "chat", "FANOUT_URL": address,
		"ROOM_SHARDS": "3", "MESSAGES_PER_WINDOW": "7", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
	}
	c, err := readConfig(good)
	if err != nil || c.RoomShards != 3 || c.MessagesPerWindow != 7 || c.FanoutThreshold != 2000 || c.MemoryMB != 512 {
		t.Errorf("readConfig = %+v, %v", c, err)
	}
	_, err = readConfig(map[string]string{"ROOM_SHARDS": "x"})
	for _, name := range []string{"TABLE_NAME", "CALLBACK_URL", "STACK_NAME", "FANOUT_URL", "RoomShards"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("err = %v, want all problems, %s among them", err, name)
		}
	}
	for _, name := range []string{"ROOM_SHARDS", "MESSAGES_PER_WINDOW", "FANOUT_THRESHOLD"} {
		wrong := maps.Clone(good)
		wrong[name] = "0"
		if _, err := readConfig(wrong); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=0: err = %v", name, err)
		}
	}
}
