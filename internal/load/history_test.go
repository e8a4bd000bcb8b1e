package load

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
)

// append adds a message to the log of the room.
func (r *room) append(sender, clientID, text string) stageclient.Message {
	return r.log.Add(stageclient.Message{
		ID: stageclient.MessageID(sender, "lobby", clientID), Room: "lobby", Text: text, SentAt: 1795348980000,
		From: stageclient.User{Sub: sender, Name: name(sender)},
	})
}

// wire returns a frame as the stage sends it. Of after, before and last it holds the one that is set.
func wire(t *testing.T, frame stageclient.Frame) []byte {
	t.Helper()
	text, err := json.Marshal(frame)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	members["type"] = strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", frame), "stageclient."))
	for name, absent := range map[string]any{"after": nil, "before": 0.0, "last": 0.0} {
		if members[name] == absent {
			delete(members, name)
		}
	}
	if members["entries"] == nil && members["type"] == "history" {
		members["entries"] = []any{}
	}
	text, err = json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// startRoomWithLog starts a room that keeps history, with a message of the past.
func startRoomWithLog(t *testing.T, script func(r *room, sent *outgoing)) *room {
	t.Helper()
	r := startRoom(t, script)
	r.log = clienttest.NewLog("lobby", 500)
	r.log.PageSize = 7
	r.log.Append("before")
	return r
}

func TestEveryMessageIsInTheHistoryOnce(t *testing.T) {
	t.Parallel()
	report := run(t, startRoomWithLog(t, nil), quick())
	if missed := report.Missed(Goals{}); len(missed) != 0 || report.History == nil || report.History.Entries != 20 {
		t.Errorf("missed %q, history %+v", missed, report.History)
	}
	want := "history          20 entries; 20 messages: 0 lost, 0 doubled, 0 out of order, 0 unexplained gaps"
	if text := report.Text(); !strings.Contains(text, want) {
		t.Errorf("the report says:\n%s", text)
	}
}

func TestAStageWithoutHistoryHasNoSuchLine(t *testing.T) {
	t.Parallel()
	withoutDays := startRoomWithLog(t, nil)
	withoutDays.log.KeepDays = 0
	for _, r := range []*room{startRoom(t, nil), withoutDays} {
		report := run(t, r, quick())
		if report.History != nil || strings.Contains(report.Text(), "history") || len(report.Missed(Goals{})) != 0 {
			t.Errorf("missed %q, history %+v", report.Missed(Goals{}), report.History)
		}
	}
}

// A client may read a message in the log before the frame comes: that is no repetition.
func TestAFrameAfterTheLogIsNoRepetition(t *testing.T) {
	t.Parallel()
	l := newLedger("r", 1)
	l.join(0, stageclient.User{Sub: "a"})
	l.send(0, 0, l.text(0), time.Now())
	got := stageclient.Message{ID: "I", From: stageclient.User{Sub: "a"}, Text: l.text(0), Seq: 7}
	l.receive(0, got, inTheLog, time.Now())
	l.receive(0, got, asAFrame, time.Now())
	if r := l.report(); r.Deliveries.Repeated != 0 || r.Deliveries.Arrived != 1 {
		t.Errorf("deliveries %+v", r.Deliveries)
	}
	l.receive(0, got, asAFrame, time.Now())
	if r := l.report(); r.Deliveries.Repeated != 1 {
		t.Errorf("deliveries %+v, want a second frame to be one", r.Deliveries)
	}
}

// A message that comes back with a number is stored, so its sender needs no acknowledgement.
func TestAnEchoWithANumberIsAnAnswer(t *testing.T) {
	t.Parallel()
	report := run(t, startRoomWithLog(t, func(_ *room, o *outgoing) { o.answer = "" }), quick())
	if missed := report.Missed(Goals{}); len(missed) != 0 || report.Messages.Acknowledged != 20 {
		t.Errorf("missed %q, messages %+v", missed, report.Messages)
	}
}

// A frame that gets lost is no loss: the client reads the message in the log.
func TestALostFrameIsReadInTheLog(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]int{"one in the middle": 9, "the last one": 19} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := run(t, startRoomWithLog(t, func(_ *room, o *outgoing) {
				if o.n == lost {
					delete(o.frames, o.other())
				}
			}), quick())
			if missed := report.Missed(Goals{}); len(missed) != 0 || report.Deliveries.Arrived != 80 {
				t.Errorf("missed %q\n%s", missed, report.Text())
			}
		})
	}
}

func TestTheVerdictFindsFaultsOfTheLog(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		wrong           func(r *room, o *outgoing)
		verdict, detail string
	}{
		"a message is not in it": {func(r *room, o *outgoing) {
			r.log.Replace(slices.DeleteFunc(r.log.Entries(), func(e stageclient.Entry) bool {
				return e.Text == o.text
			}))
		}, "1 hole in a log", "was told at"},
		"a message is in it twice": {func(r *room, o *outgoing) {
			entries := r.log.Entries()
			again := entries[len(entries)-1]
			r.log.Add(stageclient.Message{ID: again.ID, From: again.From, Text: again.Text, SentAt: again.SentAt})
		}, "1 doubled", "the same message again as number"},
		"it has another text": {func(r *room, _ *outgoing) {
			entries := r.log.Entries()
			entries[len(entries)-1].Text = "other"
			r.log.Replace(entries)
		}, "changed", `but the log of lobby, read at`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := quick()
			plan.Drain = 2 * time.Second
			report := run(t, startRoomWithLog(t, func(r *room, o *outgoing) {
				if o.n == 9 {
					test.wrong(r, o)
				}
			}), plan)
			missed := strings.Join(report.Missed(Goals{}), "; ")
			if !strings.Contains(missed, "the log and the clients do not agree") ||
				!strings.Contains(missed, test.verdict) {
				t.Errorf("missed %q", missed)
			}
			if text := report.Text(); !strings.Contains(text, test.detail) {
				t.Errorf("the report says:\n%s", text)
			}
		})
	}
}

func TestTheReaderOfTheLogRetriesAfterATemporaryRefusal(t *testing.T) {
	t.Parallel()
	r := startRoomWithLog(t, nil)
	r.accept = func(attempt int) int {
		if attempt == 5 {
			return http.StatusTooManyRequests
		}
		return http.StatusSwitchingProtocols
	}
	if report := run(t, r, quick()); len(report.Missed(Goals{})) != 0 || report.History.Entries != 20 {
		t.Errorf("missed %q, history %+v", report.Missed(Goals{}), report.History)
	}
}

func TestALogThatCannotBeReadIsAMissedGoal(t *testing.T) {
	t.Parallel()
	r := startRoomWithLog(t, nil)
	r.accept = func(attempt int) int {
		if attempt > 4 {
			return http.StatusForbidden
		}
		return http.StatusSwitchingProtocols
	}
	if missed := run(t, r, quick()).Missed(Goals{}); len(missed) != 1 ||
		!strings.Contains(missed[0], "the log was not read: handshake refused with status 403") {
		t.Errorf("missed %q", missed)
	}
}
