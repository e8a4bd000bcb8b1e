package e2e_test

import (
	"errors"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

// hurriedClock is a stage's clock on which a minute takes a tenth of a second.
type hurriedClock struct{ started time.Time }

const hurry = 600

func (c hurriedClock) Now() time.Time { return c.started.Add(time.Since(c.started) * hurry) }

func (hurriedClock) AfterFunc(d time.Duration, f func()) localstage.Timer {
	return time.AfterFunc(d/hurry, f)
}

// TestTheScheduleOfTheTemplateRunsTheReaper needs the local stage, whose clock can run faster than AWS's.
func TestTheScheduleOfTheTemplateRunsTheReaper(t *testing.T) {
	t.Parallel()
	_, client := startStage(t, stagetest.Options{
		Parameters: map[string]string{"ConnectionsPerUser": "1"},
		Configure: func(c *localstage.Config) {
			c.Clock = hurriedClock{started: time.Now()}
			c.IdleTimeout, c.MaxAge = 24*time.Hour, 48*time.Hour
		},
	})
	first := connect(t, client, "alice")
	connect(t, client, "alice")
	for { // a busy machine may close the connection without a bye
		frame, err := first.Next(within(t))
		if closed, ok := errors.AsType[*stageclient.ClosedError](err); ok && closed.Code == 1000 {
			return
		}
		if bye, ok := frame.(stageclient.Bye); err != nil || !ok || bye.Code != "evicted" {
			t.Fatalf("%+v, %v; want a bye and the close", frame, err)
		}
	}
}
