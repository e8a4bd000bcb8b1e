package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/message"
	"signedsocket/shared/roomlog"
)

// withHistory returns a world whose room has two members and a log.
func withHistory(t *testing.T) (*world, *fakeHistory) {
	t.Helper()
	w, log := newWorld(t), new(fakeHistory)
	w.join("sender=", "a=")
	w.h.history = log
	w.h.now = func() time.Time { return w.now }
	return w, log
}

func TestAMessageIsStoredAndPostedWithItsNumber(t *testing.T) {
	t.Parallel()
	w, log := withHistory(t)
	w.handle("sendmessage", `{"message":"hi","room":"lobby","id":"m1","after":40}`)
	id := message.IDFor("alice", "lobby", "m1")
	want := []roomlog.Entry{{ID: id, Subject: "alice", Name: "Alice", Text: "hi", At: w.now}}
	if diff := cmp.Diff(want, log.appended); diff != "" || !slices.Equal(log.looks, []string{"lobby 40"}) {
		t.Errorf("read %q, stored (-want +got):\n%s", log.looks, diff)
	}
	frame := fmt.Sprintf(`{"type":"message","id":"%s","seq":41,"room":"lobby",`+
		`"from":{"sub":"alice","name":"Alice"},"message":"hi","sentAt":%d}`, id, w.now.UnixMilli())
	w.received("a=", frame)
	w.received("sender=", frame,
		`{"type":"ack","id":"`+id+`","clientId":"m1","seq":41,"recipients":2,"delivered":2,"gone":0}`)
}

func TestTheLogIsReadWhileTheFrameIsCounted(t *testing.T) {
	t.Parallel()
	w, log := withHistory(t)
	log.looking = make(chan struct{})
	w.store.touching = func() { <-log.looking } // ends only if Look does not wait for Touch
	w.handle("sendmessage", `{"message":"hi","room":"lobby"}`)
	if len(log.appended) != 1 {
		t.Errorf("stored %+v", log.appended)
	}
}

func TestAPanicWhileTheLogIsReadIsAFault(t *testing.T) {
	t.Parallel()
	w, log := withHistory(t)
	log.panics = true
	w.fails("sendmessage", `{"message":"hi","room":"lobby"}`, logging.ErrPanic)
	if len(log.appended) != 0 || strings.Contains(w.log.String(), "secret") {
		t.Errorf("stored %+v, log:\n%s", log.appended, w.log)
	}
}

func TestAFrameWithoutRoomIsStoredInTheOnlyRoom(t *testing.T) {
	t.Parallel()
	w, log := withHistory(t)
	w.handle("sendmessage", `{"message":"hi"}`)
	if want := []string{"lobby -1"}; !slices.Equal(log.looks, want) || len(log.appended) != 1 {
		t.Errorf("read %q, want %q; stored %+v", log.looks, want, log.appended)
	}
}

func TestAResendPostsTheMessageThatWasStoredFirst(t *testing.T) {
	t.Parallel()
	w, log := withHistory(t)
	log.first = &roomlog.Entry{
		Seq: 7, ID: freshID, Subject: "alice", Name: "Alice B.", Text: "first text", At: w.now.Add(-time.Minute),
	}
	w.handle("sendmessage", `{"message":"other text","room":"lobby","id":"m1"}`)
	w.received("a=", fmt.Sprintf(`{"type":"message","id":"`+freshID+`","seq":7,"room":"lobby",`+
		`"from":{"sub":"alice","name":"Alice B."},"message":"first text","sentAt":%d}`,
		w.now.Add(-time.Minute).UnixMilli()))
}

func TestAResendOfADeletedMessageIsAcknowledgedAndNotPosted(t *testing.T) {
	t.Parallel()
	for protocol, deleted := range map[int]string{1: "", 2: `,"deleted":true`} {
		t.Run(fmt.Sprint("chat.v", protocol), func(t *testing.T) {
			t.Parallel()
			w, log := withHistory(t)
			w.store.sender.Protocol = protocol
			log.first = &roomlog.Entry{Seq: 7, ID: freshID, Deleted: true}
			w.handle("sendmessage", `{"message":"hi","room":"lobby","id":"m1"}`)
			w.received("a=")
			w.received("sender=", `{"type":"ack","id":"`+freshID+
				`","clientId":"m1","seq":7,"recipients":1,"delivered":0,"gone":0`+deleted+`}`)
		})
	}
}

