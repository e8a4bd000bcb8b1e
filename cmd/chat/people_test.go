package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
)

// askedForUsers is the next question of the chat, which asks for the users in the lobby.
func (c *remembering) askedForUsers(socket *fakeSocket) {
	c.t.Helper()
	q := <-socket.asked
	if q.ID != hereRequest || !slices.Equal(q.Here, []string{"lobby"}) || len(q.Wants)+len(q.Read) > 0 {
		c.t.Errorf("asked %+v", q)
	}
}

func TestTheUserAsksWhoIsHere(t *testing.T) {
	t.Parallel()
	bob := stageclient.User{Sub: "bob", Name: "Bob\x1b"}
	for want, answer := range map[string]stageclient.Presence{
		"* 2 users are in lobby: Alice (you), Bob\uFFFD\n": {Count: 2, Users: []stageclient.User{bob, alice}},
		"* 1 user is in lobby: Alice (you)\n":              {Count: 1, Users: []stageclient.User{alice}},
		"* 250 users are in lobby\n":                       {Count: 250},
	} {
		remember(t, 0, func(c *remembering) {
			socket := c.next()
			answer.Room, answer.N = "lobby", 7
			socket.frames <- answer // which the user has not asked for
			c.pass(0)
			c.wantNoted("in lobby:", 0)
			c.lines <- "/here"
			close(c.lines)
			c.askedForUsers(socket)
			other := answer
			other.Room = "ops"
			socket.frames <- other
			c.pass(time.Second)
			socket.frames <- answer
			if err := c.end(time.Second); err != nil {
				t.Error(err)
			}
			c.wantNoted(want, 1)
			if got := c.out.String(); got != "" || len(socket.sent) > 0 {
				t.Errorf("shown %q, and %d messages sent", got, len(socket.sent))
			}
		})
	}
}

func TestTheQuestionWhoIsHereIsAskedAgain(t *testing.T) {
	t.Parallel()
	remember(t, 0, func(c *remembering) {
		socket := c.next()
		c.write("/here")
		c.askedForUsers(socket)
		socket.frames <- stageclient.Error{Code: "rate_limited", ClientID: hereRequest, RetryAfterMs: 3000}
		c.pass(2900 * time.Millisecond)
		if len(socket.asked) > 0 {
			t.Errorf("asked %+v too early", <-socket.asked)
		}
		c.pass(200 * time.Millisecond)
		c.askedForUsers(socket)
		socket.Close()
		socket = <-c.stage.sockets
		asked := map[string]bool{}
		for range 2 {
			asked[(<-socket.asked).ID] = true
		}
		if !asked[hereRequest] {
			t.Errorf("asked %v", asked)
		}
		socket.frames <- stageclient.Presence{Room: "lobby", Count: 1, Users: []stageclient.User{alice}}
		c.pass(time.Minute)
		c.wantNoted("1 user is in lobby", 1)
		c.wantNoted("does not tell", 0)
		c.hangUp()
	})
}

func TestStagesThatDoNotTellWhoIsHere(t *testing.T) {
	t.Parallel()
	for want, answer := range map[string]stageclient.Frame{
		"its PresenceLimit is 0": stageclient.Pong{},
		"the stage does not tell who is here: No. (bad_message)": stageclient.Error{
			Code: "bad_message", ClientID: hereRequest, Text: "No.",
		},
	} {
		remember(t, 0, func(c *remembering) {
			socket := c.next()
			c.lines <- "/here"
			close(c.lines)
			c.askedForUsers(socket)
			socket.frames <- answer
			if err := c.end(ackTimeout + time.Second); err != nil {
				t.Error(err)
			}
			c.wantNoted(want, 1)
		})
	}
	talk(t, nil, func(c *conversation) {
		<-c.stage.sockets
		c.lines <- "/here"
		c.pass(0)
		if got := c.notes.String(); !strings.Contains(got, "this server does not tell who is here (chat.v1)") {
			t.Errorf("noted %q", got)
		}
		c.hangUp()
	})
}

func TestARoomForReadingTakesNoText(t *testing.T) {
	t.Parallel()
	setUp := func(c *conversation) {
		c.stage.session.history, c.stage.last = true, 20
		c.stage.session.readOnly = map[string]bool{"lobby": true}
	}
	talkTo(t, setUp, nil, func(talk *conversation) {
		c := &remembering{talk, lobbyLog()}
		c.say("alice", "M-0", "zero")
		socket := c.next()
		c.wantNoted("connected as Alice (alice) in lobby (read only) until", 1)
		c.lines <- "hi"
		c.lines <- "/delete"
		close(c.lines)
		err := c.end(time.Minute)
		if c.exitCode(err) != exitFailed || len(socket.sent)+len(socket.erased) > 0 {
			t.Errorf("%d messages and %d deletions sent, %v", len(socket.sent), len(socket.erased), err)
		}
		c.wantNoted(`not sent: "hi": you may only read in lobby`, 1)
		c.wantNoted("nothing was deleted: you may only read in lobby", 1)
		c.wantShown("zero")
	})
}

// A deletion waits while the connection is lost, and the user may lose the right to write meanwhile.
func TestADeletionIsNotSentToARoomForReading(t *testing.T) {
	t.Parallel()
	remember(t, 20, func(c *remembering) {
		c.say("alice", "M-0", "zero")
		socket := c.next()
		c.write("/delete")
		<-socket.erased
		c.stage.session.readOnly = map[string]bool{"lobby": true}
		socket.Close()
		c.noErasure(c.next())
		c.wantNoted(`not deleted: "zero": you may only read in lobby`, 1)
		c.hangUp()
	})
}
