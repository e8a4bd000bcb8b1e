package stageclient_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
)

func TestARequestIsRepeatedWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	log := lobby("a")
	s := follow(t, 1, log)
	s.follower.Connected(s.now, true)
	lost, _ := s.ask()
	began, longest := s.now, []time.Duration{10, 20, 30, 50, 50}
	for i, limit := range longest {
		s.now = s.follower.Next()
		if wait := s.now.Sub(began); wait < 10*time.Second || wait > limit*time.Second {
			t.Errorf("repetition %d came after %v", i, wait)
		}
		began = s.now
		if _, wants := s.ask(); len(wants) != 1 {
			t.Errorf("asked for %+v", wants)
		}
	}
	if s.pings != len(longest) {
		t.Errorf("%d pings", s.pings)
	}
	s.give(stageclient.Synced{ClientID: lost, Heads: map[string]int64{"lobby": 100}})
	s.want() // an answer to a request that is not the last one
	s.pass()
	s.want("a", "caught up 1")
}

func TestRefusalsOfARequest(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		refusal  func(id string) stageclient.Frame
		min, max time.Duration // until it is repeated
	}{
		"rate_limited": {func(id string) stageclient.Frame {
			return stageclient.Error{Code: "rate_limited", ClientID: id, RetryAfterMs: 4000}
		}, 4 * time.Second, 6 * time.Second},
		"busy": {func(id string) stageclient.Frame {
			return stageclient.Error{Code: "busy", ClientID: id}
		}, 300 * time.Millisecond, 2300 * time.Millisecond},
		"the function failed": {func(string) stageclient.Frame {
			return stageclient.GatewayError{Text: "Internal server error"}
		}, 300 * time.Millisecond, 2300 * time.Millisecond},
		"of a message": {func(string) stageclient.Frame {
			return stageclient.Error{Code: "rate_limited", ClientID: "m-1", RetryAfterMs: 1}
		}, 10 * time.Second, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := follow(t, 1, lobby("a"))
			s.follower.Connected(s.now, true)
			id, _ := s.ask()
			s.give(test.refusal(id))
			if wait := s.follower.Next().Sub(s.now); wait < test.min || wait > test.max {
				t.Errorf("repeated after %v", wait)
			}
			s.pass()
			s.want("a", "caught up 1")
		})
	}
}

// An answer that was made before the connection does not say how things stand on the connection.
func TestAnAnswerToAnEarlierRequestDoesNotEndThePresentOne(t *testing.T) {
	t.Parallel()
	log := lobby("a")
	s := follow(t, 1, log)
	s.connect()
	s.follower.Connected(s.now, true)
	id, wants := s.ask()
	late := clienttest.Answer(s.logs, id, wants)
	log.Append("b")
	log.Append("c")
	log.Expire(101)
	s.told = nil
	s.follower.Connected(s.now, true)
	present, wants := s.ask()
	s.give(late...)
	s.give(stageclient.History{
		Room: "lobby", ClientID: id, After: wants[0].After, Head: 102, KeepDays: 7,
		Entries: log.Entries(),
	})
	if s.want(); s.follower.Live("lobby") {
		t.Error("the room is up to date without an answer")
	}
	s.give(clienttest.Answer(s.logs, present, wants)...)
	s.want("missing 100-102", "c", "caught up 1")
}

func TestAHoleThatTheLogDoesNotFillIsAskedForLessAndLessOften(t *testing.T) {
	t.Parallel()
	log := lobby("a")
	s := follow(t, 1, log)
	s.connect()
	s.requests = 0
	began := s.now
	give := func(seq int64) {
		s.give(stageclient.Message{ID: fmt.Sprint("x", seq), Room: "lobby", Text: "x", SentAt: 1, Seq: seq})
	}
	give(200)
	for i := range int64(100) {
		s.now = s.follower.Next()
		id, wants := s.ask()
		give(201 + i) // after the request, so the answer need not have it
		s.give(clienttest.Answer(s.logs, id, wants)...)
	}
	if took := s.now.Sub(began); took < 10*time.Minute || took > time.Hour {
		t.Errorf("100 requests in %v", took)
	}
	for log.Head() < 305 {
		log.Append("y")
	}
	s.told = nil
	s.pass()
	if len(s.told) != 205 || s.told[199] != "x" {
		t.Errorf("told %q", s.told)
	}
}

