package main

import (
	"sync"
	"time"
)

const (
	// closeTimeout limits how long the close of a connection may delay its last frame.
	closeTimeout = 300 * time.Millisecond
	// freePings is how many pings of a connection this process answers in pingWindow without counting them in the
	// table. A client needs one in nine minutes, and one or two more after sleep.
	freePings  = 3
	pingWindow = 10 * time.Second
	// maxWatched bounds the memory for connections. Beyond it the process forgets all of them.
	maxWatched = 10_000
)

// watch counts frames of connections in this process, so that a flood of frames costs no write and no post for each.
// Other processes have counts of their own: the table decides, and watch only spares it calls. It is safe for
// concurrent use.
type watch struct {
	mu     sync.Mutex
	since  time.Time      // when the window of the pings began
	pings  map[string]int // by connection, in this window
	ended  map[string]int // frames that came after the end, by connection. An id belongs to one connection only
	window time.Duration
}

func newWatch() *watch {
	return &watch{pings: make(map[string]int), ended: make(map[string]int), window: pingWindow}
}

// isFreePing reports whether one more ping of a connection at now is answered without being counted.
func (w *watch) isFreePing(connectionID string, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.since) >= w.window || now.Before(w.since) || len(w.pings) >= maxWatched {
		w.since = now
		clear(w.pings)
	}
	w.pings[connectionID]++
	return w.pings[connectionID] <= freePings // mutate:pings-counted => return true
}

// recordEnd remembers that a connection has ended.
func (w *watch) recordEnd(connectionID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.ended) >= maxWatched {
		clear(w.ended)
	}
	if _, known := w.ended[connectionID]; !known { // mutate:ended-remembered
		w.ended[connectionID] = 0
	}
}

// countAfterEnd counts a frame of a connection that may have ended. It reports whether the connection has ended, and
// whether to try to close it again: at the first frame, the second, the fourth and so on.
func (w *watch) countAfterEnd(connectionID string) (ended, again bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	frames, ended := w.ended[connectionID]
	if !ended {
		return false, false
	}
	frames++
	w.ended[connectionID] = frames
	return true, frames&(frames-1) == 0
}
