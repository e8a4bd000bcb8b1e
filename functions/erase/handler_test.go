package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"signedsocket/shared/message"
	"signedsocket/shared/roomlog"
	"signedsocket/shared/userid"
)

func TestAnErasedUserIsInNoRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 7)
	w.say("lobby", "alice", "bob", "alice")
	w.say("news", "bob")
	w.say("ops", "alice")
	w.read("alice", "lobby", "ops")
	w.read("bob", "lobby")
	before := w.dump()
	want := answer{UserID: "alice", Rooms: 2, Messages: 3, Markers: 2, Done: true}
	if got := w.erase(`{"user":"alice","count":true}`); got != want || w.dump() != before {
		t.Errorf("counted %+v, want %+v; the table has changed: %t", got, want, w.dump() != before)
	}
	if got := w.erase(`{"user":"alice","by":"arn:operator","why":"asked"}`); got != want {
		t.Errorf("erased %+v, want %+v", got, want)
	}
	for room, want := range map[string]string{
		"lobby": "deleted, text of bob, deleted, erased " + message.ErasedHash("lobby", "alice"),
		"news":  "text of bob",
		"ops":   "deleted, erased " + message.ErasedHash("ops", "alice"),
	} {
		if got := w.shows(room); got != want {
			t.Errorf("%s shows %s, want %s", room, got, want)
		}
	}
	if all := w.dump(); strings.Contains(all, "alice") || !strings.Contains(all, "READ#bob") {
		t.Errorf("the table holds %s", all)
	}
	if again := w.erase(`{"user":"alice"}`); again != (answer{UserID: "alice", Done: true}) {
		t.Errorf("erased again %+v", again)
	}
	line := `"action":"erase","by":"arn:operator",` + fmt.Sprintf("%q:%q", "subHash",
		userid.LogAttr(w.table, "alice").Value.String()) + `,"why":"asked"`
	if lines := w.lines.String(); strings.Count(lines, `"audit"`) != 2 || !strings.Contains(lines, line) ||
		strings.Contains(lines, "alice") || strings.Contains(lines, "text of") {
		t.Errorf("log:\n%s", lines)
	}
}

// TestAnErasureIsResumed gives each invocation the time for one step only.
func TestAnErasureIsResumed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 7)
	w.say("lobby", "alice", "bob")
	w.say("ops", "alice")
	w.read("alice", "lobby")
	short, cancel := context.WithDeadline(t.Context(), time.Now().Add(pageTime-time.Second))
	defer cancel()
	got, calls := w.ask(short, `{"user":"alice"}`), 1
	for ; !got.Done && calls < 50; calls++ {
		if got.Cursor == "" {
			t.Fatalf("%+v has no cursor", got)
		}
		got = w.ask(short, fmt.Sprintf(`{"user":"alice","cursor":%q}`, got.Cursor))
	}
	want := answer{UserID: "alice", Rooms: 2, Messages: 2, Markers: 1, Done: true}
	if got != want || calls < 7 {
		t.Errorf("%+v after %d calls, want %+v", got, calls, want)
	}
	told := "deleted, text of bob, erased " + message.ErasedHash("lobby", "alice")
	if got := w.shows("lobby"); got != told {
		t.Errorf("lobby shows %s, want %s", got, told)
	}
	if strings.Contains(w.dump(), "alice") {
		t.Errorf("the table holds %s", w.dump())
	}
}

// dying is a log that fails at the n-th call of one kind.
type dying struct {
	logs
	append bool
	erase  int
}

var errKilled = errors.New("killed")

func (d *dying) Append(
	ctx context.Context, look roomlog.Look, e roomlog.Entry,
) (stored roomlog.Entry, duplicate bool, err error) {
	if d.append {
		return roomlog.Entry{}, false, errKilled
	}
	return d.logs.Append(ctx, look, e)
}

func (d *dying) Erase(
	ctx context.Context, room, subject string, behind int64, step roomlog.Step,
) (roomlog.Erased, error) {
	if d.erase--; d.erase == 0 {
		return roomlog.Erased{}, errKilled
	}
	return d.logs.Erase(ctx, room, subject, behind, step)
}

