package e2e_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

// leapingClock is the clock of the machine, and can be moved forward.
type leapingClock struct {
	localstage.MachineClock
	ahead atomic.Int64 // nanoseconds
}

func (c *leapingClock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// TestTimeToLiveFollowsTheStagesClock needs the local stage, because a test cannot move AWS's clock. The records of a
// connection stay as long as the template says, and go once the stage's clock has passed that.
func TestTimeToLiveFollowsTheStagesClock(t *testing.T) {
	t.Parallel()
	moved := &leapingClock{}
	_, client := startStage(t, stagetest.Options{Configure: func(c *localstage.Config) {
		c.Clock, c.TimeToLive = moved, localstage.TimeToLive{Delete: true, Lag: time.Hour}
	}})
	connect(t, client, "alice")
	records := recordsOf(t, client)
	if users, err := records.members(within(t)); err != nil || len(users) != 1 {
		t.Fatalf("the lobby has %v (%v), want alice", users, err)
	}
	moved.ahead.Store(int64(48 * time.Hour))
	until(t, "the records are gone", func(ctx context.Context) bool {
		users, err := records.members(ctx)
		if err != nil {
			t.Fatalf("read the members of the lobby: %v", err)
		}
		return len(users) == 0
	})
}
