package checker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
)

// note is the note that alice has deleted number 102, which is number 106.
func note() stageclient.Deleted {
	return stageclient.Deleted{Room: "lobby", Seq: 106, Of: 102, From: user(0), SentAt: at(62).UnixMilli()}
}

// goodDeletion is the good recording, in which alice deletes number 102 in the end, and bob asks for its end again.
func goodDeletion() *Recording {
	r := &Recorder{
		sends: map[string]*Send{}, views: map[viewOf]*View{}, asked: map[request]time.Time{},
		first: map[place]*stageclient.Entry{}, deletions: map[request]*Deletion{}, latest: map[place]Frame{},
	}
	r.r = *good()
	for _, view := range r.r.Views {
		r.views[viewOf{view.Client, view.Room}] = view
	}
	r.Delete(0, user(0), "lobby", 102, "d1", at(60))
	r.Delete(0, user(0), "lobby", 102, "d1", at(61))
	for client := range 2 {
		r.Receive(client, at(62), note(), []stageclient.Event{
			stageclient.Told{Room: "lobby", Entry: note().Entry(), Live: true},
		})
	}
	r.Receive(0, at(63), stageclient.Ack{ID: "N", ClientID: "d1", Seq: 106}, nil)
	r.Receive(0, at(64), stageclient.Ack{ID: "N", ClientID: "d1", Seq: 106}, nil)
	r.Ask(1, "h3", at(65))
	r.Receive(1, at(66), stageclient.History{
		Room: "lobby", ClientID: "h3", Last: 5, Head: 106, KeepDays: 7, More: true, Entries: slices.Concat(
			[]stageclient.Entry{tombstone()},
			[]stageclient.Entry{sent(3).Entry(), sent(4).Entry(), sent(5).Entry(), note().Entry()},
		),
	}, nil)
	entries := slices.Clone(r.r.Logs["lobby"].Entries)
	entries[3] = tombstone()
	return r.Finish(map[string]Log{"lobby": {At: at(100), Entries: append(entries, note().Entry())}},
		func(int, string) bool { return true })
}

func tombstone() stageclient.Entry { return stageclient.Entry{Seq: 102, ID: sent(2).ID, Deleted: true} }

func TestAGoodDeletionHasNoFinding(t *testing.T) {
	t.Parallel()
	r := goodDeletion()
	if found := Check(r); len(found) != 0 {
		t.Errorf("found %+v", found)
	}
	if got := Verdict(r, nil); !strings.HasPrefix(got, "6 messages and 1 deletions: 0 lost") {
		t.Error(got)
	}
	if d := r.Deletions; len(d) != 1 || d[0].Begin != at(60) || d[0].End != at(63) || d[0].Note != 106 ||
		len(r.Notes) != 1 {
		t.Errorf("recorded %+v, %+v", d, r.Notes)
	}
}

