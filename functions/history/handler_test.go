package main

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/roomlog"
)

func TestAClientReadsTheRoomsOfItsConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ask(`{"action":"history","want":[{"room":"lobby","after":13},{"room":"news","after":0}],"id":"h7"}`)
	w.received(
		`{"type":"history","room":"lobby","clientId":"h7","after":13,"entries":[`+shown(14)+`,`+shown(15)+
			`],"head":15,"complete":true,"more":false,"keepDays":7}`,
		`{"type":"synced","clientId":"h7","heads":{"news":0}}`)
	w.ask(`{"action":"history","want":[{"room":"news","after":0},{"room":"lobby","after":15}]}`)
	w.received(`{"type":"synced","heads":{"lobby":15,"news":0}}`)
	w.ask(`{"action":"history","want":[{"room":"news","last":5},{"room":"lobby","before":14,"limit":2}]}`)
	w.received(`{"type":"history","room":"news","last":5,"entries":[],"head":0,"more":false,"keepDays":7}`,
		`{"type":"history","room":"lobby","before":14,"entries":[`+shown(12)+`,`+shown(13)+
			`],"head":15,"more":true,"keepDays":7}`)
	w.ask(`{"action":"history","want":[{"room":"lobby","after":8},{"room":"news","after":20}]}`)
	all := shown(11) + `,` + shown(12) + `,` + shown(13) + `,` + shown(14) + `,` + shown(15)
	w.received(`{"type":"history","room":"lobby","after":8,"entries":[`+all+
		`],"head":15,"complete":false,"more":false,"keepDays":7}`,
		`{"type":"history","room":"news","after":20,"entries":[],"head":0,"complete":false,"more":false,"keepDays":7}`)
	if w.store.counted != 4 || w.store.strikes != 0 {
		t.Errorf("%d requests counted, %d strikes; want 4 and none", w.store.counted, w.store.strikes)
	}
	log := w.log.String()
	for _, secret := range []string{"text 1", "Bob", "lobby", "news", "h7"} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log:\n%s", secret, log)
		}
	}
	if strings.Count(log, `"HistoryRequests":1`) != 4 {
		t.Errorf("the log does not count four requests:\n%s", log)
	}
}

func TestEveryKindOfEntryIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	deleted, note := entry(12), entry(13)
	deleted.Text, deleted.Deleted = "", true
	note.Text, note.Of = "", 12
	erased := roomlog.Entry{Seq: 14, ID: "x", Erased: "abcdefghijklmnopqrstuvwxyz", At: time.UnixMilli(1014)}
	w.rooms.entries["lobby"] = []roomlog.Entry{entry(11), deleted, note, erased}
	w.ask(`{"action":"history","want":[{"room":"lobby","last":4}]}`)
	w.received(`{"type":"history","room":"lobby","last":4,"entries":[` + shown(11) +
		`,{"seq":12,"id":"` + deleted.ID + `","deleted":true}` +
		`,{"seq":13,"of":12,"from":{"sub":"bob","name":"Bob"},"sentAt":1013}` +
		`,{"seq":14,"erased":"abcdefghijklmnopqrstuvwxyz","sentAt":1014}],"head":14,"more":false,"keepDays":7}`)
}

func TestWithoutHistoryEveryRoomIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.h.keepDays, w.h.rooms = 0, roomlog.New(nil, "table", 0)
	w.ask(`{"action":"history","want":[{"room":"lobby","after":0},{"room":"news","last":5}]}`)
	w.received(
		`{"type":"history","room":"lobby","after":0,"entries":[],"head":0,"complete":true,"more":false,`+
			`"keepDays":0}`,
		`{"type":"history","room":"news","last":5,"entries":[],"head":0,"more":false,"keepDays":0}`)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	want := func(members string) string { return `{"action":"history","id":"h7","want":[{` + members + `}]}` }
	good := want(`"room":"lobby","last":5`)
	fails := func(err error) func(*world) { return func(w *world) { w.store.countErr = err } }
	tests := []struct {
		name, body string
		change     func(*world)
		want       string
		strikes    int
	}{
		{"a forged number", want(`"room":"lobby","after":-1`), nil, "bad_message", 1},
		{"two parts", want(`"room":"lobby","after":1,"last":1`), nil, "bad_message", 1},
		{"too large", `{"id":"h7"` + strings.Repeat(" ", 4096) + `}`, nil, "too_large", 1},
		{"another room", want(`"room":"lobby","last":5},{"room":"ops","last":5`), nil, "room_not_allowed", 1},
		{"members of another room", `{"action":"history","here":["ops"],"id":"h7"}`, nil, "room_not_allowed", 1},
		{"a marker of another room", `{"action":"history","read":{"lobby":1,"ops":1},"id":"h7"}`, nil,
			"room_not_allowed", 1},
		{"a room in capital letters", want(`"room":"LOBBY","last":5`), nil, "room_not_allowed", 1},
		{"a client of chat.v1", good, func(w *world) { w.store.sender.Protocol = 1 }, "unknown_action", 1},
		{"an unknown client", good, fails(connections.ErrNotConnected), "not_connected", 0},
		{"an ended session", good, fails(connections.ErrSessionEnded), "session_ended", 0},
		{"a flood", good, fails(&connections.RateLimitError{RetryAfter: 2500 * time.Millisecond}),
			`rate_limited","retryAfterMs":2500`, 1},
		{"too many at once", good, fails(&connections.RateLimitError{RetryAfter: 2500 * time.Millisecond, Fewer: true}),
			`rate_limited","retryAfterMs":2500`, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if test.change != nil {
				test.change(w)
			}
			w.ask(test.body)
			code, wait, _ := strings.Cut(test.want, `",`)
			got := strings.Join(w.gateway.posted, "\n")
			if len(w.gateway.posted) != 1 || !strings.HasPrefix(got, `{"type":"error","code":"`+code+`"`) ||
				!strings.Contains(got, wait) || code != "too_large" && !strings.Contains(got, `"clientId":"h7"`) {
				t.Errorf("the client got %s, want %s", got, test.want)
			}
			if w.store.strikes != test.strikes || w.rooms.reads != 0 {
				t.Errorf("%d strikes and %d rooms read, want %d and none", w.store.strikes, w.rooms.reads, test.strikes)
			}
			if ended := test.strikes == 0 && code != "rate_limited"; (w.gateway.closed == 1) != ended {
				t.Errorf("closed %d times, want %t", w.gateway.closed, ended)
			}
			if !strings.Contains(w.log.String(), `"reason":"`+code+`"`) {
				t.Errorf("log:\n%s", w.log)
			}
		})
	}
}

func TestARoomThatCannotBeRead(t *testing.T) {
	t.Parallel()
	const both = `{"action":"history","want":[{"room":"lobby","last":5},{"room":"news","after":9}],"id":"h7"}`
	w := newWorld(t)
	w.rooms.err = fmt.Errorf("%w: throttled", roomlog.ErrBusy)
	w.ask(both)
	w.received(`{"type":"error","code":"busy","message":"The room is busy, try again in a moment.",` +
		`"clientId":"h7","retryAfterMs":2000}`)
	if w.store.strikes != 0 {
		t.Error("a busy room is no fault of the client's")
	}
	w.rooms.err = roomlog.ErrAhead
	w.ask(both)
	w.received(`{"type":"error","code":"bad_message","message":"The frame is not a valid message.","clientId":"h7"}`)
	if w.store.strikes != 1 {
		t.Errorf("%d strikes for a number of the future, want one", w.store.strikes)
	}
}

