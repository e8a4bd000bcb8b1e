package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
)

var alice = stageclient.User{Sub: "alice", Name: "Alice"}

// write sends a line of the user and lets the chat handle it.
func (c *remembering) write(line string) { c.lines <- line; c.pass(0) }

// erase plays the server for the next request to delete.
func (c *remembering) erase(socket *fakeSocket) {
	c.t.Helper()
	seq := <-socket.erased
	note := c.log.Delete(seq, alice)
	socket.frames <- note
	socket.frames <- stageclient.Ack{ID: "N", ClientID: fmt.Sprint("delete-", seq), Seq: note.Seq}
	c.pass(0)
}

// noErasure shows that the chat asks for no deletion.
func (c *remembering) noErasure(socket *fakeSocket) {
	c.t.Helper()
	if len(socket.erased) != 0 {
		c.t.Errorf("asked to delete %d", <-socket.erased)
	}
}

func TestTheUserDeletesOwnMessagesCountedBack(t *testing.T) {
	t.Parallel()
	remember(t, 20, func(c *remembering) {
		c.say("alice", "M-0", "zero")
		c.say("alice", "M-1", "one")
		c.say("bob", "M-2", "two")
		c.say("alice", "M-3", "three")
		socket := c.next()
		c.write("/delete 2")
		c.erase(socket)
		if e := c.log.Entries(); !e[1].Deleted || e[3].Deleted || e[0].Deleted {
			t.Errorf("the log is %+v", e)
		}
		c.wantNoted(`deleting "one"`, 1)
		c.wantNoted("— Alice (you) 12:03  (message deleted) —", 1)
		c.write("/delete")
		c.erase(socket)
		c.write("/delete 1")
		c.erase(socket)
		if e := c.log.Entries(); !e[0].Deleted || !e[3].Deleted {
			t.Errorf("the log is %+v", e)
		}
		c.write("/delete")
		c.noErasure(socket)
		c.wantNoted("nothing was deleted: the terminal shows 0 messages of yours in lobby", 1)
		for _, line := range []string{"/delete x", "/delete 0", "/delete -1", "/delete 1 2"} {
			c.write(line)
		}
		c.wantNoted("* "+deleteUsage, 4)
		c.noErasure(socket)
		c.lines <- " /delete"
		if sent := <-socket.sent; sent.Text != " /delete" {
			t.Errorf("sent %+v", sent)
		}
		c.hangUp()
	})
}

// TestAPipeDeletesWhatItHasWritten: the command waits for the message before it.
func TestAPipeDeletesWhatItHasWritten(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(m stageclient.Message, id string) stageclient.Frame{
		"only the ack comes": func(m stageclient.Message, id string) stageclient.Frame {
			return stageclient.Ack{ID: m.ID, ClientID: id, Seq: m.Seq}
		},
		"the message waits for the one before it": func(m stageclient.Message, _ string) stageclient.Frame {
			return m
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			remember(t, 0, func(c *remembering) {
				c.say("alice", "M-0", "zero")
				socket := c.next()
				c.lines <- "oops"
				c.lines <- "/delete"
				close(c.lines)
				sent := <-socket.sent
				c.pass(time.Second)
				c.noErasure(socket)
				c.log.Erase("zoe") // which no frame tells
				m := c.say("alice", stageclient.MessageID("alice", "lobby", sent.ID), "oops")
				socket.frames <- answer(m, sent.ID)
				c.pass(0)
				c.erase(socket)
				if e := c.log.Entries(); e[0].Deleted || !e[2].Deleted {
					t.Errorf("the log is %+v", e)
				}
				c.answer(socket) // what did not arrive
				if err := c.end(time.Minute); err != nil {
					t.Error(err)
				}
				if got := c.out.String(); got != "" {
					t.Errorf("shown %q", got)
				}
			})
		})
	}
}

func TestADeletionIsAskedForUntilItIsAnswered(t *testing.T) {
	t.Parallel()
	remember(t, 20, func(c *remembering) {
		c.say("alice", "M-0", "zero")
		socket := c.next()
		c.write("/delete")
		<-socket.erased
		c.pass(ackTimeout)
		<-socket.erased // no answer
		socket.frames <- stageclient.GatewayError{Text: "Internal server error"}
		c.pass(5 * time.Second)
		<-socket.erased
		socket.frames <- stageclient.Error{Code: "rate_limited", ClientID: "delete-100", RetryAfterMs: 1500}
		c.pass(1400 * time.Millisecond)
		c.noErasure(socket)
		c.pass(200 * time.Millisecond)
		<-socket.erased
		socket.Close()
		c.erase(c.next())
		c.wantNoted("(message deleted)", 1)
		close(c.lines)
		if err := c.end(time.Minute); err != nil {
			t.Error(err)
		}
	})
}

