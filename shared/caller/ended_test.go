package caller

import (
	"fmt"
	"testing"
)

func TestFramesAfterTheEndAreCounted(t *testing.T) {
	t.Parallel()
	var e ended
	if ended, again := e.count("a="); ended || again {
		t.Error("a connection that has not ended has")
	}
	e.record("a=")
	var tries []int
	for frame := 1; frame <= 20; frame++ {
		ended, again := e.count("a=")
		if !ended {
			t.Fatalf("frame %d: the end is forgotten", frame)
		}
		if again {
			tries = append(tries, frame)
		}
		e.record("a=") // which changes nothing
	}
	if fmt.Sprint(tries) != "[1 2 4 8 16]" {
		t.Errorf("closes again at the frames %d", tries)
	}
	if ended, _ := e.count("b="); ended {
		t.Error("another connection has ended")
	}
	for i := range 2 * maxEnded {
		e.record(fmt.Sprint(i))
	}
	if len(e.frames) > maxEnded || len(e.frames) == 0 {
		t.Errorf("remembers %d connections, want at most %d", len(e.frames), maxEnded)
	}
}
