// Package clock is the time for the waits of a stage: idle connections, retries, schedules. Only tests hurry it or move
// it by hand. Events carry the machine's own time, because the functions live in it.
package clock

import (
	"context"
	"time"
)

// Clock tells the time and calls a function after a while.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f, from another goroutine or from the one that moves the clock, when d has passed. It never calls
	// f from within AfterFunc or Reset, nor while it holds a lock that the clock's other methods need.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a pending call of Clock.AfterFunc. *time.Timer is one.
type Timer interface {
	// Stop prevents the call and reports whether it was still pending.
	Stop() bool
	// Reset makes the call happen d from now and reports whether it was
	// pending.
	Reset(d time.Duration) bool
}

// Machine is the machine's own clock.
type Machine struct{}

// Now returns the machine's time.
func (Machine) Now() time.Time { return time.Now() }

// AfterFunc calls f in a goroutine of its own when d has passed.
func (Machine) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }

// Pause returns after d by the machine's clock, or when ctx ends.
func Pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