// TestAnErasureThatDiedIsCompletedByANewOne: the operator may have lost the cursor, so the next one has none.
func TestAnErasureThatDiedIsCompletedByANewOne(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]*dying{
		"before the texts": {erase: 1}, "before the note": {append: true}, "before the names": {erase: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 7)
			w.say("lobby", "alice", "bob")
			rooms := w.h.rooms
			fault.logs = rooms
			w.h.rooms = fault
			_, err := w.h.handle(t.Context(), jsontext.Value(`{"erase":{"user":"alice"}}`))
			if !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			w.h.rooms = rooms
			if got := w.erase(`{"user":"alice"}`); !got.Done || got.Rooms != 1 {
				t.Errorf("%+v", got)
			}
			want := "deleted, text of bob, erased " + message.ErasedHash("lobby", "alice")
			if got := w.shows("lobby"); !strings.HasPrefix(got, want) || strings.Contains(w.dump(), "alice") {
				t.Errorf("lobby shows %s, want %s; the table holds %s", got, want, w.dump())
			}
		})
	}
}

// TestTheSameErasureTellsOnce: an invocation whose answer was lost is repeated with the cursor before it.
func TestTheSameErasureTellsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 7)
	w.say("lobby", "alice")
	short, cancel := context.WithDeadline(t.Context(), time.Now().Add(pageTime-time.Second))
	defer cancel()
	first := w.ask(short, `{"user":"alice"}`)
	for range 2 {
		w.ask(short, fmt.Sprintf(`{"user":"alice","cursor":%q}`, first.Cursor))
	}
	if got, want := w.shows("lobby"), "deleted, erased "+message.ErasedHash("lobby", "alice"); got != want {
		t.Errorf("lobby shows %s, want %s", got, want)
	}
}

// Messages of the time before HistoryDays became 0 are in the table until they expire.
func TestErasingWithHistoryOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.say("lobby", "alice", "bob")
	if got := w.erase(`{"user":"alice"}`); got.Messages != 1 || !got.Done || strings.Contains(w.dump(), "alice") {
		t.Errorf("%+v, the table holds %s", got, w.dump())
	}
	if got := w.shows("lobby"); got != "deleted, text of bob" {
		t.Errorf("lobby shows %s", got)
	}
}

func TestBothIDsOfAUserAreErased(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 7)
	const sub = "auth0|alice"
	id, old := userid.Forms("stack", "https://issuer", sub)
	w.say("lobby", id, old, "bob")
	got := w.erase(`{"sub":"auth0|alice"}`)
	if want := (answer{UserID: id, OldUserID: old, Rooms: 2, Messages: 2, Done: true}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if all := w.dump(); strings.Contains(all, id) || strings.Contains(all, old) {
		t.Errorf("the table holds %s", all)
	}
}

func TestRequestsThatEraseNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 7)
	w.say("lobby", "alice")
	before := w.dump()
	short, cancel := context.WithDeadline(t.Context(), time.Now().Add(pageTime-time.Second))
	defer cancel()
	of := w.ask(short, `{"user":"bob"}`).Cursor
	for name, event := range map[string]string{
		"nothing":                   `{}`,
		"no object":                 `[]`,
		"another member":            `{"erase":{"user":"alice"},"revoke":{"user":"alice"}}`,
		"a typing error":            `{"erase":{"user":"alice","cuont":true}}`,
		"no user":                   `{"erase":{}}`,
		"two users":                 `{"erase":{"user":"alice","sub":"alice"}}`,
		"a sub with a line feed":    `{"erase":{"sub":"a\nb"}}`,
		"all guests":                `{"erase":{"user":"guest-pool"}}`,
		"a cursor of another user":  fmt.Sprintf(`{"erase":{"user":"alice","cursor":%q}}`, of),
		"a cursor to erase":         fmt.Sprintf(`{"erase":{"user":"bob","count":true,"cursor":%q}}`, of),
		"a cursor that is no place": `{"erase":{"user":"alice","cursor":"lobby"}}`,
		"a cursor of a later step":  `{"erase":{"user":"alice","cursor":"{\"user\":\"alice\",\"step\":7}"}}`,
	} {
		if result, err := w.h.handle(t.Context(), jsontext.Value(event)); err == nil {
			t.Errorf("%s: %+v", name, result)
		}
	}
	if w.dump() != before {
		t.Errorf("the table holds %s", w.dump())
	}
}
