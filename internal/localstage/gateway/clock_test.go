package gateway_test

import (
	"sync"
	"time"

	"signedsocket/internal/localstage/gateway"
)

// movableClock stands still until it is moved.
type movableClock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*movableTimer]struct{}
}

type movableTimer struct {
	clock *movableClock
	at    time.Time
	f     func()
}

func newClock() *movableClock {
	return &movableClock{now: time.Unix(1_800_000_000, 0), timers: map[*movableTimer]struct{}{}}
}

func (c *movableClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *movableClock) AfterFunc(d time.Duration, f func()) gateway.Timer {
	t := &movableTimer{clock: c, f: f}
	t.Reset(d)
	return t
}

// move lets d pass and calls what is due.
func (c *movableClock) move(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []*movableTimer
	for t := range c.timers {
		if !t.at.After(c.now) {
			due = append(due, t)
			delete(c.timers, t)
		}
	}
	c.mu.Unlock()
	for _, t := range due {
		t.f()
	}
}

// pending is the number of timers that wait.
func (c *movableClock) pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}

func (t *movableTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	_, pending := t.clock.timers[t]
	delete(t.clock.timers, t)
	return pending
}

func (t *movableTimer) Reset(d time.Duration) bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	_, pending := t.clock.timers[t]
	t.at = t.clock.now.Add(d)
	t.clock.timers[t] = struct{}{}
	return pending
}
