package main

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
)

// remembering is a conversation at a stage whose lobby has a log.
type remembering struct {
	*conversation
	log *clienttest.Log
}

// remember runs test beside a chat with --last at a stage with history.
func remember(t *testing.T, last int, test func(c *remembering)) {
	t.Helper()
	rememberIn(t, []string{"lobby"}, last, test)
}

// rememberIn is remember for a user of these rooms. Only the lobby has a log.
func rememberIn(t *testing.T, rooms []string, last int, test func(c *remembering)) {
	t.Helper()
	setUp := func(c *conversation) {
		c.stage.session.history, c.stage.session.rooms, c.stage.last = true, rooms, last
	}
	talkTo(t, setUp, nil, func(c *conversation) {
		test(&remembering{c, clienttest.NewLog("lobby", 100)})
	})
}

// say appends a message that a member gets as a frame.
func (c *remembering) say(sub, id, text string) stageclient.Message {
	return c.log.Add(message(id, sub, strings.ToUpper(sub[:1])+sub[1:], text))
}

// answer answers the next request.
func (c *remembering) answer(socket *fakeSocket) stageclient.Question {
	c.t.Helper()
	request := <-socket.asked
	for _, frame := range clienttest.Answer([]*clienttest.Log{c.log}, request.ID, request.Wants) {
		socket.frames <- frame
	}
	c.pass(time.Millisecond)
	return request
}

// next returns the next connection, answered up to date.
func (c *remembering) next() *fakeSocket {
	c.t.Helper()
	socket := <-c.stage.sockets
	c.answer(socket)
	return socket
}