// A restored log does not have the messages of the last minutes, and an expired one none at all.
func TestAMessageThatTheLogDoesNotHaveIsAskedForOnce(t *testing.T) {
	t.Parallel()
	log := lobby("a")
	s := follow(t, 1, log)
	s.connect()
	s.told, s.requests = nil, 0
	for _, seq := range []int64{200, 150, 200} {
		s.give(stageclient.Message{ID: fmt.Sprint("x", seq), Room: "lobby", Text: "x", SentAt: 1, Seq: seq})
	}
	s.pass()
	if next := s.follower.Next(); !next.IsZero() || s.requests != 1 || s.follower.Holds("lobby") {
		t.Errorf("%d requests, and another one at %v; holds: %v", s.requests, next, s.follower.Holds("lobby"))
	}
	s.give(log.Append("b"))
	s.want("b")
}

func TestManyPagesAreNotAskedForAtOnce(t *testing.T) {
	t.Parallel()
	log := lobby("a")
	log.PageSize = 1
	s := follow(t, 1, log)
	s.connect()
	for range 60 {
		log.Append("b")
	}
	began := s.now
	s.connect()
	for s.follower.Next().After(s.now) {
		s.pass()
	}
	if took := s.now.Sub(began); s.requests != 61 || took != 30*time.Second {
		t.Errorf("%d requests in %v, want 16 in 10 s", s.requests, took)
	}
}

func TestTheFirstMessageOfALogIsNotHeldForLong(t *testing.T) {
	t.Parallel()
	log := lobby()
	s := follow(t, 1, log)
	s.connect()
	s.give(log.Append("a"))
	if wait := s.follower.Next().Sub(s.now); wait > 300*time.Millisecond || !s.follower.Holds("lobby") {
		t.Errorf("asks after %v", wait)
	}
	s.pass()
	if s.want("caught up 0", "a"); s.follower.Holds("lobby") {
		t.Error("a message that was told is held")
	}
}

func TestAnEmptyPageIsNotAskedForAgainAtOnce(t *testing.T) {
	t.Parallel()
	s := follow(t, 1, lobby("a"))
	s.connect()
	s.follower.Sync(s.now)
	id, wants := s.ask()
	s.give(stageclient.History{
		Room: "lobby", ClientID: id, After: wants[0].After, Head: 101, Complete: true, More: true, KeepDays: 7,
	})
	if wait := s.follower.Next().Sub(s.now); wait < time.Second {
		t.Errorf("asks again after %v", wait)
	}
}

// A network that loses, doubles, delays and reorders frames, and cuts connections, over a thousand seeds: a follower
// tells the log from its first number on, once and in order, and asks no more often than something happened.
func TestAFollowerTellsTheLogOverABadNetwork(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1000) {
		playBadNetwork(t, seed)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func playBadNetwork(t *testing.T, seed uint64) {
	t.Helper()
	dice := rand.New(rand.NewPCG(seed, 1))
	log := lobby("before")
	log.PageSize = 5
	s := follow(t, 1, log)
	var flying []stageclient.Frame
	send := func(frames ...stageclient.Frame) {
		for _, frame := range frames {
			for range []int{0, 1, 1, 1, 2}[dice.IntN(5)] { // lost, once or twice
				flying = slices.Insert(flying, dice.IntN(len(flying)+1), frame)
			}
		}
	}
	s.follower.Connected(s.now, true)
	happened := 1
	for range 200 {
		s.now = s.now.Add(time.Duration(dice.Int64N(int64(2 * time.Second))))
		switch dice.IntN(10) {
		case 0, 1, 2:
			send(log.Append(fmt.Sprint(log.Head() + 1)))
			happened++
		case 3:
			if dice.IntN(4) == 0 {
				flying = nil
				s.follower.Connected(s.now, true)
				happened++
			}
		case 4:
			s.follower.Sync(s.now)
			happened++
		default:
			if len(flying) > 0 {
				s.give(flying[0])
				flying = flying[1:]
			}
		}
		for id, wants := s.ask(); len(wants) > 0; id, wants = s.ask() {
			send(clienttest.Answer(s.logs, id, wants)...)
		}
	}
	s.follower.Connected(s.now, true)
	s.serve()
	var want []string
	for _, entry := range log.Entries() {
		want = append(want, entry.Text)
	}
	s.told = slices.DeleteFunc(s.told, func(text string) bool { return strings.HasPrefix(text, "caught up") })
	if len(s.told) == 0 || !slices.Equal(s.told, want[len(want)-len(s.told):]) {
		t.Errorf("told %q, want the end of %q", s.told, want)
	}
	if elapsed := int(s.now.Sub(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)) / (10 * time.Second)); s.requests >
		3*happened+elapsed {
		t.Errorf("%d requests after %d events", s.requests, happened)
	}
}
