package main

import (
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
)

func TestTheRoomsOfTheNextConnectionAreFollowed(t *testing.T) {
	t.Parallel()
	remember(t, 2, func(c *remembering) {
		c.say("bob", "M-a", "a")
		first := c.next()
		c.stage.session.rooms = []string{"ops"} // the user has lost the lobby
		c.log = clienttest.NewLog("ops", 100)
		first.Close()
		c.pass(time.Second)
		socket := <-c.stage.sockets
		request := c.answer(socket)
		for _, want := range request.Wants {
			if want.Room != "ops" {
				t.Errorf("asked for %s", want.Room)
			}
		}
		m := c.say("bob", "M-b", "b")
		m.Room = "ops"
		socket.frames <- m
		c.answer(socket) // whether another one came before
		c.wantShown("a b")
		if err := c.hangUp(); err != nil {
			t.Error(err)
		}
	})
}

func TestABusyRoomDoesNotHideTheLostMessageOfAQuietOne(t *testing.T) {
	t.Parallel()
	rememberIn(t, []string{"lobby", "ops"}, 1, func(c *remembering) {
		busy := clienttest.NewLog("ops", 100)
		busy.Append("first")
		c.say("bob", "M-a", "a")
		socket := <-c.stage.sockets
		began := time.Now()
		serve := func(request stageclient.Question) {
			for _, frame := range clienttest.Answer([]*clienttest.Log{c.log, busy}, request.ID, request.Wants) {
				socket.frames <- frame
			}
			c.pass(time.Millisecond)
		}
		serve(<-socket.asked)
		c.say("bob", "M-b", "lost") // no frame comes
		for len(socket.asked) == 0 && time.Since(began) < time.Hour {
			c.pass(time.Second)
			socket.frames <- busy.Append("busy")
			c.pass(0)
		}
		if quiet := time.Since(began); quiet < silenceMin || quiet > silenceMin+silenceJitter+2*time.Second {
			t.Errorf("asked after %v", quiet)
		}
		serve(<-socket.asked)
		if !strings.HasSuffix(c.shown(), "lost") || len(socket.pings) != 0 {
			t.Errorf("%d pings, shown %q", len(socket.pings), c.shown())
		}
		c.hangUp()
	})
}
