package stageclient_test

import (
	"slices"
	"testing"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
)

// shown is what a client shows that follows a log: texts by number, without those that were deleted.
type shown struct {
	texts map[int64]string
	users map[int64]string
	read  int64
	count int // of entries
	told  []string
}

// show passes frames to the follower, and does what it tells.
func (s *table) show(on *shown, frames ...stageclient.Frame) {
	s.t.Helper()
	for _, frame := range frames {
		for _, event := range s.follower.Receive(s.now, frame) {
			switch e := event.(type) {
			case stageclient.CaughtUp:
				on.read = e.Read
			case stageclient.Told:
				on.count++
				on.told = append(on.told, e.Entry.Text)
				on.texts[e.Entry.Seq], on.users[e.Entry.Seq] = e.Entry.Text, e.Entry.From.Sub
				delete(on.texts, e.Entry.Of)
				for seq, sub := range on.users {
					if e.Entry.Erased == stageclient.ErasedUser(e.Room, sub) {
						delete(on.texts, seq)
					}
				}
			}
		}
	}
}

func newShown() *shown { return &shown{texts: map[int64]string{}, users: map[int64]string{}} }

// want compares the texts that are shown.
func (s *shown) want(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for _, text := range s.texts {
		if text != "" {
			got = append(got, text)
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("shows %q, want %q", got, want)
	}
}

// serveTo answers every request that is due.
func (s *table) serveTo(on *shown) {
	s.t.Helper()
	for id, wants := s.ask(); len(wants) > 0; id, wants = s.ask() {
		s.show(on, clienttest.Answer(s.logs, id, wants)...)
	}
}

func bob() stageclient.User { return stageclient.User{Sub: "bob", Name: "Bob"} }

func TestADeletionHasANumberAndTakesAText(t *testing.T) {
	t.Parallel()
	log, on := lobby("a", "b"), newShown()
	s := follow(t, 2, log)
	s.follower.Connected(s.now, true)
	s.serveTo(on)
	on.want(t, "a", "b")
	s.show(on, log.Delete(100, bob()), log.Append("c"))
	on.want(t, "b", "c")
	if at, _ := s.follower.Position("lobby"); at != 103 || on.count != 4 || !s.follower.Next().IsZero() {
		t.Errorf("the position is %d after %d entries, and the next request is due at %v", at, on.count,
			s.follower.Next())
	}
	s.show(on, log.Delete(101, bob()))
	s.show(on, stageclient.Deleted{Room: "lobby", Seq: 104, Of: 101, From: bob(), SentAt: 1}) // once more
	on.want(t, "c")
	if on.count != 5 {
		t.Errorf("told %d entries", on.count)
	}
}

func TestADeletionThatDidNotArriveIsReadInTheLog(t *testing.T) {
	t.Parallel()
	log, on := lobby("a", "b"), newShown()
	s := follow(t, 2, log)
	s.follower.Connected(s.now, true)
	s.serveTo(on)
	log.Delete(100, bob())
	s.show(on, log.Append("c"))
	on.want(t, "a", "b") // c waits for what is missing
	s.now = s.follower.Next()
	s.serveTo(on)
	on.want(t, "b", "c")
}

func TestWhatWasDeletedWhileTheClientWasAwayIsForgotten(t *testing.T) {
	t.Parallel()
	log, on := lobby("a", "b"), newShown()
	log.Read = 101
	s := follow(t, 2, log)
	s.follower.Connected(s.now, true)
	s.serveTo(on)
	log.Append("c")
	log.Delete(101, bob())
	log.Delete(102, bob())
	log.Append("d")
	log.Erase("alice")
	s.follower.Connected(s.now, true)
	s.serveTo(on)
	on.want(t, "a", "d")
	if on.read != 101 {
		t.Errorf("read up to %d", on.read)
	}
	log.Erase("bob")
	log.Read = 106
	s.follower.Connected(s.now, true)
	s.serveTo(on)
	on.want(t)
	if on.read != 106 || on.count != 8 {
		t.Errorf("read up to %d of %d entries", on.read, on.count)
	}
	s.follower.Connected(s.now, true)
	log.Read = 107
	s.serveTo(on)
	if on.read != 107 {
		t.Errorf("read up to %d, says a synced frame", on.read)
	}
}

// TestNoTextIsToldAfterItsDeletion: frames may come in any order, and each at any time.
func TestNoTextIsToldAfterItsDeletion(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]func(s *table, on *shown, log *clienttest.Log){
		"the note comes before the message": func(s *table, on *shown, log *clienttest.Log) {
			m := log.Append("c")
			s.show(on, log.Delete(102, bob()), m)
		},
		"the message is held when the note comes": func(s *table, on *shown, log *clienttest.Log) {
			first, second := log.Append("b"), log.Append("c")
			s.show(on, second, log.Delete(103, bob()), first)
		},
		"the page ends before the note": func(s *table, on *shown, log *clienttest.Log) {
			log.Append("b")
			s.show(on, log.Append("c"), log.Append("d"))
			log.Delete(103, bob())
			log.PageSize = 2
			s.now = s.follower.Next()
			s.serveTo(on)
		},
		"the newest entries end before the note": func(s *table, on *shown, log *clienttest.Log) {
			s.follower = stageclient.NewFollower([]string{"lobby"}, 5, 0)
			s.follower.Connected(s.now, true)
			id, _ := s.ask()
			s.show(on, log.Append("c"))
			note := log.Delete(102, bob())
			s.show(on, stageclient.History{
				Room: "lobby", ClientID: id, Last: 5, Head: 102, KeepDays: 7, Entries: log.Entries()[:3],
			}, note)
		},
		"the message was deleted when the log is read": func(s *table, on *shown, log *clienttest.Log) {
			log.Append("b")
			s.show(on, log.Append("c"))
			log.Delete(103, bob())
			s.now = s.follower.Next()
			s.serveTo(on)
		},
		"a page was read while the message was deleted": func(s *table, on *shown, log *clienttest.Log) {
			s.show(on, log.Append("b"))
			s.follower.Connected(s.now, true)
			id, _ := s.ask()
			after, c := int64(102), log.Append("c")
			note := log.Delete(103, bob())
			s.show(on, stageclient.History{
				Room: "lobby", ClientID: id, After: &after, Complete: true, Head: 104, KeepDays: 7,
				Entries: []stageclient.Entry{c.Entry(), note.Entry()},
			})
		},
		"before the first answer": func(s *table, on *shown, log *clienttest.Log) {
			s.follower = stageclient.NewFollower([]string{"lobby"}, 5, 0)
			s.follower.Connected(s.now, true)
			id, wants := s.ask()
			c := log.Append("c")
			s.show(on, c)
			log.Delete(102, bob())
			s.show(on, clienttest.Answer(s.logs, id, wants)...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, on := lobby("x", "y"), newShown()
			s := follow(t, 2, log)
			s.follower.Connected(s.now, true)
			s.serveTo(on)
			script(s, on, log)
			if slices.Contains(on.told, "c") {
				t.Errorf("told %q", on.told)
			}
			if at, _ := s.follower.Position("lobby"); at != log.Head() {
				t.Errorf("the position is %d, and the log ends at %d", at, log.Head())
			}
		})
	}
}

func TestALogIsReadWithItsDeletions(t *testing.T) {
	t.Parallel()
	log := lobby("a", "b", "c")
	log.Delete(101, bob())
	log.Erase("zoe")
	got, _, err := stageclient.NewLogReader(&troubled{log: log}).Read(t.Context(), "lobby", 0)
	if err != nil || !slices.Equal(got, log.Entries()) || len(got) != 5 || !got[1].Deleted || got[3].Of != 101 {
		t.Errorf("read %+v, %v", got, err)
	}
}