func TestADeletionIsGivenUpAfterTooManyFailures(t *testing.T) {
	t.Parallel()
	remember(t, 20, func(c *remembering) {
		c.say("alice", "M-0", "zero")
		socket := c.next()
		c.write("/delete")
		for range maxFailures {
			<-socket.erased
			socket.frames <- stageclient.GatewayError{Text: "Internal server error"}
		}
		c.pass(time.Minute)
		c.noErasure(socket)
		c.wantNoted(`not deleted: "zero": the server failed: Internal server error`, 1)
		err := c.hangUp()
		if c.exitCode(err) != exitFailed || err.Error() != "1 of your messages were not deleted" {
			t.Error(err)
		}
	})
}

func TestARefusedDeletionIsExplained(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"not_found":      `not deleted: "zero": The reason. (not_found)`,
		"not_yours":      `not deleted: "zero": The reason. (not_yours)`,
		"read_only":      `not deleted: "zero": The reason. (read_only)`,
		"unknown_action": `not deleted: "zero": this server cannot delete messages (unknown_action)`,
	} {
		remember(t, 20, func(c *remembering) {
			c.say("alice", "M-0", "zero")
			socket := c.next()
			c.write("/delete")
			<-socket.erased
			socket.frames <- stageclient.Error{Code: code, Text: "The reason.", ClientID: "delete-100"}
			c.pass(time.Minute)
			c.noErasure(socket)
			c.wantNoted(want, 1)
			c.hangUp()
		})
	}
}

func TestServersThatCannotDelete(t *testing.T) {
	t.Parallel()
	talk(t, nil, func(c *conversation) {
		<-c.stage.sockets
		c.lines <- "/delete"
		c.pass(0)
		if got := c.notes.String(); !strings.Contains(got, "nothing was deleted: this server cannot delete messages") {
			t.Errorf("noted %q", got)
		}
		c.hangUp()
	})
	remember(t, 0, func(c *remembering) {
		c.log.KeepDays = 0
		c.next()
		c.write("/delete")
		c.wantNoted("nothing was deleted: this stage keeps no history", 1)
		c.hangUp()
	})
}

func TestDeletionsOfOthersAreShown(t *testing.T) {
	t.Parallel()
	bob, mod := stageclient.User{Sub: "bob", Name: "Bob"}, stageclient.User{Sub: "mod", Name: "Mod"}
	remember(t, 20, func(c *remembering) {
		c.say("bob", "M-0", "zero")
		c.say("bob", "M-1", "one")
		c.say("alice", "M-2", "two")
		c.log.Delete(100, bob)
		socket := c.next()
		c.wantShown("one two")
		c.wantNoted("— (message deleted) —", 1)
		socket.frames <- c.log.Delete(101, mod)
		socket.frames <- c.log.Delete(102, mod)
		socket.frames <- c.log.Delete(50, bob) // a message that the terminal does not show
		c.pass(0)
		c.wantNoted("— Bob 12:03  (message deleted by Mod) —", 1)
		c.wantNoted("— Alice (you) 12:03  (message deleted by Mod) —", 1)
		c.wantNoted("(message deleted", 3)
		c.write("/delete")
		c.noErasure(socket)
		c.hangUp()
	})
}

func TestWhatWasDeletedMeanwhileIsNotShown(t *testing.T) {
	t.Parallel()
	remember(t, 0, func(c *remembering) {
		socket := <-c.stage.sockets
		request := <-socket.asked
		m := c.say("bob", "M-0", "secret")
		socket.frames <- m
		socket.frames <- c.log.Delete(100, m.From)
		c.say("bob", "M-1", "fine")
		for _, frame := range clienttest.Answer([]*clienttest.Log{c.log}, request.ID, request.Wants) {
			socket.frames <- frame
		}
		c.pass(time.Second)
		for len(socket.asked) > 0 {
			c.answer(socket)
		}
		c.wantShown("fine")
		c.hangUp()
	})
}

func TestAnErasedUserIsTold(t *testing.T) {
	t.Parallel()
	remember(t, 20, func(c *remembering) {
		c.say("bob", "M-0", "zero")
		c.say("alice", "M-1", "one")
		socket := c.next()
		c.log.Erase("bob")
		c.log.Erase("zoe")
		socket.frames <- c.say("carol", "M-4", "four")
		c.pass(2 * time.Second)
		c.answer(socket)
		c.wantShown("zero one four")
		c.wantNoted("— (all messages of Bob were deleted) —", 1)
		c.wantNoted("were deleted", 1)
		c.log.Erase("alice")
		socket.frames <- c.say("carol", "M-6", "six")
		c.pass(2 * time.Second)
		c.answer(socket)
		c.write("/delete")
		c.noErasure(socket)
		c.hangUp()
	})
}
