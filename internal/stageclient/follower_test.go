package stageclient_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
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
			s.want() // the follower does not know yet where to begin
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

func TestOfTooManyMessagesTheNewestAreTold(t *testing.T) {
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

func TestEachRoomIsQuietAfterItsOwnTime(t *testing.T) {
	t.Parallel()
	log, busy := lobby("a"), clienttest.NewLog("ops", 7)
	busy.Append("first")
	s := follow(t, 1, log, busy)
	s.connect()
	began := s.now
	log.Append("lost")
	for s.now.Before(began.Add(8 * time.Minute)) {
		s.now = s.now.Add(time.Minute)
		s.give(busy.Append("busy"))
	}
	s.told, s.requests = nil, 0
	at := s.follower.QuietAt()
	if wait := at.Sub(began); wait < 8*time.Minute+30*time.Second || wait > 9*time.Minute {
		t.Errorf("the lobby is quiet after %v", wait)
	}
	s.now = at
	s.follower.SyncQuiet(s.now)
	id, wants := s.ask()
	if len(wants) != 1 || wants[0].Room != "lobby" || wants[0].After == nil {
		t.Errorf("asked for %+v", wants)
	}
	s.give(clienttest.Answer(s.logs, id, wants)...)
	s.want("lost")
	if wait := s.follower.QuietAt().Sub(began); wait < 16*time.Minute || wait > 17*time.Minute {
		t.Errorf("the next room is quiet after %v", wait)
	}
}

func TestQuietRoomsAreAskedForInOneFrame(t *testing.T) {
	t.Parallel()
	log, other := lobby("a"), clienttest.NewLog("ops", 7)
	s := follow(t, 1, log, other)
	s.connect()
	s.now = s.now.Add(4 * time.Minute)
	s.give(other.Append("b"))
	for _, rooms := range []int{2, 2, 2} {
		s.now = s.follower.QuietAt()
		s.follower.SyncQuiet(s.now)
		s.follower.SyncQuiet(s.now)
		id, wants := s.ask()
		if len(wants) != rooms {
			t.Errorf("asked for %+v", wants)
		}
		s.give(clienttest.Answer(s.logs, id, wants)...)
	}
	log.KeepDays, other.KeepDays = 0, 0
	s.connect()
	if at := s.follower.QuietAt(); !at.IsZero() {
		t.Errorf("a stage without history is asked at %v", at)
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