// shown returns the messages so far, without names and times.
func (c *remembering) shown() string {
	var texts []string
	for line := range strings.Lines(c.out.String()) {
		_, text, _ := strings.Cut(strings.TrimSpace(line), "  ")
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

func (c *remembering) wantShown(want string) {
	c.t.Helper()
	if got := c.shown(); got != want {
		c.t.Errorf("shown %q, want %q", got, want)
	}
}

func (c *remembering) wantNoted(want string, times int) {
	c.t.Helper()
	if n := strings.Count(c.notes.String(), want); n != times {
		c.t.Errorf("noted %q %d times, want %d:\n%s", want, n, times, &c.notes)
	}
}

func TestTheLastMessagesComeFirst(t *testing.T) {
	t.Parallel()
	for last, want := range map[int]string{0: "d", 2: "b c d", 20: "a b c d"} {
		remember(t, last, func(c *remembering) {
			for _, text := range []string{"a", "b", "c"} {
				c.say("bob", "M-"+text, text)
			}
			socket := c.next()
			socket.frames <- c.say("bob", "M-d", "d")
			c.pass(0)
			c.wantShown(want)
			c.wantNoted("—", 0)
			if err := c.hangUp(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestInAPipeTheLastMessagesAreAwaited(t *testing.T) {
	t.Parallel()
	remember(t, 2, func(c *remembering) {
		c.say("bob", "M-a", "a")
		close(c.lines)
		socket := <-c.stage.sockets
		c.pass(time.Second)
		c.answer(socket)
		if err := c.end(time.Second); err != nil {
			t.Error(err)
		}
		c.wantShown("a")
	})
}

func TestTheFirstMessageOfARoomIsShownBeforeAPipeEnds(t *testing.T) {
	t.Parallel()
	remember(t, 0, func(c *remembering) {
		socket := c.next()
		c.lines <- "hi"
		close(c.lines)
		sent := <-socket.sent
		socket.frames <- c.say("alice", stageclient.MessageID("alice", "lobby", sent.ID), "hi")
		c.answer(socket)
		if err := c.end(time.Second); err != nil {
			t.Error(err)
		}
		c.wantShown("hi")
	})
}

func TestTheMessagesOfAnAbsenceAreShown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		away  func(c *remembering)
		shown string
		noted map[string]int
	}{
		"none": {func(*remembering) {}, "now", map[string]int{"while you were away": 0, "missing": 0}},
		"one": {func(c *remembering) { c.say("bob", "M1", "b") }, "b now",
			map[string]int{"— 1 message while you were away —": 1}},
		"two, and one's own": {func(c *remembering) {
			c.say("bob", "M1", "b")
			c.say("alice", "M2", "mine")
			c.say("bob", "M3", "d")
		}, "b mine d now", map[string]int{"— 2 messages while you were away —": 1}},
		"some that have expired": {func(c *remembering) {
			c.say("bob", "M1", "b")
			c.say("bob", "M2", "c")
			c.log.Expire(101)
		}, "c now", map[string]int{"— 1 message while you were away —": 1, "— some are missing —": 1}},
		"a stage that forgets": {func(c *remembering) { c.log.KeepDays = 0 }, "now",
			map[string]int{"HistoryDays is 0): messages in between may be missing —": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			remember(t, 0, func(c *remembering) {
				c.say("bob", "M0", "before")
				c.next().Close()
				test.away(c)
				second := <-c.stage.sockets
				second.frames <- c.say("bob", "M9", "now") // before the answer
				c.pass(time.Second)
				c.wantShown("")
				c.answer(second)
				c.pass(time.Second)
				c.wantShown(test.shown)
				for text, times := range test.noted {
					c.wantNoted(text, times)
				}
				c.hangUp()
			})
		})
	}
}

func TestAServerWithoutHistoryIsExplained(t *testing.T) {
	t.Parallel()
	setUp := func(c *conversation) { c.stage.last = 5 }
	talkTo(t, setUp, nil, func(c *conversation) {
		first := <-c.stage.sockets
		c.lines <- olderCommand
		c.pass(time.Second)
		first.Close()
		<-c.stage.sockets
		c.pass(time.Second)
		for _, want := range []string{
			"* this server keeps no history (chat.v1), so there are no last messages\n",
			"* this server keeps no history (chat.v1), so there are no older messages\n",
			"— this server keeps no history (chat.v1): messages in between may be missing —\n",
		} {
			if strings.Count(c.notes.String(), want) != 1 {
				t.Errorf("no %q in the notes:\n%s", want, &c.notes)
			}
		}
		if len(first.sent) != 0 || len(first.asked) != 0 {
			t.Errorf("sent %d messages and %d requests", len(first.sent), len(first.asked))
		}
		c.hangUp()
	})
}

func TestAStageThatKeepsNothingIsExplained(t *testing.T) {
	t.Parallel()
	remember(t, 5, func(c *remembering) {
		c.log.KeepDays = 0
		c.next()
		c.lines <- olderCommand
		c.pass(time.Second)
		c.wantNoted("* this stage keeps no history (its HistoryDays is 0), so there are no last messages\n", 1)
		c.wantNoted("* this stage keeps no history (its HistoryDays is 0), so there are no older messages\n", 1)
		c.hangUp()
	})
}

func TestAServerThatDoesNotKnowRequestsTakesMessages(t *testing.T) {
	t.Parallel()
	remember(t, 0, func(c *remembering) {
		socket := <-c.stage.sockets
		<-socket.asked
		c.lines <- "hi"
		c.pass(time.Second)
		socket.frames <- stageclient.Error{Code: "unknown_action", Text: "There is no such action."}
		sent := <-socket.sent
		socket.frames <- stageclient.Error{Code: "unknown_action", Text: "There is no such action."}
		socket.frames <- ack(sent)
		close(c.lines)
		if err := c.end(time.Second); err != nil || sent.After != nil {
			t.Errorf("sent %+v, ended with %v", sent, err)
		}
	})
}

func TestOlderMessages(t *testing.T) {
	t.Parallel()
	remember(t, 1, func(c *remembering) {
		for i := range olderPage + 3 {
			c.say("bob", fmt.Sprint("M", i), fmt.Sprint(i))
		}
		c.lines <- olderCommand // before the chat is up to date
		socket := c.next()
		if request := c.answer(socket); request.Wants[0].Before != 122 || request.ID != olderRequest {
			t.Errorf("asked for %+v", request)
		}
		c.wantNoted("— until here —", 1)
		if !strings.HasPrefix(c.shown(), "22 2 3 4") {
			t.Errorf("shown %q", c.shown())
		}
		c.lines <- olderCommand
		c.answer(socket)
		c.wantNoted("— until here; that was the beginning —", 1)
		if !strings.HasSuffix(c.shown(), "20 21 0 1") {
			t.Errorf("shown %q", c.shown())
		}
		c.lines <- olderCommand
		c.pass(time.Second)
		c.wantNoted("* there are no older messages; the stage keeps them for 7 days", 1)
		c.lines <- " " + olderCommand
		if sent := <-socket.sent; sent.Text != " "+olderCommand {
			t.Errorf("sent %+v", sent)
		}
		c.hangUp()
	})
}

func TestOlderMessagesMayBeRefused(t *testing.T) {
	t.Parallel()
	remember(t, 1, func(c *remembering) {
		c.say("bob", "M1", "a")
		c.say("bob", "M2", "b")
		socket := c.next()
		c.lines <- olderCommand
		<-socket.asked
		socket.frames <- stageclient.Error{Code: "rate_limited", Text: "Wait.", ClientID: olderRequest}
		c.pass(time.Second)
		c.wantNoted("* older messages were refused: Wait. (rate_limited)", 1)
		c.hangUp()
	})
}

// Every message is a command only at the prompt, not in --once.
func TestOnceSendsEveryText(t *testing.T) {
	t.Parallel()
	s, outputs := startStage(t)
	code, _, notes := chatAs(t, "", "--as", "alice", "--outputs", outputs, "--once", olderCommand)
	if _, sent := s.seen(); code != exitDone || len(sent) != 1 || sent[0]["message"] != olderCommand {
		t.Errorf("exit code %d, sent %v, notes:\n%s", code, sent, notes)
	}
}

func TestAMessageThatIsInTheLogIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for name, arrived := range map[string]bool{"it is there": true, "it is not there": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			remember(t, 0, func(c *remembering) {
				c.say("bob", "M0", "before")
				first := c.next()
				c.lines <- "hi"
				close(c.lines)
				sent := <-first.sent
				if sent.After == nil || *sent.After != 100 {
					t.Errorf("sent after %v", sent.After)
				}
				c.say("bob", "M1", "other")
				if arrived {
					c.say("alice", stageclient.MessageID("alice", "lobby", sent.ID), "hi")
				}
				first.Close()
				second := <-c.stage.sockets
				c.pass(time.Second)
				if len(second.sent) != 0 {
					t.Error("sent again before the log was read")
				}
				c.answer(second)
				if arrived {
					if err := c.end(time.Second); err != nil || len(second.sent) != 0 {
						t.Errorf("%d sent again, ended with %v", len(second.sent), err)
					}
					return
				}
				if again := <-second.sent; again.ID != sent.ID || *again.After != 101 {
					t.Errorf("sent again %+v after %v", again, again.After)
				}
				second.frames <- c.say("alice", stageclient.MessageID("alice", "lobby", sent.ID), "hi")
				if err := c.end(time.Second); err != nil { // the echo with a number is the receipt
					t.Error(err)
				}
			})
		})
	}
}

func TestASilentLogDoesNotHoldMessagesBackForLong(t *testing.T) {
	t.Parallel()
	remember(t, 0, func(c *remembering) {
		socket := <-c.stage.sockets
		c.lines <- "hi"
		began := time.Now()
		if sent := <-socket.sent; sent.After != nil || time.Since(began) > ackTimeout {
			t.Errorf("sent after %v: %+v", time.Since(began), sent)
		}
		c.hangUp()
	})
}

func TestAMessageFarBehindIsLookedForInTheLog(t *testing.T) {
	t.Parallel()
	for name, arrived := range map[string]bool{"it is there": true, "it is not there": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			remember(t, 0, func(c *remembering) {
				c.log.PageSize = 2
				socket := c.next()
				c.lines <- "hi"
				close(c.lines)
				sent := <-socket.sent
				for i := range 3 {
					c.say("bob", fmt.Sprint("M", i), fmt.Sprint(i))
				}
				if arrived {
					c.say("alice", stageclient.MessageID("alice", "lobby", sent.ID), "hi")
				}
				socket.frames <- stageclient.Error{Code: "far_behind", ClientID: sent.ID}
				c.answer(socket)
				c.answer(socket)
				if arrived {
					if err := c.end(time.Second); err != nil {
						t.Error(err)
					}
					return
				}
				if again := <-socket.sent; again.ID != sent.ID || *again.After != 102 {
					t.Errorf("sent again after %v: %+v", again.After, again)
				}
				c.hangUp()
			})
		})
	}
}