func TestTheCheckerFindsWhatIsWrongWithDeletions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		wrong   func(r *Recording)
		promise string
		fault   Fault
		text    string
	}{
		"an answer after the ack holds the text": {func(r *Recording) {
			r.Notes = nil
			r.Answers[1].History.Entries[0] = sent(2).Entry()
			r.Answers[1].History.Entries[4] = sent(5).Entry() // the answer does not hold the note
			r.Answers[1].History.Entries = r.Answers[1].History.Entries[:4]
		}, "H9", Undeleted, `Client 1 asked at 12:01:00.000 to delete number 102 of lobby, and was told at ` +
			`12:01:03.000 that number 106 notes it. After that, at 12:01:05.000, client 2 asked for the log of ` +
			`lobby, and got number 102, "text 2" of alice.`},
		"an answer after the note holds the text": {func(r *Recording) {
			r.Deletions[0].Note, r.Deletions[0].End = 0, time.Time{}
			r.Answers[1].History.Entries[0] = sent(2).Entry()
		}, "H9", Undeleted, `Client 1 received number 106, the note that alice deleted number 102 of lobby at ` +
			`12:01:02.000. After that, at 12:01:05.000, client 2 asked`},
		"a text comes back": {func(r *Recording) {
			later := r.Answers[1]
			later.Asked, later.At = at(67), at(68)
			later.History.Entries = slices.Clone(later.History.Entries)
			later.History.Entries[0] = sent(2).Entry()
			r.Answers, r.Notes, r.Deletions[0].End = append(r.Answers, later), nil, at(80)
		}, "H9", Undeleted, `At 12:01:06.000 client 2 got number 102, a deleted message of lobby. After that, at ` +
			`12:01:07.000, client 2 asked`},
		"the log holds the text": {func(r *Recording) {
			edit(r, func(e []stageclient.Entry) []stageclient.Entry { e[3] = sent(2).Entry(); return e })
		}, "H9", Undeleted, `but the log of lobby, read at 12:01:40.000, has number 102, "text 2" of alice.`},
		"the log holds the text and a note of another user": {func(r *Recording) {
			foreign := note().Entry()
			foreign.From.Sub, foreign.Seq, foreign.Of = "zoe", 107, 103
			edit(r, func(e []stageclient.Entry) []stageclient.Entry { return append(e, foreign) })
			for _, v := range r.Views {
				v.Live = false
			}
		}, "H9", Undeleted, `has number 107, the note that zoe deleted number 103, and also number 103, ` +
			`"text 3" of bob.`},
		"the log does not hold the note": {func(r *Recording) {
			r.Notes = nil
			r.Answers = r.Answers[:1]
			for _, v := range r.Views {
				v.Shown = slices.DeleteFunc(v.Shown, func(s Shown) bool { return s.Number == 106 })
				v.Shown[len(v.Shown)-1].Last = shownLast(v.Shown[len(v.Shown)-1])
			}
			edit(r, func(e []stageclient.Entry) []stageclient.Entry { return e[:7] })
		}, "H9", Lost, `told at 12:01:03.000 that number 106 notes it, but the log of lobby, read at ` +
			`12:01:40.000, has no number 106.`},
		"the note has another number": {func(r *Recording) { r.Deletions[0].Note = 105 }, "H9", Changed,
			`that number 105 notes it, but the log of lobby, read at 12:01:40.000, has number 105, "text 5" of bob.`},
		"a note was broadcast that is not in the log": {func(r *Recording) {
			other := note()
			other.Seq = 107
			r.Notes = append(r.Notes, Note{1, at(70), other})
		}, "H7", Invented, `Client 2 received number 107, the note that alice deleted number 102 at 12:01:10.000, but`},
		"no client has asked for it": {func(r *Recording) { r.Deletions = nil }, "H9", Invented,
			`has number 106, the note that alice deleted number 102, but that user has not asked for it.`},
		"another message has lost its text": {func(r *Recording) {
			edit(r, func(e []stageclient.Entry) []stageclient.Entry {
				e[4] = stageclient.Entry{Seq: 103, ID: sent(3).ID, Deleted: true}
				return e
			})
		}, "H1", Changed, `it is number 103, but the log of lobby, read at 12:01:40.000, has number 103, a deleted ` +
			`message.`},
		"a refused deletion took the text": {func(r *Recording) {
			r.Deletions = append(r.Deletions, &Deletion{Client: 0, By: "alice", Room: "lobby", Seq: 103, Begin: at(70),
				Failure: "not_yours"})
			edit(r, func(e []stageclient.Entry) []stageclient.Entry {
				e[4] = stageclient.Entry{Seq: 103, ID: sent(3).ID, Deleted: true}
				return e
			})
		}, "H1", Changed, `has number 103, a deleted message.`},
		"a message without an ack has lost its text": {func(r *Recording) {
			for _, s := range r.Sends {
				if s.ID == sent(3).ID {
					s.Seq, s.End = 0, time.Time{}
				}
			}
			edit(r, func(e []stageclient.Entry) []stageclient.Entry {
				e[4] = stageclient.Entry{Seq: 103, ID: sent(3).ID, Deleted: true}
				return e
			})
		}, "H9", Invented, `has number 103, a deleted message, but no client has asked for that.`},
		"it was refused, though the log has the message": {func(r *Recording) {
			r.Deletions = append(r.Deletions, &Deletion{Client: 1, By: "bob", Room: "lobby", Seq: 105, Begin: at(70),
				Failure: "not_found"})
		}, "H9", Lost, `Client 2 asked at 12:01:10.000 to delete number 105 of lobby, and was refused with ` +
			`not_found, but the log of lobby, read at 12:01:40.000, has number 105, "text 5" of bob.`},
		"it was refused to its author": {func(r *Recording) {
			r.Deletions = append(r.Deletions, &Deletion{Client: 1, By: "bob", Room: "lobby", Seq: 105, Begin: at(70),
				Failure: "not_yours"})
		}, "H9", Lost, `was refused with not_yours`},
		"a copy comes too late": {func(r *Recording) {
			r.Latest = append(r.Latest, Frame{1, at(62 + 121), sent(2)})
		}, "H9", Undeleted, `At 12:03:03.000 client 2 received number 102, "text 2" of alice.`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := goodDeletion()
			test.wrong(r)
			found := Check(r)
			if len(found) != 1 || found[0].Promise != test.promise || found[0].Fault != test.fault ||
				!strings.Contains(found[0].Text, test.text) {
				t.Errorf("found %+v, want %s %s: %s", found, test.promise, test.fault, test.text)
			}
		})
	}
}