func TestFaultsAreErrors(t *testing.T) {
	t.Parallel()
	const good = `{"action":"history","want":[{"room":"lobby","last":5}]}`
	broken := errors.New("no route to table")
	for name, test := range map[string]struct {
		change      func(*world)
		route, body string
		want        error
	}{
		"the connection cannot be read": {func(w *world) { w.store.countErr = broken }, "history", good, broken},
		"a room cannot be read":         {func(w *world) { w.rooms.err = broken }, "history", good, broken},
		"the client cannot be told":     {func(w *world) { w.gateway.err = errDenied }, "history", good, errDenied},
		"nor of a refusal":              {func(w *world) { w.gateway.err = errDenied }, "history", `x`, errDenied},
		"a text that is none": {func(w *world) { w.rooms.entries["lobby"][0].Text = "\xff" }, "history",
			good, nil},
		"a panic": {func(w *world) { w.rooms.hold = func(string) { panic("pop.secret") } }, "history", good,
			logging.ErrPanic},
		"another route": {func(*world) {}, "$default", good, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			test.change(w)
			err := w.serve(test.route, test.body)
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("err = %v, want %v", err, test.want)
			}
			if log := w.log.String(); !strings.Contains(log, `"level":"ERROR"`) || strings.Contains(log, "secret") {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}

func TestAClientThatHasLeftIsNoFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.gateway.err = fmt.Errorf("post: %w", callback.ErrGone)
	w.ask(`{"action":"history","want":[{"room":"lobby","last":5}]}`)
}

func TestTheThirdStrikeEndsTheConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store.kickAt = 3
	w.gateway.closeErr = errors.New("throttled") // so that more frames come
	for range 100 {
		w.ask(`{"action":"history","want":[{"room":"ops","last":5}]}`)
	}
	if got := w.gateway.posted; len(got) != 4 || got[3] != `{"type":"bye","code":"kicked"}` {
		t.Errorf("the client got %q, want three errors and a bye", got)
	}
	if w.store.counted != 3 || w.store.strikes != 3 || w.rooms.reads != 0 {
		t.Errorf("%d requests counted, %d strikes, %d rooms read; want 3, 3 and none", w.store.counted, w.store.strikes,
			w.rooms.reads)
	}
}

func TestAKickedClientGetsAByeAndNoAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store.countErr = connections.ErrKicked
	for range 5 {
		w.ask(`{"action":"history","want":[{"room":"lobby","last":5}]}`)
	}
	w.received(`{"type":"bye","code":"kicked"}`)
	if w.store.counted != 1 || w.rooms.reads != 0 || w.gateway.closed == 0 {
		t.Errorf("%d requests counted, %d rooms read, closed %d times", w.store.counted, w.rooms.reads,
			w.gateway.closed)
	}
}

// TestRoomsAreReadAtTheSameTime: each read waits until all eight have begun.
func TestRoomsAreReadAtTheSameTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all sync.WaitGroup
	var wants []string
	w.store.sender.Rooms = nil
	for i := range 8 {
		room := fmt.Sprint("r", i)
		w.store.sender.Rooms = append(w.store.sender.Rooms, connections.Membership{Room: room})
		wants = append(wants, `{"room":"`+room+`","after":0}`)
	}
	all.Add(8)
	w.rooms.hold = func(string) {
		all.Done()
		all.Wait()
	}
	w.ask(`{"action":"history","want":[` + strings.Join(wants, ",") + `]}`)
	w.received(`{"type":"synced","heads":{"r0":0,"r1":0,"r2":0,"r3":0,"r4":0,"r5":0,"r6":0,"r7":0}}`)
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	good := map[string]string{"TABLE_NAME": "table", "CALLBACK_URL": "https://host/prod", "STACK_NAME": "chat"}
	if c, err := readConfig(good); err != nil || c.HistoryDays != 0 {
		t.Errorf("readConfig = %+v, %v", c, err)
	}
	good["HISTORY_DAYS"] = "7"
	if c, err := readConfig(good); err != nil || c.HistoryDays != 7 {
		t.Errorf("readConfig = %+v, %v", c, err)
	}
	good["HISTORY_DAYS"], good["PRESENCE_LIMIT"], good["ROOM_SHARDS"] = "-1", "-1", "0"
	_, err := readConfig(good)
	for _, name := range []string{"HISTORY_DAYS", "PRESENCE_LIMIT", "ROOM_SHARDS"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("err = %v, want all problems, %s among them", err, name)
		}
	}
	_, err = readConfig(map[string]string{"HISTORY_DAYS": "x"})
	for _, name := range []string{"TABLE_NAME", "CALLBACK_URL", "STACK_NAME", "HistoryDays"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("err = %v, want all problems, %s among them", err, name)
		}
	}
}
