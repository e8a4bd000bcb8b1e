package schedule

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"signedsocket/localstage/internal/clock"
	"signedsocket/localstage/internal/clock/clocktest"
)

const (
	ruleARN     = "arn:aws:events:us-east-1:111122223333:rule/reaper"
	scheduleARN = "arn:aws:scheduler:us-east-1:111122223333:schedule/default/reaper"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// collector is a target that keeps its events.
type collector struct {
	err    error
	events []string // only the goroutine that moves the clock calls
}

func (c *collector) InvokeAsync(event []byte) error {
	c.events = append(c.events, string(event))
	return c.err
}

func start(t *testing.T, on clock.Clock, log *slog.Logger, schedules ...Schedule) *Scheduler {
	t.Helper()
	s, err := Start(Config{Schedules: schedules, Clock: on, Log: log, Now: func() time.Time {
		return time.Date(2026, 11, 22, 7, 0, 1, 999, time.FixedZone("CET", 3600))
	}})
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestSchedulesRunAtTheirRate(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	var everyMinute, everyHour, scheduler collector
	start(t, clock, nil,
		Schedule{ARN: ruleARN, Expression: "rate(1 minute)", Target: &everyMinute},
		Schedule{ARN: ruleARN + "-hourly", Expression: "rate(1 hour)", Target: &everyHour},
		Schedule{ARN: scheduleARN, Expression: "rate(5 minutes)", Target: &scheduler})
	check := func(when string, minutes, hours, scheduled int) {
		t.Helper()
		got := []int{len(everyMinute.events), len(everyHour.events), len(scheduler.events)}
		if want := []int{minutes, hours, scheduled}; !cmp.Equal(got, want) {
			t.Errorf("%s there were %v runs, want %v", when, got, want)
		}
	}
	check("at the start", 0, 0, 0)
	clock.Move(0)
	check("at once", 0, 0, 1)
	clock.Move(59 * time.Second)
	check("after 59 s", 0, 0, 1)
	clock.Move(time.Second)
	check("after a minute", 1, 0, 1)
	for range 59 {
		clock.Move(time.Minute)
	}
	check("after an hour", 60, 1, 13)
	clock.Move(10 * time.Minute)
	check("after a leap", 61, 1, 14)
}

// lateClock keeps its last call.
type lateClock struct {
	*clocktest.Clock
	last func()
}

func (c *lateClock) AfterFunc(d time.Duration, f func()) clock.Timer {
	c.last = f
	return c.Clock.AfterFunc(d, f)
}

func TestNothingRunsAfterClose(t *testing.T) {
	t.Parallel()
	clock, target := &lateClock{Clock: clocktest.New()}, collector{}
	s := start(t, clock, nil, Schedule{ARN: ruleARN, Expression: "rate(1 minute)", Target: &target})
	s.Close()
	s.Close()
	if clock.Pending() != 0 {
		t.Errorf("%d timers are left", clock.Pending())
	}
	clock.last() // the clock makes the call when Close has just begun
	if len(target.events) != 0 || clock.Pending() != 0 {
		t.Errorf("%d runs and %d timers came late", len(target.events), clock.Pending())
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ arn, input, want string }{
		"of a rule": {
			ruleARN, "",
			`{"version":"0","id":"UUID","detail-type":"Scheduled Event","source":"aws.events",` +
				`"account":"111122223333","time":"2026-11-22T06:00:01Z",` +
				`"region":"us-east-1","resources":["` + ruleARN + `"],"detail":{}}`,
		},
		"of EventBridge Scheduler": {
			scheduleARN, "",
			`{"version":"0","id":"UUID","detail-type":"Scheduled Event","source":"aws.scheduler",` +
				`"account":"111122223333","time":"2026-11-22T06:00:01Z",` +
				`"region":"us-east-1","resources":["` + scheduleARN + `"],"detail":"{}"}`,
		},
		"a rule's input": {
			ruleARN, `{"sweep": "<aws.scheduler.attempt-number>"}`, `{"sweep": "<aws.scheduler.attempt-number>"}`,
		},
		"a schedule's input": {scheduleARN, `{"sweep":true}`, `{"sweep":true}`},
		"an input with attributes": {
			scheduleARN,
			`["<aws.scheduler.schedule-arn>","<aws.scheduler.scheduled-time>","<aws.scheduler.attempt-number>"]`,
			`["` + scheduleARN + `","2026-11-22T06:00:01Z","1"]`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock, target := clocktest.New(), collector{}
			start(t, clock, nil, Schedule{ARN: tt.arn, Expression: "rate(1 minute)", Target: &target, Input: tt.input})
			clock.Move(time.Minute)
			if len(target.events) != 1 {
				t.Fatalf("there were %d events, want 1", len(target.events))
			}
			id := regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
			if diff := cmp.Diff(tt.want, id.ReplaceAllString(target.events[0], "UUID")); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
			if !json.Valid([]byte(target.events[0])) {
				t.Errorf("event %s is not JSON", target.events[0])
			}
		})
	}
}

func TestEveryRunHasIDsOfItsOwn(t *testing.T) {
	t.Parallel()
	clock, plain, withInput := clocktest.New(), collector{}, collector{}
	start(t, clock, nil,
		Schedule{ARN: ruleARN, Expression: "rate(1 minute)", Target: &plain},
		Schedule{
			ARN: scheduleARN, Expression: "rate(1 minute)", Target: &withInput, Input: `"<aws.scheduler.execution-id>"`,
		})
	for range 2 {
		clock.Move(time.Minute)
	}
	for _, c := range []collector{plain, withInput} {
		if len(c.events) != 2 || c.events[0] == c.events[1] {
			t.Errorf("events are %q, want two that differ", c.events)
		}
	}
	if id := regexp.MustCompile(`^"[a-z0-9]{16}"$`); !id.MatchString(withInput.events[0]) {
		t.Errorf("execution id is %s, want %s", withInput.events[0], id)
	}
}

func TestAFailedRunIsLoggedAndTheScheduleGoesOn(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	clock, target := clocktest.New(), collector{err: errors.New("no permission")}
	start(t, clock, slog.New(slog.NewJSONHandler(&log, nil)),
		Schedule{ARN: ruleARN, Expression: "rate(1 minute)", Target: &target})
	clock.Move(time.Minute)
	clock.Move(time.Minute)
	if len(target.events) != 2 {
		t.Errorf("there were %d runs, want 2", len(target.events))
	}
	if lines := strings.Count(log.String(), "no permission"); lines != 2 || !strings.Contains(log.String(), ruleARN) {
		t.Errorf("log is %s, want both failures with the schedule", log.String())
	}
}

func TestTheMachinesClockIsTheDefault(t *testing.T) {
	t.Parallel()
	events := make(chan []byte, 1)
	s, err := Start(Config{
		Schedules: []Schedule{{ARN: scheduleARN, Expression: "rate(1 hour)", Target: channelTarget(events)}},
	})
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(s.Close)
	select {
	case <-events:
	case <-time.After(10 * time.Second):
		t.Error("the first run did not come")
	}
}

type channelTarget chan []byte

func (c channelTarget) InvokeAsync(event []byte) error {
	c <- event
	return nil
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	fine := Schedule{ARN: ruleARN, Expression: "rate(1 minute)", Target: &collector{}}
	for name, tt := range map[string]struct {
		change func(*Schedule)
		want   string
	}{
		"another service": {
			func(s *Schedule) { s.ARN = "arn:aws:sqs:us-east-1:111122223333:queue" }, "its ARN must be",
		},
		"a name":          {func(s *Schedule) { s.ARN = "reaper" }, "its ARN must be"},
		"no target":       {func(s *Schedule) { s.Target = nil }, "it has no target"},
		"a text as input": {func(s *Schedule) { s.Input = "hello" }, "not JSON"},
		"cron": {
			func(s *Schedule) { s.Expression = "cron(0 12 * * ? *)" },
			"has the form cron(…): the local stage runs rate(…) only",
		},
	} {
		broken, clock := fine, clocktest.New()
		tt.change(&broken)
		_, err := Start(Config{Schedules: []Schedule{fine, broken}, Clock: clock})
		if err == nil || !strings.Contains(err.Error(), tt.want) ||
			!strings.Contains(err.Error(), "schedule "+broken.ARN) {
			t.Errorf("%s: Start = %v, want %q", name, err, tt.want)
		}
		if clock.Pending() != 0 {
			t.Errorf("%s: a schedule was started", name)
		}
	}
}
