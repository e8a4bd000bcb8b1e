package stageclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
)

// table is a follower at a stage of logs, with a clock that the test moves.
type table struct {
	t        *testing.T
	follower *stageclient.Follower
	logs     []*clienttest.Log
	now      time.Time
	told     []string // in words
	entered  []int64
	requests int
	pings    int
}

func follow(t *testing.T, first int, logs ...*clienttest.Log) *table {
	t.Helper()
	var rooms []string
	for _, log := range logs {
		rooms = append(rooms, log.Room)
	}
	return &table{
		t: t, follower: stageclient.NewFollower(rooms, first, 500), logs: logs,
		now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
	}
}

// give passes frames to the follower and notes what it tells.
func (s *table) give(frames ...stageclient.Frame) {
	s.t.Helper()
	for _, frame := range frames {
		for _, event := range s.follower.Receive(s.now, frame) {
			switch e := event.(type) {
			case stageclient.Entered:
				s.entered = append(s.entered, e.Position)
			case stageclient.Told:
				s.told = append(s.told, e.Entry.Text)
			case stageclient.Missing:
				s.told = append(s.told, fmt.Sprintf("missing %d-%d", e.After, e.Before))
			case stageclient.CaughtUp:
				s.told = append(s.told, fmt.Sprintf("caught up %d", e.Missed))
			case stageclient.Older:
				var texts []string
				for _, entry := range e.Entries {
					texts = append(texts, entry.Text)
				}
				s.told = append(s.told, fmt.Sprintf("older %s %v", strings.Join(texts, ","), e.More))
			}
		}
	}
}

// ask returns the wants that are due, without an answer.
func (s *table) ask() (id string, wants []stageclient.Want) {
	request := s.follower.Ask(s.now)
	if len(request.Wants) > 0 {
		s.requests++
	}
	if request.Ping {
		s.pings++
	}
	return request.ID, request.Wants
}

// serve answers every request that is due.
func (s *table) serve() {
	s.t.Helper()
	for id, wants := s.ask(); len(wants) > 0; id, wants = s.ask() {
		s.give(clienttest.Answer(s.logs, id, wants)...)
	}
}

// pass moves the clock to the next time at which the follower asks, and serves it.
func (s *table) pass() {
	s.t.Helper()
	next := s.follower.Next()
	if next.IsZero() {
		s.t.Fatal("the follower waits for nothing")
	}
	s.now = next
	s.serve()
}

func (s *table) connect() { s.t.Helper(); s.follower.Connected(s.now, true); s.serve() }

func (s *table) want(told ...string) {
	s.t.Helper()
	if !slices.Equal(s.told, told) {
		s.t.Errorf("told %q, want %q", s.told, told)
	}
	s.told = nil
}

func lobby(texts ...string) *clienttest.Log {
	log := clienttest.NewLog("lobby", 100)
	for _, text := range texts {
		log.Append(text)
	}
	return log
}

func TestAFollowerBeginsWithTheLastMessages(t *testing.T) {
	t.Parallel()
	for first, want := range map[int][]string{
		0: {"caught up 0", "d"}, 2: {"b", "c", "caught up 2", "d"}, 3: {"a", "b", "c", "caught up 3", "d"},
	} {
		log := lobby("a", "b", "c")
		s := follow(t, first, log)
		s.connect()
		s.give(log.Append("d"))
		s.want(want...)
		if !slices.Equal(s.entered, []int64{int64(102 - first)}) {
			t.Errorf("entered at %d", s.entered)
		}
		if n, known := s.follower.Position("lobby"); n != 103 || !known || !s.follower.Live("lobby") {
			t.Errorf("the position is %d, %v", n, known)
		}
	}
}

