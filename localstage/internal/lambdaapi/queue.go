package lambdaapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"signedsocket/localstage/internal/clock"
	"signedsocket/localstage/internal/lambda"
)

// These are Lambda's times for another attempt: one minute after the first failure of the function and two after the
// second. After a throttle or a failure of the service itself the first is a second, and each further one twice as
// long, up to five minutes. They go on for as long as the event may wait. Source: Lambda developer guide, "How Lambda
// handles errors and retries with asynchronous invocation".
const (
	defaultRetries    = 2
	retryStep         = time.Minute
	firstThrottleWait = time.Second
	maxThrottleWait   = 5 * time.Minute
	defaultEventAge   = 6 * time.Hour
)

// minEventAge is the smallest age in an EventInvokeConfig.
// Source: API model, MaximumEventAgeInSeconds.
const minEventAge = time.Minute

func (c EventInvokeConfig) check() error {
	if c.MaximumRetryAttempts != nil && (*c.MaximumRetryAttempts < 0 || *c.MaximumRetryAttempts > defaultRetries) {
		return fmt.Errorf("MaximumRetryAttempts is %d, and must be 0 to %d", *c.MaximumRetryAttempts, defaultRetries)
	}
	if c.MaximumEventAge != 0 && (c.MaximumEventAge < minEventAge || c.MaximumEventAge > defaultEventAge) {
		return fmt.Errorf("MaximumEventAge is %s, and must be %s to %s", c.MaximumEventAge, minEventAge,
			defaultEventAge)
	}
	return nil
}

func (c EventInvokeConfig) retries() int {
	if c.MaximumRetryAttempts == nil {
		return defaultRetries
	}
	return *c.MaximumRetryAttempts
}

func (c EventInvokeConfig) eventAge() time.Duration {
	if c.MaximumEventAge == 0 {
		return defaultEventAge
	}
	return c.MaximumEventAge
}

// queue delivers events asynchronously. Each event has a goroutine from its sending to its end: Lambda does not order
// events either.
type queue struct {
	clock clock.Clock
	now   func() time.Time
	log   *slog.Logger

	// The end of ctx ends the waits of the goroutines when the queue is closed.
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex // guards closed, and events against Add after Wait
	closed bool
	events sync.WaitGroup
}

func newQueue(c Config) *queue {
	ctx, cancel := context.WithCancel(context.Background())
	return &queue{clock: c.Clock, now: c.Now, log: c.Log, ctx: ctx, cancel: cancel}
}

// event is one event in the queue.
type event struct {
	requestID string
	payload   []byte
	sent      time.Time // on the queue's clock
	attempts  int
	failures  int           // attempts in which the function failed
	throttled time.Duration // length of the last wait for room
}

// send takes an event, which must not change afterwards, or returns ErrClosed.
func (q *queue) send(f *Function, payload []byte, requestID string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	e := &event{requestID: requestID, payload: payload, sent: q.clock.Now()}
	q.events.Go(func() { q.deliver(f, e) })
	return nil
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.cancel()
	q.events.Wait()
}

// deliver invokes f with e until it succeeds or Lambda would give up.
func (q *queue) deliver(f *Function, e *event) {
	log := q.log.With(slog.String("function", f.ARN), slog.String("requestId", e.requestID))
	for {
		_, err := f.Invoker.Invoke(q.ctx, e.payload)
		e.attempts++
		if err == nil {
			return
		}
		if q.ctx.Err() != nil || errors.Is(err, lambda.ErrClosed) {
			log.Debug("an asynchronous event was dropped, because the stage is closing")
			return
		}
		failed, _ := errors.AsType[*lambda.FunctionError](err)
		if failed != nil && e.failures == f.Event.retries() {
			log.Warn("an asynchronous event was given up", slog.Int("attempts", e.attempts), slog.Any("error", err))
			q.giveUp(f, e, retriesExhausted, failed)
			return
		}
		wait := e.backOff(failed != nil)
		log.Info("an asynchronous event will be tried again", slog.Duration("in", wait), slog.Any("error", err))
		if !q.wait(wait) {
			return
		}
		if q.clock.Now().Sub(e.sent) > f.Event.eventAge() {
			log.Warn("an asynchronous event was given up, because it is too old", slog.Int("attempts", e.attempts))
			q.giveUp(f, e, eventAgeExceeded, failed)
			return
		}
	}
}

// backOff returns how long e waits for its next attempt.
func (e *event) backOff(functionFailed bool) time.Duration {
	if functionFailed {
		e.failures++
		e.throttled = 0
		return time.Duration(e.failures) * retryStep
	}
	e.throttled = min(max(2*e.throttled, firstThrottleWait), maxThrottleWait)
	return e.throttled
}

// wait waits for d. It returns false when the queue was closed first.
func (q *queue) wait(d time.Duration) bool {
	passed := make(chan struct{})
	timer := q.clock.AfterFunc(d, func() { close(passed) })
	select {
	case <-passed:
		return true
	case <-q.ctx.Done():
		timer.Stop()
		return false
	}
}

func (q *queue) giveUp(f *Function, e *event, condition string, failed *lambda.FunctionError) {
	if f.Event.OnFailure != nil {
		f.Event.OnFailure(invocationRecord(f, e, condition, failed, q.now()))
	}
}
