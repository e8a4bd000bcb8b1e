package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"signedsocket/shared/connections"
	"signedsocket/shared/message"
	"signedsocket/shared/roomlog"
)

const deletion = `{"action":"delete","room":"lobby","seq":17,"id":"d1"}`

// withDeletion returns a world in which the sender speaks chat.v2, v2= does, and a= does not.
func withDeletion(t *testing.T) (*world, *fakeHistory) {
	t.Helper()
	w, log := withHistory(t)
	w.store.sender.Protocol = 2
	w.join("v2=")
	w.store.members[2].Protocol = 2
	w.store.members[0].Protocol = 2
	return w, log
}

func TestADeletedMessageIsToldToMembersOfV2(t *testing.T) {
	t.Parallel()
	w, log := withDeletion(t)
	w.handle("delete", deletion)
	id := message.NoteIDFor("alice", "lobby", 17)
	want := []roomlog.Entry{{ID: id, Subject: "alice", Name: "Alice", Of: 17, At: w.now}}
	if diff := cmp.Diff(want, log.appended); diff != "" || !slices.Equal(log.deleted, []string{
		"17 in lobby, moderator false",
	}) {
		t.Errorf("deleted %q, stored (-want +got):\n%s", log.deleted, diff)
	}
	frame := fmt.Sprintf(`{"type":"deleted","room":"lobby","seq":41,"of":17,"from":{"sub":"alice","name":"Alice"},`+
		`"sentAt":%d}`, w.now.UnixMilli())
	w.received("v2=", frame)
	w.received("a=")
	w.received("sender=", frame,
		`{"type":"ack","id":"`+id+`","clientId":"d1","seq":41,"recipients":2,"delivered":2,"gone":0}`)
	if w.store.touches != 1 || w.store.strikes != 0 {
		t.Errorf("%d frames counted, %d strikes", w.store.touches, w.store.strikes)
	}
	if line := w.log.String(); !strings.Contains(line, `"moderator":false`) || strings.Contains(line, "alice") {
		t.Errorf("log:\n%s", line)
	}
}

func TestSegmentsOfADeletionHaveMembersOfV2Only(t *testing.T) {
	t.Parallel()
	w, _ := withDeletion(t)
	w.h.threshold = 1
	w.join("b=", "v2b=", "c=", "v2c=")
	for i, m := range w.store.members {
		if strings.HasPrefix(m.ConnectionID, "v2") {
			w.store.members[i].Protocol = 2
		}
	}
	w.handle("delete", deletion)
	var queued []string
	for _, segment := range w.fanout.segments {
		for _, m := range segment.Members {
			queued = append(queued, m.ConnectionID)
		}
	}
	if !slices.Equal(queued, []string{"v2b=", "v2c="}) {
		t.Errorf("handed over %q", queued)
	}
	w.endsWith(`"recipients":4,"delivered":2,"gone":0,"queued":2}`)
}

func TestAModeratorDeletesMessagesOfOthers(t *testing.T) {
	t.Parallel()
	w, log := withDeletion(t)
	w.store.sender.Moderator = true
	w.handle("delete", deletion)
	if !slices.Equal(log.deleted, []string{"17 in lobby, moderator true"}) {
		t.Errorf("deleted %q", log.deleted)
	}
	if line := w.log.String(); !strings.Contains(line, `"moderator":true`) {
		t.Errorf("log:\n%s", line)
	}
}

func TestADeletionThatNoGoodClientSendsIsAStrike(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		change     func(*connections.Connection)
		touches    int
		code       message.Code
	}{
		{"no number", `{"action":"delete","room":"lobby","id":"d1"}`, nil, 0, message.BadMessage},
		{"too large", deletion + strings.Repeat(" ", 4096), nil, 0, message.TooLarge},
		{"chat.v1", deletion, func(c *connections.Connection) { c.Protocol = 1 }, 1, message.UnknownAction},
		{"another room", `{"action":"delete","room":"ops","seq":17,"id":"d1"}`, nil, 1, message.RoomNotAllowed},
		{"a room to read", deletion, func(c *connections.Connection) { c.Rooms[0].ReadOnly = true }, 1,
			message.ReadOnly},
		{"a moderator in a room to read", deletion, func(c *connections.Connection) {
			c.Rooms[0].ReadOnly, c.Moderator = true, true
		}, 1, message.ReadOnly},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w, log := withDeletion(t)
			log.err = errors.New("the log was asked")
			if test.change != nil {
				test.change(&w.store.sender)
			}
			w.handle("delete", test.body)
			w.endsWith(`"code":"` + string(test.code) + `"`)
			if w.store.touches != test.touches || w.store.strikes != 1 || len(w.gateway.frames("v2=")) > 0 {
				t.Errorf("%d frames counted, %d strikes, posted %q", w.store.touches, w.store.strikes,
					w.gateway.frames("v2="))
			}
		})
	}
}

func TestADeletionThatTheLogRefusesIsTold(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"no such message", roomlog.ErrNotFound, `"code":"not_found","message":"…","clientId":"d1"}`},
		{"of another user", roomlog.ErrNotYours, `"code":"not_yours","message":"…","clientId":"d1"}`},
		{"busy", roomlog.ErrBusy, `"code":"busy","message":"…","clientId":"d1","retryAfterMs":2000}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w, log := withDeletion(t)
			log.err = test.err
			w.handle("delete", deletion)
			w.received("v2=")
			before, behind, _ := strings.Cut(test.want, "…")
			w.endsWith(before)
			w.endsWith(behind)
			if w.store.strikes != 0 {
				t.Errorf("%d strikes", w.store.strikes)
			}
		})
	}
}

func TestWithoutHistoryThereIsNothingToDelete(t *testing.T) {
	t.Parallel()
	w, _ := withDeletion(t)
	w.h.history = nil
	w.handle("delete", deletion)
	w.endsWith(`"code":"not_found"`)
	w.received("v2=")
}

func TestAFaultOfTheLogIsAFaultOfTheDeletion(t *testing.T) {
	t.Parallel()
	w, log := withDeletion(t)
	log.err = errors.New("connection reset")
	w.fails("delete", deletion, log.err)
	w.received("v2=")
}

// TestAReadOnlyMemberWritesNothing: the log may have been read meanwhile, and nothing of it shows.
func TestAReadOnlyMemberWritesNothing(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"message":"hi","room":"lobby","id":"m1"}`, `{"message":"hi","id":"m1"}`,
		`{"message":"hi","room":"lobby","id":"m1","after":99999999999999}`,
	} {
		w, log := withDeletion(t)
		w.store.sender.Rooms[0].ReadOnly = true
		log.first = &roomlog.Entry{Seq: 7, ID: freshID, Subject: "alice", Text: "first text"}
		w.handle("sendmessage", body)
		w.received("v2=")
		w.endsWith(`"code":"read_only"`)
		if len(w.gateway.frames("sender=")) != 1 || len(log.appended) > 0 || w.store.strikes != 1 {
			t.Errorf("%s: the sender got %q, stored %+v, %d strikes", body, w.gateway.frames("sender="), log.appended,
				w.store.strikes)
		}
	}
}