func TestAMessageThatMayHaveBeenSentIsGivenUpWithAnExplanation(t *testing.T) {
	t.Parallel()
	remember(t, 0, func(c *remembering) {
		c.say("bob", "M0", "before")
		socket := c.next()
		c.lines <- "hi"
		close(c.lines)
		sent := <-socket.sent
		for i := range 3 {
			c.say("bob", fmt.Sprint("M", i+1), fmt.Sprint(i))
		}
		c.log.Expire(102)
		socket.frames <- stageclient.Error{Code: "far_behind", ClientID: sent.ID}
		c.answer(socket)
		if err := c.end(time.Second); c.exitCode(err) != exitFailed {
			t.Error(err)
		}
		c.wantNoted(`* not sent: "hi": it may have been sent before`, 1)
	})
}

func TestAQuietChatAsksForTheLogInsteadOfPinging(t *testing.T) {
	t.Parallel()
	remember(t, 0, func(c *remembering) {
		socket := c.next()
		c.log.Append("lost") // no frame comes
		before := time.Now()
		c.answer(socket)
		if quiet := time.Since(before); quiet < silenceMin || quiet > silenceMin+silenceJitter+time.Second {
			t.Errorf("asked after %v", quiet)
		}
		c.wantShown("lost")
		<-socket.asked // the server no longer answers
		before = time.Now()
		<-socket.pings
		c.pass(pongTimeout + backoffBase)
		waited := time.Since(before)
		if !socket.isClosed() || len(socket.pings) != 0 || waited > 2*pongTimeout+time.Second {
			t.Errorf("closed %v after %v, %d more pings", socket.isClosed(), waited, len(socket.pings))
		}
		c.hangUp()
	})
}

func TestAnUnansweredRequestIsFollowedByAPing(t *testing.T) {
	t.Parallel()
	remember(t, 0, func(c *remembering) {
		socket := <-c.stage.sockets
		<-socket.asked
		<-socket.pings
		socket.frames <- stageclient.Pong{}
		c.answer(socket)
		if socket.isClosed() {
			t.Error("a connection that answers was closed")
		}
		c.hangUp()
	})
}

func TestARotationShowsNoAbsence(t *testing.T) {
	t.Parallel()
	remember(t, 0, func(c *remembering) {
		c.say("bob", "M0", "before")
		first := c.next()
		go func() { // the server, in a quiet room
			for request := range first.asked {
				first.frames <- stageclient.Synced{ClientID: request.ID, Heads: map[string]int64{"lobby": 100}}
			}
		}()
		c.pass(2*time.Hour - renewBefore + time.Second)
		second := <-c.stage.sockets
		a := c.say("bob", "M1", "a")
		first.frames <- a
		c.pass(time.Millisecond)
		c.wantShown("a") // at once
		c.answer(second)
		second.frames <- a
		c.pass(time.Millisecond)
		c.wantShown("a")
		c.wantNoted("—", 0)
		close(first.asked)
		c.hangUp()
	})
}

func TestThePromptStaysBelowTheMessages(t *testing.T) {
	t.Parallel()
	var terminal strings.Builder
	s := &screen{messages: &terminal, notes: &terminal, local: time.UTC, prompting: true}
	s.note("connected")
	s.message(message("1", "bob", "Bob", "hi"), false, false)
	s.ask()
	s.leave()
	want := eraseLine + "* connected\n> " + eraseLine + "Bob 12:03  hi\n> " + "> " + eraseLine
	if terminal.String() != want {
		t.Errorf("%q, want %q", terminal.String(), want)
	}
	quiet := &screen{messages: io.Discard, notes: &terminal, local: time.UTC}
	terminal.Reset()
	quiet.ask()
	quiet.leave()
	if terminal.Len() != 0 || isTerminal(strings.NewReader("")) {
		t.Errorf("printed %q without a terminal", terminal.String())
	}
}

func TestTheNumberOfLastMessagesIsLimited(t *testing.T) {
	t.Parallel()
	for _, last := range []string{"-1", "101"} {
		code, _, notes := chatAs(t, "", "--as", "alice", "--last="+last)
		if code != exitUsage || !strings.Contains(notes, "--last shows 100 messages at most") {
			t.Errorf("--last %s: exit code %d, %s", last, code, notes)
		}
	}
}
