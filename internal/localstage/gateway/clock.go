package gateway

import "time"

// Clock measures the life of connections. Tests give one that they can move.
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

// systemClock is the machine's own clock.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }
