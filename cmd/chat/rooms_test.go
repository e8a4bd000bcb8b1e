package main

import (
	"testing"
	"time"

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