func TestAMessageDuringTheFirstRequestIsToldOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ early, answered []int }{
		"also in the answer": {early: []int{2}}, "two of them": {early: []int{1, 2}},
		"the older one comes later": {early: []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := lobby("a")
			s := follow(t, 0, log)
			s.follower.Connected(s.now, true)
			id, wants := s.ask()
			frames := []stageclient.Frame{nil, log.Append("b"), log.Append("c")}
			for _, n := range test.early {
				s.give(frames[n])
			}
			s.want() // nobody knows yet where to begin
			s.give(clienttest.Answer(s.logs, id, wants)...)
			s.give(frames[1], frames[2])
			var told []string
			for _, text := range s.told {
				if text != "caught up 0" && text != "caught up 1" {
					told = append(told, text)
				}
			}
			want := []string{"b", "c"}[test.early[0]-1:]
			if !slices.Equal(told, want) {
				t.Errorf("told %q, want %q", told, want)
			}
		})
	}
}

func TestAFollowerResumesAtItsPlace(t *testing.T) {
	t.Parallel()
	log, other := lobby("a"), clienttest.NewLog("ops", 7)
	log.PageSize = 2
	s := follow(t, 1, log, other)
	s.connect()
	for _, text := range []string{"b", "c", "d", "e", "f"} {
		log.Append(text)
	}
	s.told, s.requests = nil, 0
	s.connect()
	s.want("b", "c", "caught up 0", "d", "e", "f", "caught up 5") // ops is up to date at once
	if s.requests != 3 {
		t.Errorf("%d requests, want one for each page", s.requests)
	}
}

func TestAHoleIsFilledFromTheLog(t *testing.T) {
	t.Parallel()
	log := lobby()
	s := follow(t, 0, log)
	log.Append("a")
	s.connect()
	log.Append("lost")
	c := log.Append("c")
	s.told, s.requests = nil, 0
	s.give(c, c)
	s.want() // in order
	if wait := s.follower.Next().Sub(s.now); wait < 300*time.Millisecond || wait > 1300*time.Millisecond {
		t.Errorf("asks after %v", wait)
	}
	s.pass()
	s.want("lost", "c")
	s.give(log.Append("d"), c)
	s.want("d")
	if !s.follower.Next().IsZero() || s.requests != 1 {
		t.Errorf("%d requests, and another one at %v", s.requests, s.follower.Next())
	}
}

func TestAMessageThatIsOnlyOvertakenCausesNoRequest(t *testing.T) {
	t.Parallel()
	log := lobby("a")
	s := follow(t, 0, log)
	s.connect()
	s.told = nil
	b, c := log.Append("b"), log.Append("c")
	s.give(c, b)
	s.want("b", "c")
	if !s.follower.Next().IsZero() {
		t.Error("the follower asks for what it has")
	}
}

func TestWhatHasExpiredIsMarked(t *testing.T) {
	t.Parallel()
	log := lobby("a")
	s := follow(t, 1, log)
	s.connect()
	floor := s.follower.Floor("lobby")
	for _, text := range []string{"b", "c", "d"} {
		log.Append(text)
	}
	log.Expire(102) // a, b, c
	s.told = nil
	s.connect()
	s.want("missing 100-103", "d", "caught up 1")
	if seen := s.follower.SeenAfter(floor); seen == nil || *seen != 100 {
		t.Errorf("seen up to %v, want 100: b and c are not known", seen)
	}
	if seen := s.follower.SeenAfter(s.follower.Floor("lobby")); seen == nil || *seen != 103 {
		t.Errorf("a new message says %v", seen)
	}
}

func TestTooManyMessagesAreSkipped(t *testing.T) {
	t.Parallel()
	log := lobby("a")
	log.PageSize = 50
	s := follow(t, 1, log)
	s.connect()
	for i := range 700 {
		log.Append(fmt.Sprint(i))
	}
	s.told = nil
	s.connect()
	if len(s.told) != 50+1+50+1 || s.told[50] != "missing 150-751" || s.told[51] != "650" {
		t.Errorf("told %q", s.told)
	}
	if want, ok := s.follower.OlderWant("lobby", 50); !ok || want.Before != 751 {
		t.Errorf("older ones are asked for with %+v, %v", want, ok)
	}
}

