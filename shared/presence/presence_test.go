package presence

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"signedsocket/shared/connections"
	"signedsocket/shared/dynamo"
)

func TestAClientSeesWhoIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	a := w.open("alice")
	w.shows(a, 1, "alice")
	w.pass(10 * time.Second)
	b := w.open("bob")
	w.shows(b, 2, "alice", "bob")
	w.shows(a, 2, "alice", "bob")
	w.pushed(1) // to alice: bob has the answer
	w.pass(10 * time.Second)
	guest := w.open("guest-abcdefghijklmnopqrstuvwxyz")
	w.shows(guest, 3, "alice", "bob", guest.Subject)
	w.shows(a, 3, "alice", "bob", guest.Subject)
	w.pushed(2)
}

func TestThreeTabsAreOneUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	a := w.open("alice")
	w.pass(time.Minute)
	w.open("alice")
	w.pass(time.Minute)
	third := w.join("alice", 1)
	b := w.open("bob")
	w.shows(b, 2, "alice", "bob")
	w.pushed(2) // the two of chat.v2
	w.pass(time.Minute)
	w.leave(third)
	w.tick()
	w.pass(time.Minute)
	w.tick()
	w.shows(a, 2, "alice", "bob")
	w.pushed()
}

func TestAUserIsNamedByTheNewestConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	a := w.open("alice")
	w.members = func(members []connections.Member) []connections.Member {
		old, young := members[0], members[0]
		old.Name, young.Name = "Before", "After"
		young.ConnectionID, young.ConnectedAt = "young=", young.ConnectedAt.Add(time.Second)
		nameless := connections.Member{ConnectionID: "c=", Subject: "h--abcdefghijklmnopqrstuvwxyz012345"}
		return []connections.Member{old, young, nameless}
	}
	w.pass(time.Minute)
	w.ask(a)
	if got := fmt.Sprint(a.shown.Users); got != "[{alice After} {h--abcdefghijklmnopqrstuvwxyz012345 abcdefgh}]" {
		t.Errorf("shows %s", got)
	}
}

func TestAReloadASecondTabAndARotationPushNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	a := w.open("alice")
	w.pass(time.Minute)
	b := w.open("bob")
	w.pushed(1)
	w.pass(time.Minute)
	w.tick()
	for range 3 {
		w.pass(20 * time.Second)
		w.leave(b)
		w.pass(time.Second)
		b = w.open("bob") // a reload
		w.pass(20 * time.Second)
		next := w.open("bob") // a rotation, and before that a second tab
		w.leave(b)
		b = next
		w.pass(20 * time.Second)
		w.tick()
	}
	w.shows(a, 2, "alice", "bob")
	w.shows(b, 2, "alice", "bob")
	w.pushed()
}

func TestLeavesWaitForTheTick(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	a, b := w.open("alice"), w.join("bob", 2)
	w.pass(10 * time.Second)
	w.ask(b)
	c := w.open("carol")
	w.pass(time.Minute)
	w.tick()
	w.pushes = nil
	w.leave(b)
	w.pass(10 * time.Second)
	w.ask(c) // a second look does not tell the others
	w.shows(c, 2, "alice", "carol")
	w.shows(a, 3, "alice", "bob", "carol")
	w.pushed()
	w.pass(time.Minute)
	w.tick()
	w.shows(a, 2, "alice", "carol")
	w.pushed(2)
}

// TestAReturnToWhatWasKnownIsTold: one client was told of a user that left before the next tick.
func TestAReturnToWhatWasKnownIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	a := w.open("alice")
	for _, name := range []string{"bob", "carol"} {
		w.pass(30 * time.Second)
		w.open(name)
	}
	w.pass(time.Minute)
	w.tick() // all know the three
	w.pushes = nil
	short := w.join("dave", 2)
	w.pass(time.Minute)
	w.ask(a)
	w.shows(a, 4, "alice", "bob", "carol", "dave")
	w.leave(short)
	w.pass(time.Minute)
	w.tick()
	w.shows(a, 3, "alice", "bob", "carol")
	w.pushed(3)
}

func TestARoomIsReadAtMostOnceInItsPace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	var all []*client
	for i := range 10 {
		all = append(all, w.join(fmt.Sprintf("u%d", i), 2))
	}
	for _, c := range all {
		w.ask(c)
		w.ask(c)
	}
	w.pass(Pace(10) - time.Millisecond)
	w.ask(all[3])
	if w.reads != 1 {
		t.Errorf("the room was read %d times within its pace", w.reads)
	}
	late := w.open("zoe") // who is not in what was read
	if late.shown.Count != 11 || late.shown.Users[10].Subject != "zoe" || w.reads != 1 {
		t.Errorf("shows %+v after %d reads", late.shown, w.reads)
	}
	w.pass(time.Millisecond)
	w.ask(all[4])
	if w.reads != 2 || all[4].shown.Count != 11 {
		t.Errorf("shows %+v after %d reads", all[4].shown, w.reads)
	}
}

func TestACrowdIsOnlyCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 40)
	var all []*client
	for i := range 41 {
		all = append(all, w.join(fmt.Sprintf("u%02d", i), 2))
	}
	w.ask(all[0])
	w.shows(all[0], 41)
	w.pass(time.Minute)
	w.tick() // and 41 know it
	w.pushed(41)
	late := w.open("zoe")
	w.shows(late, 41)
	w.pass(time.Hour)
	w.ask(all[1])
	w.shows(all[1], 41)
	if w.reads != 2 {
		t.Errorf("a crowd was read %d times, want once by a client and once by a tick", w.reads)
	}
	w.tick()
	w.pushed() // 42 of 41 is not 5 %
	w.ask(all[2])
	w.shows(all[2], 42)
	w.open("zora")
	w.pass(time.Minute)
	w.tick()
	w.pushed() // 43 of 41 is not, either
	w.open("zuzu")
	w.pass(time.Minute)
	w.tick()
	w.shows(all[1], 44)
	w.pushed(44)
	for _, c := range all[:4] {
		w.leave(c)
	}
	w.pass(time.Minute)
	w.tick()
	if got := len(all[5].shown.Users); got != 40 {
		t.Errorf("%d users are named, want 40", got)
	}
	w.pushed(40)
}

func TestACrowdThatIsNotWatchedIsCountedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	a, _, c := w.open("alice"), w.open("bob"), w.open("carol")
	w.pass(time.Minute)
	w.tick()
	w.shows(a, 3)
	w.leave(c)
	w.pass(4 * time.Hour)
	w.tick()
	w.shows(a, 3)
	w.ask(a)
	w.shows(a, 2, "alice", "bob")
}

// crowd makes a room of so many connections, of which the first two are real.
func (w *world) crowd(n *int) {
	w.members = func(real []connections.Member) []connections.Member {
		members := append([]connections.Member(nil), real...)
		for i := len(members); i < *n; i++ {
			id := fmt.Sprint("c", i)
			members = append(members, connections.Member{ConnectionID: id, Subject: id, Protocol: 2})
		}
		return members
	}
}

func TestARoomOfMoreThan2000IsCountedOnceAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	n := 2001
	w.crowd(&n)
	a := w.open("alice")
	w.shows(a, 2001)
	n = 3000
	for range 59 {
		w.pass(time.Minute)
		w.tick()
	}
	w.ask(a)
	w.shows(a, 2001)
	if w.reads != 1 {
		t.Errorf("read %d times in an hour", w.reads)
	}
	w.pass(time.Minute)
	w.tick()
	w.ask(a)
	w.shows(a, 3000)
	w.pushed()
	n = 1000
	w.pass(time.Hour)
	w.tick()
	w.shows(a, 1000)
	w.pushed(1000)
}

func TestOnlyWatchedRoomsAreLookedAt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	a := w.open("alice")
	w.tick()
	w.pass(2 * time.Hour)
	w.tick()
	if w.reads != 3 {
		t.Errorf("read %d times, want by the client and by two ticks", w.reads)
	}
	w.pass(time.Hour)
	w.tick()
	if w.reads != 3 {
		t.Error("a tick looked at a room that no client has asked for")
	}
	w.ask(a)
	w.pass(time.Minute)
	w.tick()
	if w.reads != 5 {
		t.Errorf("read %d times, want 5", w.reads)
	}
}

func TestThatARoomIsWantedIsNotedOnceAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.open("alice")
	b := w.open("bob") // a crowd, so that nothing else is written
	w.pass(time.Minute)
	w.tick()
	w.ask(b)
	before := w.item()
	w.pass(30 * time.Minute)
	w.ask(b)
	got := w.item()
	if dynamo.TextOf(got, "digest") != "#2" || number(got, "expiresAt") != number(before, "expiresAt") {
		t.Errorf("item %v, before %v", got, before)
	}
	w.pass(time.Hour)
	w.ask(b)
	if got, want := number(w.item(), "expiresAt"), w.time.Add(kept).Unix(); got != want {
		t.Errorf("expires at %d, want %d", got, want)
	}
}

func number(item dynamo.Item, name string) int64 {
	n, _ := dynamo.NumberOf(item, name)
	return n
}

func TestARosterOfMoreThan30000BytesIsACount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 200)
	bytes := 0
	w.members = func([]connections.Member) []connections.Member {
		var members []connections.Member
		for i := range 150 {
			members = append(members, connections.Member{
				ConnectionID: fmt.Sprint(i), Subject: fmt.Sprintf("u%03d", i), Name: strings.Repeat("x", bytes),
				Protocol: 1,
			})
		}
		return members
	}
	a := w.join("alice", 2)
	for _, test := range []struct{ name, users int }{{128, 150}, {174, 150}, {175, 0}} {
		bytes = test.name
		w.pass(time.Hour * 4)
		answer := w.answer(a)
		w.take(a, answer.Frame)
		if a.shown.Count != 150 || len(a.shown.Users) != test.users || len(answer.Frame) > maxUsers+100 {
			t.Errorf("names of %d bytes: %d users named in %d bytes", test.name, len(a.shown.Users), len(answer.Frame))
		}
	}
}

func TestALowerLimitHoldsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	a := w.open("alice")
	w.open("bob")
	w.pass(time.Minute)
	w.open("carol")
	w.rooms.Limit = 2
	w.ask(a)
	w.shows(a, 3)
}
