package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/presence"
	"signedsocket/shared/roomlog"
)

// alone is the frame that tells alice that she is alone in a room.
func alone(room string) string {
	return `{"type":"presence","room":"` + room + `","n":1,"count":1,"users":[{"sub":"alice","name":"Alice"}]}`
}

func TestAClientSeesWhoIsThereAfterItsMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ask(`{"action":"history","want":[{"room":"lobby","after":15}],"here":["lobby"]}`)
	w.received(`{"type":"synced","heads":{"lobby":15}}`, alone("lobby"))
	w.ask(`{"action":"history","here":["news","lobby"]}`)
	slices.Sort(w.gateway.posted)
	w.received(alone("lobby"), alone("news"))
	if w.store.counted != 3 || w.rosters.posted != 0 {
		t.Errorf("%d requests counted, want one for each room; %d pushes", w.store.counted, w.rosters.posted)
	}
}

func TestAPushFollowsTheAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rosters.push = new(presence.Push)
	w.ask(`{"action":"history","here":["lobby"]}`)
	w.received(alone("lobby"))
	if w.rosters.posted != 1 {
		t.Errorf("%d pushes", w.rosters.posted)
	}
}

func TestWithoutPresenceNothingIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.h.rosters = nil
	w.ask(`{"action":"history","here":["lobby"]}`)
	w.received()
	w.ask(`{"action":"history","want":[{"room":"lobby","after":15}],"here":["lobby"]}`)
	w.received(`{"type":"synced","heads":{"lobby":15}}`)
}

// TestNoAnswerAboutMembersIsNoFault: the client has its messages, and the next tick tells it.
func TestNoAnswerAboutMembersIsNoFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rosters.unknown = true
	w.ask(`{"action":"history","here":["lobby"]}`)
	w.received()
	if strings.Contains(w.log.String(), "ERROR") {
		t.Errorf("log:\n%s", w.log)
	}
	w.rosters.err = errors.New("no route to table")
	w.ask(`{"action":"history","want":[{"room":"lobby","after":15}],"here":["lobby"]}`)
	w.received(`{"type":"synced","heads":{"lobby":15}}`)
	if !strings.Contains(w.log.String(), `"message":"presence failed"`) {
		t.Errorf("log:\n%s", w.log)
	}
}

func TestMembersOfAForeignRoomAreNotAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ask(`{"action":"history","here":["lobby","ops"]}`)
	if len(w.rosters.asked) != 0 || len(w.gateway.posted) != 1 ||
		!strings.Contains(w.gateway.posted[0], `"code":"room_not_allowed"`) {
		t.Errorf("asked for %v, the client got %s", w.rosters.asked, w.gateway.posted)
	}
}

func TestMarkersAreMovedAndTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ask(`{"action":"history","read":{"news":7,"lobby":12},"id":"h8"}`)
	w.received(`{"type":"synced","clientId":"h8","heads":{"lobby":15,"news":0},"read":{"lobby":12}}`)
	w.ask(`{"action":"history","read":{"lobby":11}}`)
	w.received(`{"type":"synced","heads":{"lobby":15},"read":{"lobby":12}}`)
	w.ask(`{"action":"history","read":{"lobby":0}}`)
	w.received(`{"type":"synced","heads":{"lobby":15},"read":{"lobby":12}}`)
	w.ask(`{"action":"history","want":[{"room":"lobby","after":15},{"room":"news","after":0}]}`)
	w.received(`{"type":"synced","heads":{"lobby":15,"news":0},"read":{"lobby":12}}`)
	w.ask(`{"action":"history","want":[{"room":"lobby","after":14}],"read":{"lobby":14}}`)
	w.received(`{"type":"history","room":"lobby","after":14,"entries":[` + shown(15) +
		`],"head":15,"complete":true,"more":false,"keepDays":7,"read":14}`)
	w.ask(`{"action":"history","want":[{"room":"news","last":1}],"read":{"lobby":15}}`)
	w.received(`{"type":"history","room":"news","last":1,"entries":[],"head":0,"more":false,"keepDays":7}`)
	if got := w.markers.seqs["lobby"]; got != 15 {
		t.Errorf("the marker of a room without a want is at %d, want 15", got)
	}
}

// TestNoUserHasReadMoreThanThereIs: the marker of a room without messages is not stored at all.
func TestNoUserHasReadMoreThanThereIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ask(`{"action":"history","read":{"lobby":9007199254740991,"news":5}}`)
	w.received(`{"type":"synced","heads":{"lobby":15,"news":0},"read":{"lobby":15}}`)
	if got := w.markers.seqs; len(got) != 1 || got["lobby"] != 15 {
		t.Errorf("markers %v", got)
	}
	w.markers.seqs["lobby"] = 20 // before the table was restored
	w.ask(`{"action":"history","want":[{"room":"lobby","after":15}]}`)
	w.received(`{"type":"synced","heads":{"lobby":15},"read":{"lobby":15}}`)
}

func TestMarkersAreReadOnceForEachWantedRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.markers.seqs["lobby"] = 12
	w.ask(`{"action":"history","want":[{"room":"lobby","before":12,"limit":1},{"room":"news","last":1}]}`)
	w.received(`{"type":"history","room":"lobby","before":12,"entries":[`+shown(11)+
		`],"head":15,"more":false,"keepDays":7}`,
		`{"type":"history","room":"news","last":1,"entries":[],"head":0,"more":false,"keepDays":7}`)
	if w.markers.gets != 1 || w.markers.moves != 0 {
		t.Errorf("%d markers read and %d moved, want one and none", w.markers.gets, w.markers.moves)
	}
	w.h.keepDays, w.h.rooms = 0, roomlog.New(nil, "table", 0)
	w.ask(`{"action":"history","want":[{"room":"news","last":1}],"read":{"lobby":12}}`)
	w.received(`{"type":"history","room":"news","last":1,"entries":[],"head":0,"more":false,"keepDays":0}`)
	if w.markers.gets != 1 || w.markers.moves != 0 {
		t.Error("markers are read without history")
	}
}

func TestMarkersThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, body := range []string{
		`{"action":"history","want":[{"room":"lobby","last":5}]}`, `{"action":"history","read":{"lobby":5}}`,
	} {
		w.markers.err = fmt.Errorf("read marker: %w", new(types.ProvisionedThroughputExceededException))
		w.ask(body)
		w.received(`{"type":"error","code":"busy","message":"The room is busy, try again in a moment.",` +
			`"retryAfterMs":2000}`)
		w.markers.err = errors.New("no route to table")
		if err := w.serve("history", body); !errors.Is(err, w.markers.err) {
			t.Errorf("err = %v", err)
		}
	}
}
