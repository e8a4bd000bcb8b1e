package broadcast

import (
	"context"
	"strings"
	"testing"
	"time"
)

// Sockets of one user that read late, but in time, protect no socket that never reads: else one user with five of them
// has every message of a small room sent again for minutes.
func TestLateReadersOfOneUserProtectNoSocketThatNeverReads(t *testing.T) {
	t.Parallel()
	inRoom(t, func(t *testing.T, r *room) {
		r.sender = "sender"
		r.join("sender", "honest", "honest2", "stuck", "late0", "late1", "late2", "late3")
		for i, m := range r.members {
			if m.ConnectionID == "stuck" || strings.HasPrefix(m.ConnectionID, "late") {
				r.members[i].Subject = "mallory"
			}
		}
		var began time.Time
		r.gateway.answer = func(_ context.Context, id string, _ int) error {
			if id == "stuck" || strings.HasPrefix(id, "late") && time.Since(began) < 200*time.Millisecond {
				return errThrottled
			}
			return nil
		}
		for i := range 4 {
			began = time.Now()
			if got := r.deliver(t.Context()); !got.Complete() {
				t.Errorf("message %d is to be sent again: %+v", i, got)
			}
			pass(time.Second)
		}
		if len(r.table.drops) == 0 {
			t.Error("the socket that never reads was not dropped")
		}
	})
}
