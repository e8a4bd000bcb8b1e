package broadcast

import (
	"testing"
	"testing/synctest"
)

// Who is alone cannot be told from an account at its limit.
func TestNobodyIsDroppedWhenNobodyTookTheFrame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		r.join("alone")
		r.gateway.fails(errThrottled, "alone")
		if got := r.deliver(t.Context()); got.Throttled != 1 || got.Missed() != 1 || len(r.table.drops) != 0 {
			t.Errorf("dropped %v: %+v", r.table.drops, got)
		}
	})
}
