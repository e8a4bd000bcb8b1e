package lambda

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// invocation is one event on its way through a function. Function.mu guards the fields of the second block.
type invocation struct {
	requestID string
	traceID   string
	event     []byte
	fault     Fault
	outcome   chan outcome // of capacity 1: the caller may be gone

	answered bool
	expired  bool
	started  time.Time // when an environment got the event
	deadline time.Time
	timer    *time.Timer
}

// outcome is the result of Invoke.
type outcome struct {
	payload []byte
	err     error
}

func newInvocation(event []byte, fault Fault) *invocation {
	return &invocation{
		requestID: uuid.NewString(),
		traceID:   newTraceID(time.Now()),
		event:     event,
		fault:     fault,
		outcome:   make(chan outcome, 1),
	}
}

// newTraceID returns the value of an X-Ray tracing header of an unsampled trace.
// Source: AWS X-Ray developer guide, "Tracing header".
func newTraceID(now time.Time) string {
	var random [20]byte
	_, _ = rand.Read(random[:]) // never fails
	return fmt.Sprintf("Root=1-%08x-%x;Parent=%x;Sampled=0", now.Unix(), random[:12], random[12:])
}