func TestALogThatBeganAnewIsFollowedFromItsNewestMessages(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		away  time.Duration
		after []string
		want  []string
	}{
		"messages": {
			time.Hour, []string{"x", "y"}, []string{"missing 5000-4000", "x", "y", "caught up 2"},
		},
		"empty, nothing missed": {6 * 24 * time.Hour, nil, []string{"caught up 0"}},
		"empty for long":        {8 * 24 * time.Hour, nil, []string{"missing 5000-1", "caught up 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := clienttest.NewLog("lobby", 5000)
			log.Append("a")
			s := follow(t, 1, log)
			s.connect()
			floor := s.follower.Floor("lobby")
			log.Expire(5000)
			log.BeginAnew(4000) // as after a restored table
			for _, text := range test.after {
				log.Append(text)
			}
			s.told = nil
			s.now = s.now.Add(test.away)
			s.connect()
			s.want(test.want...)
			if seen := s.follower.SeenAfter(floor); seen != nil {
				t.Errorf("a message of the old log names %d", *seen)
			}
			s.give(log.Append("z"))
			if len(test.after) == 0 {
				s.pass() // the first entry of a log may not be the first one that was posted
			}
			s.want("z")
		})
	}
}

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

func TestAStageWithoutHistory(t *testing.T) {
	t.Parallel()
	unnumbered := func(id, text string) stageclient.Message {
		m := lobby().Append(text)
		m.ID, m.Seq = id, 0
		return m
	}
	t.Run("keeps nothing", func(t *testing.T) {
		t.Parallel()
		log := lobby()
		log.KeepDays = 0
		s := follow(t, 20, log)
		s.connect()
		s.give(unnumbered("1", "a"), unnumbered("2", "b"), unnumbered("1", "a"))
		s.want("caught up 0", "a", "b")
		if !s.follower.Next().IsZero() {
			t.Error("the follower asks again")
		}
	})
	t.Run("an older one", func(t *testing.T) {
		t.Parallel()
		s := follow(t, 20, lobby())
		s.follower.Connected(s.now, false)
		s.give(unnumbered("1", "a"), unnumbered("1", "a"))
		s.want("a")
		if _, wants := s.ask(); len(wants) != 0 {
			t.Errorf("asked for %+v", wants)
		}
	})
	t.Run("knows the action not yet", func(t *testing.T) {
		t.Parallel()
		log := lobby()
		s := follow(t, 20, log)
		s.follower.Connected(s.now, true)
		s.ask()
		a := log.Append("a")
		s.give(a, stageclient.Error{Code: "unknown_action"}, log.Append("b"))
		s.want("a", "caught up 0", "b")
		if !s.follower.Next().IsZero() {
			t.Error("the follower asks again on the same connection")
		}
		s.connect() // to a newer stage, which answers
		s.want("caught up 2")
		s.give(log.Append("c"), a)
		s.want("c")
	})
}

func TestOlderMessagesAreReadPageByPage(t *testing.T) {
	t.Parallel()
	log := lobby("a", "b", "c", "d")
	s := follow(t, 1, log)
	if _, ok := s.follower.OlderWant("lobby", 2); ok {
		t.Error("there is a want before the first answer")
	}
	s.connect()
	s.told = nil
	for range 2 {
		want, ok := s.follower.OlderWant("lobby", 2)
		if !ok {
			t.Fatal("no want")
		}
		answer := clienttest.Answer(s.logs, "older", []stageclient.Want{want})
		s.give(answer...)
		s.give(answer...) // a second copy
	}
	s.want("older b,c true", "older a false")
	if want, ok := s.follower.OlderWant("lobby", 2); ok {
		t.Errorf("before the beginning is %+v", want)
	}
}

