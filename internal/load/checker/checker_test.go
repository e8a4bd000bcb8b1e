package checker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// at is a time in the recordings.
func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

func user(client int) stageclient.User {
	return []stageclient.User{{Sub: "alice", Name: "Alice"}, {Sub: "bob", Name: "Bob"}}[client]
}

// sent is message n of the good recording: number 100+n of the log, sent by client n%2 in second 10n and there a second
// later.
func sent(n int) stageclient.Message {
	from := user(n % 2)
	return stageclient.Message{
		ID: stageclient.MessageID(from.Sub, "lobby", fmt.Sprint("m-", n)), Room: "lobby", From: from,
		Text: fmt.Sprint("text ", n), SentAt: at(10 * n).UnixMilli(), Seq: int64(100 + n),
	}
}

// good is a recording without a fault. Two clients send six messages to a log that holds number 99 before. Client 1
// (bob) is away for numbers 102 and 103.
func good() *Recording {
	r := NewRecorder()
	for client := range 2 {
		r.Receive(client, at(-5), nil, []stageclient.Event{
			stageclient.Entered{Room: "lobby", Position: 99}, stageclient.CaughtUp{Room: "lobby"},
		})
	}
	entries := []stageclient.Entry{{Seq: 99, ID: "X", From: stageclient.User{Sub: "zoe"}, Text: "before", SentAt: 1}}
	for n := range 6 {
		m := sent(n)
		r.Send(n%2, m.From, "lobby", fmt.Sprint("m-", n), m.Text, at(10*n))
		for client := range 2 {
			if client == 1 && (n == 2 || n == 3) {
				continue
			}
			r.Receive(client, at(10*n+1), m, []stageclient.Event{
				stageclient.Told{Room: "lobby", Entry: m.Entry(), Live: true},
			})
		}
		r.Receive(n%2, at(10*n+2), stageclient.Ack{ID: m.ID, Seq: m.Seq}, nil)
		entries = append(entries, m.Entry())
		if n == 3 {
			comeBack(r, entries)
		}
	}
	return r.Finish(map[string]Log{"lobby": {At: at(100), Entries: entries}},
		func(int, string) bool { return true })
}

// comeBack lets client 1 read numbers 102 and 103.
func comeBack(r *Recorder, entries []stageclient.Entry) {
	after := int64(101)
	r.Return(1, "lobby", after, at(34))
	r.Ask(1, "h2", at(35))
	events := []stageclient.Event{}
	for _, entry := range entries[3:] {
		events = append(events, stageclient.Told{Room: "lobby", Entry: entry})
	}
	r.Receive(1, at(36), stageclient.History{
		Room: "lobby", ClientID: "h2", After: &after, Entries: slices.Clone(entries[3:]), Head: 103, Complete: true,
		KeepDays: 7,
	}, append(events, stageclient.CaughtUp{Room: "lobby", Missed: 2}))
}

func TestAGoodRecordingHasNoFinding(t *testing.T) {
	t.Parallel()
	r := good()
	if found := slices.Concat(Check(r), Check(unfold(good()))); len(found) != 0 {
		t.Errorf("found %+v", found)
	}
	if got := Verdict(r, nil); got != "6 messages: 0 lost, 0 doubled, 0 out of order, 0 unexplained gaps" {
		t.Error(got)
	}
	if n := len(r.Views[0].Shown); n != 3 {
		t.Errorf("the view of client 1 has %d items, want its beginning and all entries in one", n)
	}
	if len(r.Sends) != 6 || len(r.Frames) != 6 || len(r.Answers) != 1 || len(r.Views) != 2 {
		t.Errorf("recorded %d sends, %d frames, %d answers, %d views", len(r.Sends), len(r.Frames), len(r.Answers),
			len(r.Views))
	}
}

