package schedule

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"signedsocket/localstage/internal/clock"
)

// These are the two services that run schedules, as ARNs name them.
const (
	serviceRules     = "events"
	serviceScheduler = "scheduler"
)

// Target is the target of a schedule, such as a function.
type Target interface {
	// InvokeAsync takes an event, JSON, and returns at once. An error means that it did not take the event, for example
	// because the service may not invoke the function.
	InvokeAsync(event []byte) error
}

// Schedule is one scheduled rule or schedule of a template. All but Input is
// required.
type Schedule struct {
	// ARN is the schedule's own, arn:aws:events:<region>:<account>:rule/<name> or
	// arn:aws:scheduler:<region>:<account>:schedule/<group>/<name>. It names the service.
	ARN string
	// Expression is the schedule expression, such as "rate(1 minute)".
	Expression string
	// Target is invoked at every run.
	Target Target
	// Input is the target's Input, a JSON text, in place of the service's event. In EventBridge Scheduler it may hold
	// context attributes.
	Input string
}

// Config describes the schedules of a stage.
type Config struct {
	Schedules []Schedule
	Clock     clock.Clock      // drives the runs; default the machine's
	Now       func() time.Time // stamps events, because functions live in the machine's time; default time.Now
	Log       *slog.Logger     // default discards
}

// Scheduler runs schedules. Make it with Start, end it with Close.
type Scheduler struct {
	clock clock.Clock
	now   func() time.Time
	log   *slog.Logger

	mu      sync.Mutex
	closed  bool
	entries []*entry
	runs    sync.WaitGroup // runs that have begun
}

// entry is a running schedule.
type entry struct {
	Schedule
	service, region, account string
	period                   time.Duration
	timer                    clock.Timer // guarded by Scheduler.mu
}

// Start starts all schedules, or none and returns an error that names the schedule and its mistake. A schedule of
// EventBridge Scheduler has its first run at once, a rule after its period.
// Source: EventBridge Scheduler user guide, "Schedule types on EventBridge
// Scheduler", for a rate without StartDate; for rules assumed.
func Start(c Config) (*Scheduler, error) {
	if c.Clock == nil {
		c.Clock = clock.Machine{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	s := &Scheduler{clock: c.Clock, now: c.Now, log: c.Log}
	for _, schedule := range c.Schedules {
		e, err := newEntry(schedule)
		if err != nil {
			return nil, fmt.Errorf("schedule %s: %w", schedule.ARN, err)
		}
		s.entries = append(s.entries, e)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		first := e.period
		if e.service == serviceScheduler {
			first = 0
		}
		s.arm(e, first)
	}
	return s, nil
}

func newEntry(s Schedule) (*entry, error) {
	arn := strings.SplitN(s.ARN, ":", 6)
	if len(arn) != 6 || arn[2] != serviceRules && arn[2] != serviceScheduler {
		return nil,
			errors.New("its ARN must be one of events or scheduler, as arn:aws:events:<region>:<account>:rule/<name>")
	}
	if s.Target == nil {
		return nil, errors.New("it has no target")
	}
	if s.Input != "" && !json.Valid([]byte(s.Input)) {
		return nil, errors.New("the Input of its target is not JSON, and Lambda takes nothing else")
	}
	every, err := period(s.Expression)
	if err != nil {
		return nil, err
	}
	return &entry{Schedule: s, service: arn[2], region: arn[3], account: arn[4], period: every}, nil
}

// arm makes e run when d has passed. The caller holds s.mu.
func (s *Scheduler) arm(e *entry, d time.Duration) {
	e.timer = s.clock.AfterFunc(d, func() { s.run(e) })
}

// run invokes the target of e, without a wait for the previous run. The next run is a period from now: a clock that
// leaps over several runs makes one.
func (s *Scheduler) run(e *entry) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.runs.Add(1)
	defer s.runs.Done()
	s.arm(e, e.period)
	s.mu.Unlock()

	if err := e.Target.InvokeAsync(e.event(s.now())); err != nil {
		s.log.Error("a schedule did not reach its target", slog.String("schedule", e.ARN), slog.Any("error", err))
		return
	}
	s.log.Debug("a schedule invoked its target", slog.String("schedule", e.ARN))
}

// Close stops all schedules. It returns when no target can be invoked any more. A second Close does nothing.
func (s *Scheduler) Close() {
	s.mu.Lock()
	s.closed = true
	for _, e := range s.entries {
		e.timer.Stop()
	}
	s.mu.Unlock()
	s.runs.Wait()
}
