// Package clock is the time that the parts of a stage wait in: idle connections, retries,
// schedules. A test hurries it or moves it by hand, and nobody else does. Events are stamped
// with the machine's own time, since the functions live in that.
package clock

import "time"

// Clock tells the time and calls back when some has passed.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f, from another goroutine or from the one that moves the
	// clock, when d has passed; never from within AfterFunc or Reset, and never
	// while holding a lock that the clock's other methods need.
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