func TestMoreThanEightRoomsAreAskedForInSeveralFrames(t *testing.T) {
	t.Parallel()
	var logs []*clienttest.Log
	for i := range 9 {
		logs = append(logs, clienttest.NewLog(fmt.Sprint("room-", i), 1))
	}
	s := follow(t, 1, logs...)
	s.follower.Connected(s.now, true)
	_, first := s.ask()
	_, second := s.ask()
	if len(first) != 8 || len(second) != 1 {
		t.Errorf("%d wants, then %d", len(first), len(second))
	}
}

func TestAQuietFollowerAsksWhetherItIsUpToDate(t *testing.T) {
	t.Parallel()
	log := lobby("a")
	s := follow(t, 1, log)
	s.connect()
	log.Append("lost")
	s.told = nil
	s.follower.Sync(s.now)
	s.serve()
	s.want("lost")
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
	dice := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // the seed repeats a failure
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
	s.give(stageclient.Message{ID: "x", Room: "lobby", Text: "x", SentAt: 1, Seq: 200})
	for range 100 {
		s.pass()
	}
	if took := s.now.Sub(began); took < 10*time.Minute || took > time.Hour {
		t.Errorf("100 requests in %v", took)
	}
	for log.Head() < 205 {
		log.Append("y")
	}
	s.told = nil
	s.pass()
	if len(s.told) != 105 || s.told[99] != "x" {
		t.Errorf("told %q", s.told)
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

// scriptedConn gives frames, takes requests, and fails after the last frame.
type scriptedConn struct {
	frames []stageclient.Frame
	asked  []stageclient.Want
	pings  int
}

func (c *scriptedConn) Next(context.Context) (stageclient.Frame, error) {
	if len(c.frames) == 0 {
		return nil, io.EOF
	}
	frame := c.frames[0]
	c.frames = c.frames[1:]
	if frame == nil {
		return nil, stageclient.ErrMalformedFrame
	}
	return frame, nil
}

func (c *scriptedConn) History(_ context.Context, id string, wants ...stageclient.Want) error {
	c.asked = append(c.asked, wants...)
	log := lobby("a")
	c.frames = append(c.frames, clienttest.Answer([]*clienttest.Log{log}, id, wants)...)
	return nil
}

func (c *scriptedConn) Ping(context.Context) error { c.pings++; return nil }

func TestFollowReadsAConnectionUntilItEnds(t *testing.T) {
	t.Parallel()
	conn := &scriptedConn{frames: []stageclient.Frame{nil, stageclient.Pong{}}}
	follower := stageclient.NewFollower([]string{"lobby"}, 1, 0)
	follower.Connected(time.Now(), true)
	var frames int
	var events []stageclient.Event
	err := follower.Follow(t.Context(), conn, func(_ time.Time, _ stageclient.Frame, told []stageclient.Event) {
		frames++
		events = append(events, told...)
	})
	if !errors.Is(err, io.EOF) || frames != 2 || len(events) != 3 || len(conn.asked) != 1 {
		t.Errorf("%v after %d frames, events %+v, asked for %+v", err, frames, events, conn.asked)
	}
}

func TestFollowRepeatsARequestOnASilentConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := &silentConn{asked: make(chan string, 2), pinged: make(chan struct{}, 1)}
		follower := stageclient.NewFollower([]string{"lobby"}, 1, 0)
		follower.Connected(time.Now(), true)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- follower.Follow(ctx, conn, nil) }()
		first, began := <-conn.asked, time.Now()
		<-conn.pinged
		if second := <-conn.asked; second == first || time.Since(began) != 10*time.Second {
			t.Errorf("%s, then %s after %v", first, second, time.Since(began))
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// silentConn answers nothing.
type silentConn struct {
	asked  chan string
	pinged chan struct{}
}

func (c *silentConn) Next(ctx context.Context) (stageclient.Frame, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (c *silentConn) History(_ context.Context, id string, _ ...stageclient.Want) error {
	c.asked <- id
	return nil
}

func (c *silentConn) Ping(context.Context) error { c.pinged <- struct{}{}; return nil }