func TestAMemberThatMissedAStoredMessageIsCounted(t *testing.T) {
	t.Parallel()
	w, _ := withHistory(t)
	w.gateway.fail = func(id string, _ int) error {
		if id == "a=" {
			return errors.New("status 500")
		}
		return nil
	}
	w.handle("sendmessage", `{"message":"hi","room":"lobby"}`)
	got := w.gateway.frames("sender=")
	if len(got) != 2 || !strings.HasSuffix(got[1], `"seq":41,"recipients":2,"delivered":1,"gone":0,"missed":1}`) {
		t.Errorf("the sender got %q", got)
	}
}

func TestAStoredMessageIsAFaultIfNoPostWorks(t *testing.T) {
	t.Parallel()
	w, log := withHistory(t)
	forbidden := errors.New("status 403")
	w.gateway.fail = func(string, int) error { return forbidden }
	w.fails("sendmessage", `{"message":"hi","room":"lobby"}`, forbidden)
	if len(log.appended) != 1 {
		t.Errorf("stored %+v", log.appended)
	}
}

func TestAMessageThatIsNotStoredIsNotPosted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		err      error
		protocol int
		strikes  int
		want     string // "" for a fault
	}{
		{"a number of the future", roomlog.ErrAhead, 2, 1,
			`{"type":"error","code":"bad_message","message":"…","clientId":"m1"}`},
		{"too far behind", roomlog.ErrFarBehind, 2, 0,
			`{"type":"error","code":"far_behind","message":"…","clientId":"m1"}`},
		{"a busy log, in chat.v1", roomlog.ErrBusy, 0, 0,
			`{"type":"error","code":"rate_limited","message":"…","clientId":"m1","retryAfterMs":2000}`},
		{"a busy log", roomlog.ErrBusy, 2, 0,
			`{"type":"error","code":"busy","message":"…","clientId":"m1","retryAfterMs":2000}`},
		{"a fault", errors.New("status 500"), 2, 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w, log := withHistory(t)
			log.err, w.store.sender.Protocol = test.err, test.protocol
			if test.want == "" {
				w.fails("sendmessage", `{"message":"hi","room":"lobby","id":"m1"}`, test.err)
				w.received("sender=")
			} else {
				w.handle("sendmessage", `{"message":"hi","room":"lobby","id":"m1"}`)
				if got := w.gateway.frames("sender="); len(got) != 1 || withoutText(got[0]) != test.want {
					t.Errorf("the sender got %q, want %s", got, test.want)
				}
			}
			w.received("a=")
			if w.store.strikes != test.strikes {
				t.Errorf("%d strikes, want %d", w.store.strikes, test.strikes)
			}
		})
	}
}

func TestARefusedFrameIsNotStored(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"another room":       `{"message":"hi","room":"secret"}`,
		"no name of a room":  `{"message":"hi","room":"../lobby"}`,
		"a negative number":  `{"message":"hi","room":"lobby","after":-1}`,
		"a number too large": `{"message":"hi","room":"lobby","after":9223372036854775808}`,
		"no whole number":    `{"message":"hi","room":"lobby","after":1.5}`,
		"a text":             `{"message":"hi","room":"lobby","after":"1"}`,
	} {
		w, log := withHistory(t)
		w.handle("sendmessage", body)
		if len(log.appended) != 0 || w.store.strikes != 1 {
			t.Errorf("%s: stored %+v, %d strikes", name, log.appended, w.store.strikes)
		}
	}
	w, log := withHistory(t)
	w.store.touchErr = connections.ErrSessionEnded
	w.handle("sendmessage", `{"message":"hi","room":"lobby"}`)
	if len(log.appended) != 0 {
		t.Errorf("a session that has ended stored %+v", log.appended)
	}
}
