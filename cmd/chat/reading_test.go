package main

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
)

func lobbyLog() *clienttest.Log { return clienttest.NewLog("lobby", 100) }

func TestUnreadMessagesAreCounted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		last  int
		read  int64
		want  string // the line
		shown string
	}{
		"all are shown":       {20, 100, "— 2 unread messages —", "0 1 3 4"},
		"only own and notes":  {20, 104, "", "0 1 3 4"},
		"one":                 {20, 103, "— 1 unread message —", "0 1 3 4"},
		"nothing is known":    {20, 0, "", "0 1 3 4"},
		"some are not shown":  {3, 100, "— about 5 unread messages; the last ones are: —", "3 4"},
		"none is shown":       {0, 100, "— about 5 unread messages —", ""},
		"everything was read": {0, 105, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			remember(t, test.last, func(c *remembering) {
				for n, sub := range []string{"bob", "bob", "bob", "alice", "bob"} {
					c.say(sub, fmt.Sprint("M-", n), fmt.Sprint(n))
				}
				c.log.Delete(102, stageclient.User{Sub: "bob"})
				c.log.Read = test.read
				socket := c.next()
				c.wantShown(test.shown)
				times := 1
				if test.want == "" {
					test.want, times = "unread", 0
				}
				c.wantNoted(test.want, times)
				c.pass(time.Minute)
				for len(socket.asked) > 0 {
					if q := <-socket.asked; len(q.Read) > 0 {
						t.Errorf("in a pipe the chat says that it has read %v", q.Read)
					}
				}
				c.hangUp()
			})
		})
	}
}

// wantRead takes the next statement of what the person has read.
func (c *remembering) wantRead(socket *fakeSocket, want int64) {
	c.t.Helper()
	if q := <-socket.asked; q.ID != readRequest || !maps.Equal(q.Read, map[string]int64{"lobby": want}) {
		c.t.Errorf("told %+v, want that %d was read", q, want)
	}
}

func TestAPersonTellsWhatWasRead(t *testing.T) {
	t.Parallel()
	setUp := func(c *conversation) {
		c.stage.session.history, c.stage.last, c.person = true, 20, true
	}
	talkTo(t, setUp, nil, func(talk *conversation) {
		c := &remembering{talk, lobbyLog()}
		c.say("bob", "M-0", "zero")
		c.say("bob", "M-1", "one")
		c.log.Read = 100
		socket := c.next()
		c.wantNoted("— 1 unread message —", 1)
		c.pass(readPause)
		c.wantRead(socket, 101)
		socket.frames <- stageclient.Synced{ClientID: readRequest, Heads: map[string]int64{"lobby": 101}}
		for n := range 5 {
			socket.frames <- c.say("bob", fmt.Sprint("N-", n), "more")
		}
		c.pass(readPause)
		c.wantRead(socket, 106)
		c.pass(time.Minute)
		if len(socket.asked) > 0 {
			t.Errorf("asked %+v", <-socket.asked)
		}
		socket.frames <- c.say("bob", "M-9", "nine")
		c.pass(0)
		c.hangUp()
		c.wantRead(socket, 107)
	})
}
