package presence

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"signedsocket/shared/dynamo"
	"signedsocket/shared/message"
)

// overtakenReader is a table in which something happens after an item was read, once.
type overtakenReader struct {
	API
	then func()
}

// GetItem implements API.
func (o *overtakenReader) GetItem(
	ctx context.Context, in *dynamodb.GetItemInput, options ...func(*dynamodb.Options),
) (*dynamodb.GetItemOutput, error) {
	out, err := o.API.GetItem(ctx, in, options...)
	if then := o.then; then != nil {
		o.then = nil
		then()
	}
	return out, err
}

// TestTwoReadersAtOnce: both find that the room may be read. The second one answers with what the first one reads.
func TestTwoReadersAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	a, b := w.open("alice"), w.join("bob", 2)
	w.pass(time.Minute)
	w.rooms.API = &overtakenReader{w.api, func() { w.ask(b) }}
	w.ask(a)
	if w.reads != 2 { // one for each minute
		t.Errorf("the room was read %d times", w.reads)
	}
	w.shows(a, 2, "alice", "bob")
	w.shows(b, 2, "alice", "bob")
}

// TestATickThatWasOvertakenLooksAgain: while the tick reads, alice is told of dave. dave leaves before the tick has
// posted. If the tick noted what it has read, no later tick would tell alice.
func TestATickThatWasOvertakenLooksAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	a := w.open("alice")
	w.open("bob")
	w.pass(time.Minute)
	second := w.join("alice", 2)
	w.during = func() { // the tick has read the room
		w.join("dave", 2)
		w.pass(time.Minute)
		w.ask(second)
		w.shows(second, 3, "alice", "bob", "dave")
	}
	w.tick()
	w.shows(a, 3, "alice", "bob", "dave")
	if got := dynamo.TextOf(w.item(), "digest"); got == "" {
		t.Error("all know the three, and this is not noted")
	}
}

// TestAPushThatWasOvertakenNotesNothing: between the posts of a push and its end alice was told of dave.
func TestAPushThatWasOvertakenNotesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	a := w.open("alice")
	w.open("bob")
	w.pass(time.Minute)
	push := w.look()
	d := w.join("dave", 2)
	w.pass(Pace(3))
	w.rooms.Poster = overtaken{w, func() {
		answer := w.answer(a) // and the function is cut off before it pushes
		w.take(a, answer.Frame)
	}}
	w.post(push)
	w.rooms.Poster = w
	w.shows(a, 3, "alice", "bob", "dave")
	w.leave(d)
	w.pass(time.Minute)
	w.tick()
	w.shows(a, 2, "alice", "bob")
}

func TestAPushThatSomeMissedIsRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	a := w.open("alice")
	w.pass(time.Minute)
	w.misses = func(id string) bool { return id == a.ID }
	w.open("bob")
	w.shows(a, 1, "alice")
	w.misses = func(string) bool { return false }
	w.pass(time.Minute)
	w.tick()
	w.shows(a, 2, "alice", "bob")
	w.pass(time.Minute)
	w.tick()
	w.pushed(1, 2)
}

func TestAPushThatWasCutOffIsRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	a := w.open("alice")
	w.pass(time.Minute)
	b := w.join("bob", 2)
	if answer := w.answer(b); answer.Push == nil {
		t.Fatal("the join is not pushed")
	}
	w.leave(b) // all is as alice knows it
	if w.tick(); len(w.pushes) != 0 {
		t.Error("a tick pushes within the pace of a push that was cut off")
	}
	w.pass(time.Minute)
	w.tick()
	w.shows(a, 1, "alice")
	w.pushed(1)
}

// TestAFirstReaderThatWasCutOffIsReplaced: bob waits for what alice's function reads, and then reads the room.
func TestAFirstReaderThatWasCutOffIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	w.join("alice", 2)
	if mine, err := w.rooms.claimRead(t.Context(), Watched{Room: lobby}, w.time); !mine || err != nil {
		t.Fatalf("claim of a first reader: %t, %v", mine, err)
	}
	asked := 0
	w.rooms.Now = func() time.Time {
		asked++
		return epoch.Add(time.Duration(asked) * 300 * time.Millisecond)
	}
	b := w.open("bob")
	w.shows(b, 2, "alice", "bob")
	if w.reads != 1 || asked < 4 {
		t.Errorf("the room was read %d times, and bob looked %d times", w.reads, asked)
	}
}

// unknown is a table in which a first reader never ends.
type unknown struct{ API }

func (unknown) GetItem(
	context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options),
) (*dynamodb.GetItemOutput, error) {
	item := dynamo.Item{"n": dynamo.Number(0), "readAt": dynamo.Number(epoch.UnixMilli())}
	return &dynamodb.GetItemOutput{Item: item}, nil
}

func TestAClientThatWaitsInVainGetsNoAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rooms := &Rooms{API: unknown{}, Limit: 100, Now: func() time.Time { return epoch }}
		answer, err := rooms.Ask(t.Context(), lobby, Asker{User: message.Sender{Subject: "alice"}})
		if answer.Frame != nil || answer.Push != nil || err != nil {
			t.Errorf("%+v, %v", answer, err)
		}
	})
}

func TestFaultsAreReturned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	a := w.open("alice")
	from := Asker{ConnectionID: a.ID}
	w.rooms.API = failing{w.api}
	if _, err := w.rooms.Ask(t.Context(), lobby, from); !errors.Is(err, errBroken) {
		t.Errorf("Ask: %v", err)
	}
	w.rooms.API, w.rooms.Table = w.api, "no-such-table"
	if _, err := w.rooms.Watched(t.Context()); err == nil {
		t.Error("a table that does not exist has watched rooms")
	}
	if _, err := w.rooms.Post(t.Context(), &Push{room: lobby}); err == nil {
		t.Error("a push was noted in a table that does not exist")
	}
}