// shownLast shortens an item of several entries so that it ends with number 105.
func shownLast(item Shown) *Shown {
	if item.Last == nil || item.Last.Number <= 105 {
		return item.Last
	}
	return &Shown{Kind: AnEntry, Number: 105, Entry: item.Last.Entry}
}

func TestDeletionsThatAreAllowed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *Recording){
		"an answer that was asked for before the ack": func(r *Recording) {
			r.Notes = nil
			r.Answers[1].Asked = at(61)
			r.Answers[1].History.Entries[0] = sent(2).Entry()
		},
		"a copy that comes soon": func(r *Recording) { r.Latest = append(r.Latest, Frame{1, at(100), sent(2)}) },
		"no ack came": func(r *Recording) {
			r.Deletions[0].Note, r.Deletions[0].End = 0, time.Time{}
		},
		"the message has expired": func(r *Recording) {
			expire(r, 99, 103)
			r.Deletions = append(r.Deletions, &Deletion{Client: 1, By: "bob", Room: "lobby", Seq: 103, Begin: at(70),
				Failure: "not_found"})
		},
		"the note has expired": func(r *Recording) { expire(r, 104, 106) },
		"it was refused to another user": func(r *Recording) {
			r.Deletions = append(r.Deletions, &Deletion{Client: 1, By: "alice", Room: "lobby", Seq: 105, Begin: at(70),
				Failure: "not_yours"})
		},
		"a user was erased": func(r *Recording) {
			edit(r, func(e []stageclient.Entry) []stageclient.Entry {
				for i := range e {
					if e[i].From.Sub == "bob" {
						e[i] = stageclient.Entry{Seq: e[i].Seq, ID: e[i].ID, Deleted: true}
					}
				}
				return append(e, stageclient.Entry{Seq: 107, Erased: stageclient.ErasedUser("lobby", "bob"), SentAt: 9})
			})
			for _, v := range r.Views {
				v.Live = false
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := goodDeletion()
			change(r)
			if found := Check(r); len(found) != 0 {
				t.Errorf("found %+v", found)
			}
		})
	}
}

// A deletion that was refused for a moment is tried again.
func TestOnlyTheLastRefusalOfADeletionCounts(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{"busy": "", "rate_limited": "", "not_found": "not_found"} {
		r := NewRecorder()
		r.Delete(0, user(0), "lobby", 7, "d1", at(0))
		r.Receive(0, at(1), stageclient.Error{Code: code, ClientID: "d1"}, nil)
		if d := r.Finish(nil, nil).Deletions[0]; d.Failure != want || d.Note != 0 {
			t.Errorf("%s: recorded %+v", code, d)
		}
	}
}