// unfold makes each entry of the views an item of its own.
func unfold(r *Recording) *Recording {
	for _, view := range r.Views {
		var items []Shown
		for _, item := range view.Shown {
			last := item.last().Number
			item.Last = nil
			items = append(items, item)
			for n := item.Number + 1; item.Kind == AnEntry && n <= last; n++ {
				m := sent(int(n - 100))
				entry := m.Entry()
				items = append(items, Shown{Kind: AnEntry, At: at(10*int(n-100) + 1), Number: n, Entry: &entry})
			}
		}
		view.Shown = items
	}
	return r
}

// edit changes the log.
func edit(r *Recording, change func(entries []stageclient.Entry) []stageclient.Entry) {
	read := r.Logs["lobby"]
	read.Entries = change(slices.Clone(read.Entries))
	r.Logs["lobby"] = read
}

// forget removes what the clients received and showed of some numbers, so that only the log speaks of them.
func forget(r *Recording, seqs ...int64) {
	r.Frames = slices.DeleteFunc(r.Frames, func(f Frame) bool { return slices.Contains(seqs, f.Message.Seq) })
	for _, view := range r.Views {
		view.Shown = slices.DeleteFunc(view.Shown, func(s Shown) bool {
			return s.Kind == AnEntry && slices.Contains(seqs, s.Number)
		})
	}
}

func TestTheCheckerFindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		wrong   func(r *Recording)
		promise string
		fault   Fault
		text    string
	}{
		"H1: an acknowledged message is not in the log": {func(r *Recording) {
			forget(r, 105)
			edit(r, func(e []stageclient.Entry) []stageclient.Entry { return e[:6] })
		}, "H1", Lost, `Client 2 sent "text 5" to lobby at 12:00:50.000 and was told at 12:00:51.000 that it is ` +
			`number 105, but the log of lobby, read at 12:01:40.000, has no number 105.`},
		"H1: it has another number": {func(r *Recording) { r.Sends[5].Seq = 104 }, "H1", Changed,
			`it is number 104, but the log of lobby, read at 12:01:40.000, has number 105, "text 5" of bob.`},
		"H1: another message has its number": {func(r *Recording) {
			r.Sends = append(r.Sends, &Send{Room: "lobby", ID: "Z", From: user(0), Text: "z", Begin: at(58),
				End: at(59), Seq: 105})
		}, "H1", Lost, `it is number 105, but the log of lobby, read at 12:01:40.000, has number 105, ` +
			`"text 5" of bob.`},
		"H1: its text is another one": {func(r *Recording) { r.Sends[0].Text = "other" }, "H1", Changed,
			`Client 1 sent "other" to lobby at 12:00:00.000 and was told at 12:00:01.000 that it is number 100, but ` +
				`the log of lobby, read at 12:01:40.000, has number 100, "text 0" of alice.`},
		"H1: its sender is another one": {func(r *Recording) { r.Sends[0].From.Name = "Eve" }, "H1", Changed,
			`has number 100, "text 0" of alice.`},
		"H1: no client has sent it": {func(r *Recording) {
			edit(r, func(e []stageclient.Entry) []stageclient.Entry { return append(e, invented(106)) })
			for _, v := range r.Views {
				v.Live = false
			}
		}, "H1", Invented, `has number 106, "boo" of bob, but no client has sent it there.`},
		"H2: the log has a hole": {func(r *Recording) {
			r.Sends[1].Seq = 0
			forget(r, 101)
			edit(r, func(e []stageclient.Entry) []stageclient.Entry { return slices.Delete(e, 2, 3) })
		}, "H2", Hole, `The log of lobby, read at 12:01:40.000, has number 100, "text 0" of alice, and ` +
			`the next one is ` +
			`number 102, "text 2" of alice.`},
		"H2: a message has two numbers": {func(r *Recording) {
			edit(r, func(e []stageclient.Entry) []stageclient.Entry {
				again := e[6]
				again.Seq = 106
				return append(e, again)
			})
		}, "H2", Doubled, `number 105, "text 5" of bob, and the same message again as number 106.`},
		"H2: a message is seen under another number": {func(r *Recording) {
			again := sent(5)
			again.Seq = 106
			r.Frames = append(r.Frames, Frame{0, at(60), again})
			r.Expired = append(r.Expired, Expired{"lobby", 106, 106, at(70)})
		}, "H2", Doubled, `"text 5" was seen as number 105 of lobby and as number 106.`},
		"H2: the log is out of order": {func(r *Recording) {
			edit(r, func(e []stageclient.Entry) []stageclient.Entry { e[2], e[1] = e[1], e[2]; return e })
		}, "H2", OutOfOrder, `number 101, "text 1" of bob, and behind it number 100, "text 0" of alice.`},
		"H3: the order is not real": {func(r *Recording) { r.Sends[4].Begin = at(53) }, "H3", OutOfOrder,
			`Client 2 sent "text 5" to lobby at 12:00:50.000 and was told at 12:00:51.000 that it is number ` +
				`105. After ` +
				`that, client 1 sent "text 4" to lobby at 12:00:53.000 and was told at 12:00:41.000 that it is ` +
				`number 104.`},
		"H4: an answer has a hole": {func(r *Recording) {
			h := &r.Answers[0].History
			h.Entries = append(h.Entries, sent(5).Entry())
		}, "H4", Hole, `At 12:00:36.000 client 2 got a part of the log of lobby with number 103, "text 3" ` +
			`of bob, and ` +
			`the next one was number 105, "text 5" of bob.`},
		"H4: a complete answer leaves something out": {func(r *Recording) {
			h := &r.Answers[0].History
			h.Entries = h.Entries[1:]
		}, "H4", Hole, `called complete after 101, but began with number 103, "text 3" of bob.`},
		"H4: two answers disagree": {func(r *Recording) { r.Answers[0].History.Entries[0].Text = "other" }, "H4",
			Changed, `At 12:00:36.000 client 2 got a part of the log of lobby with number 102, "other" of alice, but ` +
				`the log of lobby, read at 12:01:40.000, has number 102, "text 2" of alice.`},
		"H4: two answers disagree about what has expired": {func(r *Recording) {
			expire(r, 102, 102)
			other := r.Answers[0]
			other.Client, other.At, other.History.Entries = 0, at(37), slices.Clone(other.History.Entries)
			other.History.Entries[0].Text = "other"
			r.Answers = append(r.Answers, other)
		}, "H4", Changed, `At 12:00:37.000 client 1 got a part of the log of lobby with number 102, ` +
			`"other" of alice, ` +
			`but client 1 received number 102, "text 2" of alice at 12:00:21.000.`},
		"H5: a client shows a number twice": {func(r *Recording) {
			shown := r.Views[0].Shown
			r.Views[0].Shown = slices.Insert(shown, 3, shown[3])
		}, "H5", Doubled,
			`Client 1 showed number 101, "text 1" of bob at 12:00:11.000, and again at 12:00:11.000.`},
		"H5: a client shows numbers out of order": {func(r *Recording) {
			shown := r.Views[0].Shown
			shown[3], shown[4] = shown[4], shown[3]
		}, "H5", OutOfOrder,
			`Client 1 showed number 102, "text 2" of alice at 12:00:21.000, and then it showed number 101, ` +
				`"text 1" of ` +
				`bob at 12:00:11.000.`},
		"H5: a client misses one": {func(r *Recording) { r.omit(0, 3) }, "H5", Lost,
			`Client 1 showed number 100, "text 0" of alice at 12:00:01.000, then it showed number 102, "text 2" of ` +
				`alice at 12:00:21.000, and not number 101, "text 1" of bob, which the log of lobby had at ` +
				`12:01:40.000.`},
		"H5: a client misses the first": {func(r *Recording) { r.omit(0, 2) }, "H5", Lost,
			`Client 1 began behind number 99 at 11:59:55.000, then it showed number 101`},
		"H5: a client misses the last": {func(r *Recording) { r.omit(0, 7) }, "H5", Lost,
			`Client 1, which was up to date at the end, showed number 104, "text 4" of alice at ` +
				`12:00:41.000, and never ` +
				`number 105, "text 5" of bob, which the log of lobby had at 12:01:40.000.`},
		"H5: a client misses the last, and the log was read late": {func(r *Recording) {
			r.omit(0, 7)
			read := r.Logs["lobby"]
			read.Late = true
			r.Logs["lobby"] = read
		}, "H5", Lost, `Client 1, which was up to date at the end, showed number 104`},
		"H5: a client shows another text": {func(r *Recording) {
			other := *r.Views[0].Shown[4].Entry
			other.Text = "other"
			r.Views[0].Shown[4].Entry = &other
		}, "H5",
			Changed, `Client 1 showed number 102, "other" of alice at 12:00:21.000, but the log of lobby, read at`},
		"H6: a gap without a reason": {func(r *Recording) { gap(r) }, "H6", Gap,
			`Client 2 came back at 12:00:34.000 with everything up to 101, and was told at 12:00:36.000 that ` +
				`entries of ` +
				`lobby behind 101 are gone, but nothing there has expired.`},
		"H6: something else has expired": {func(r *Recording) {
			gap(r)
			expire(r, 99, 99)
		}, "H6", Gap, "nothing there has expired"},
		"H6: it expired later": {func(r *Recording) {
			gap(r)
			expire(r, 102, 103)
			r.Expired[0].At = at(37)
		}, "H6", Gap, "nothing there has expired"},
		"H6: the last answer is older than its request": {func(r *Recording) {
			h := &r.Answers[0].History
			h.Head, h.Entries = 102, h.Entries[:1]
		}, "H6", Lost, `is number 103. After that, at 12:00:35.000, client 2 asked for the log, which ended at 102.`},
		"H7: what was broadcast is not in the log": {func(r *Recording) {
			r.Frames = append(r.Frames, Frame{1, at(61), stageclient.Message{ID: "Z", Seq: 106, Room: "lobby",
				From: user(0), Text: "z"}})
		}, "H7", Invented, `Client 2 received number 106, "z" of alice at 12:01:01.000, but the log of ` +
			`lobby, read at ` +
			`12:01:40.000, has no number 106.`},
		"H7: another text was broadcast": {func(r *Recording) { r.Frames[0].Message.Text = "other" }, "H7", Changed,
			`Client 1 received number 100, "other" of alice at 12:00:01.000, but the log of lobby`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := unfold(good())
			test.wrong(r)
			found := Check(r)
			if len(found) != 1 || found[0].Promise != test.promise || found[0].Fault != test.fault ||
				!strings.Contains(found[0].Text, test.text) {
				t.Errorf("found %+v, want %s %s: %s", found, test.promise, test.fault, test.text)
			}
			if strings.Contains(Verdict(r, found), "0 lost, 0 doubled, 0 out of order, 0 unexplained gaps") &&
				!strings.Contains(Verdict(r, found), ", 1 ") {
				t.Errorf("the verdict is %s", Verdict(r, found))
			}
		})
	}
}

