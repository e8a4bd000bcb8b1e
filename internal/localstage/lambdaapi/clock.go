package lambdaapi

import "time"

// Clock measures the waits between attempts and the age of events. Tests give
// one that they can move.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f when d has passed, from another goroutine or from the one
	// that moves the clock, and never from within AfterFunc. The function that it
	// returns prevents the call and reports whether it was still pending.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// systemClock is the machine's own clock.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
