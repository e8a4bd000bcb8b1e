// Package clocktest has a clock that tests move by hand.
package clocktest

import (
	"sync"
	"time"

	"signedsocket/localstage/internal/clock"
)

// Clock stands still until a test moves it. Make it with New.
type Clock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*timer]struct{} // the pending ones
}

type timer struct {
	clock *Clock
	at    time.Time
	f     func()
}

// New returns a clock that stands at some time in 2027.
func New() *Clock {
	return &Clock{now: time.Unix(1_800_000_000, 0), timers: map[*timer]struct{}{}}
}

// Now implements clock.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc implements clock.Clock. Move calls f.
func (c *Clock) AfterFunc(d time.Duration, f func()) clock.Timer {
	t := &timer{clock: c, f: f}
	t.Reset(d)
	return t
}

// Move lets d pass at once, and then makes the calls that were due before it began.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []*timer
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

// Pending returns the number of waiting calls.
func (c *Clock) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}

// Stop implements clock.Timer.
func (t *timer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	_, pending := t.clock.timers[t]
	delete(t.clock.timers, t)
	return pending
}

// Reset implements clock.Timer.
func (t *timer) Reset(d time.Duration) bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	_, pending := t.clock.timers[t]
	t.at = t.clock.now.Add(d)
	t.clock.timers[t] = struct{}{}
	return pending
}