func invented(seq int64) stageclient.Entry {
	return stageclient.Entry{Seq: seq, ID: "Z", From: user(1), Text: "boo", SentAt: 1}
}

// omit removes an item of a client's view.
func (r *Recording) omit(client, item int) {
	view := r.Views[client]
	view.Shown = slices.Delete(view.Shown, item, item+1)
}

// gap lets client 1 show a gap instead of numbers 102 and 103.
func gap(r *Recording) {
	view := r.Views[1]
	i := slices.IndexFunc(view.Shown, func(s Shown) bool { return s.Number == 102 })
	view.Shown = slices.Replace(view.Shown, i, i+2, Shown{Kind: AGap, At: at(36), Number: 101})
	r.Answers = nil
}

// expire removes a part of the log, as the stage says that it did in second 30.
func expire(r *Recording, first, last int64) {
	r.Expired = append(r.Expired, Expired{"lobby", first, last, at(30)})
	edit(r, func(entries []stageclient.Entry) []stageclient.Entry {
		return slices.DeleteFunc(entries, func(e stageclient.Entry) bool { return e.Seq >= first && e.Seq <= last })
	})
}

func TestWhatIsAllowedIsNoFinding(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *Recording){
		"a gap where something expired":    func(r *Recording) { gap(r); expire(r, 102, 103) },
		"the beginning of the log is gone": func(r *Recording) { expire(r, 99, 101) },
		"the end of the log is gone":       func(r *Recording) { expire(r, 104, 105) },
		"a message that was refused": func(r *Recording) {
			r.Sends = append(r.Sends, &Send{Room: "lobby", ID: "Z", From: user(0), Text: "z", Begin: at(60),
				Failure: "busy"})
		},
		"a message without an answer that is in the log": func(r *Recording) {
			r.Sends[5].Seq, r.Sends[5].End = 0, time.Time{}
		},
		"a message that a client has deleted": func(r *Recording) {
			r.Deletions = append(r.Deletions, &Deletion{Room: "lobby", Seq: 102, By: "alice", Begin: at(60)})
			edit(r, func(e []stageclient.Entry) []stageclient.Entry {
				e[3] = stageclient.Entry{Seq: 102, ID: e[3].ID, Deleted: true}
				return e
			})
		},
		"a client that was cut off at the end": func(r *Recording) {
			r.omit(0, 7)
			r.Views[0].Live = false
		},
		"a room without a log": func(r *Recording) { delete(r.Logs, "lobby") },
		"only the end of the log was read": func(r *Recording) {
			edit(r, func(e []stageclient.Entry) []stageclient.Entry { return e[1:] })
			read := r.Logs["lobby"]
			read.After = 99
			r.Logs["lobby"] = read
		},
		"two messages under way at once": func(r *Recording) {
			r.Sends[4].Begin, r.Sends[5].Begin = at(45), at(44)
			r.Sends[4].End, r.Sends[5].End = at(47), at(46)
		},
		"messages that came after the clients had left": func(r *Recording) {
			edit(r, func(e []stageclient.Entry) []stageclient.Entry {
				foreign := invented(106)
				foreign.From.Sub = "zoe"
				return append(e, foreign)
			})
			read := r.Logs["lobby"]
			read.Late = true
			r.Logs["lobby"] = read
		},
		"a message that came again after it had expired": func(r *Recording) {
			early := sent(5)
			early.Seq = 98
			r.Frames = append(r.Frames, Frame{0, at(-4), early})
			r.Expired = append(r.Expired, Expired{"lobby", 98, 98, at(0)})
			first, second := early.Entry(), r.Logs["lobby"].Entries[0]
			view := r.Views[0]
			view.Shown[0].Number = 97
			view.Shown = slices.Insert(view.Shown, 1, Shown{Kind: AnEntry, At: at(-4), Number: 98, Entry: &first},
				Shown{Kind: AnEntry, At: at(-3), Number: 99, Entry: &second})
			r.omit(0, 9) // the second copy
		},
		"a message of another user": func(r *Recording) {
			edit(r, func(e []stageclient.Entry) []stageclient.Entry {
				foreign := invented(106)
				foreign.From.Sub = "zoe"
				return append(e, foreign)
			})
			for _, v := range r.Views {
				v.Live = false
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := unfold(good())
			change(r)
			if found := Check(r); len(found) != 0 {
				t.Errorf("found %+v", found)
			}
		})
	}
}

func TestTheVerdictCountsWhatWasFound(t *testing.T) {
	t.Parallel()
	found := []Finding{{Fault: Lost}, {Fault: Lost}, {Fault: Gap}, {Fault: Invented}, {Fault: Hole}}
	want := "6 messages: 2 lost, 0 doubled, 0 out of order, 1 unexplained gaps, 1 hole in a log, 1 invented"
	if got := Verdict(good(), found); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAMessageIsRecordedOnceHoweverOftenItIsSent(t *testing.T) {
	t.Parallel()
	r := NewRecorder()
	for i := range 3 {
		r.Send(0, user(0), "lobby", "m-1", "hi", at(i))
	}
	r.GiveUp(user(0), "lobby", "m-1", "busy")
	recording := r.Finish(nil, nil)
	if s := recording.Sends; len(s) != 1 || s[0].Begin != at(0) || s[0].Failure != "busy" {
		t.Errorf("recorded %+v", s)
	}
}
