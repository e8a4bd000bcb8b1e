package main

import (
	"fmt"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
)

func TestRequestsOfTheUserWaitForTheBudget(t *testing.T) {
	t.Parallel()
	remember(t, 1, func(c *remembering) {
		for i := range 30 * olderPage {
			c.say("bob", fmt.Sprint("M", i), fmt.Sprint(i))
		}
		socket := c.next()
		began := time.Now()
		for range 25 {
			c.lines <- olderCommand
		}
		answered := 1
		for ; answered < 26; answered++ {
			if c.answer(socket); time.Since(began) < 9*time.Second && answered > 15 {
				t.Fatalf("%d requests in %v", answered+1, time.Since(began))
			}
		}
		if waited := time.Since(began); waited > 11*time.Second {
			t.Errorf("26 requests took %v", waited)
		}
		c.hangUp()
	})
}

func TestTheSearchForAMessageWaitsForTheBudget(t *testing.T) {
	t.Parallel()
	remember(t, 0, func(c *remembering) {
		c.log.PageSize = 1
		socket := c.next()
		c.lines <- "hi"
		close(c.lines)
		sent := <-socket.sent
		for i := range 40 {
			c.say("bob", fmt.Sprint("M", i), fmt.Sprint(i))
		}
		c.say("alice", stageclient.MessageID("alice", "lobby", sent.ID), "hi")
		began := time.Now()
		socket.frames <- stageclient.Error{Code: "far_behind", ClientID: sent.ID}
		for asked := 1; asked < 42; asked++ {
			if c.answer(socket); time.Since(began) < time.Duration(asked/16)*9*time.Second {
				t.Fatalf("%d requests in %v", asked+1, time.Since(began))
			}
		}
		if err := c.end(time.Second); err != nil || len(socket.sent) != 0 {
			t.Errorf("sent %d times more, ended with %v", len(socket.sent), err)
		}
	})
}
