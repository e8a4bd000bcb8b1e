package main

import (
	"sync"
	"time"
)

const (
	// freePings is how many pings of a connection this process answers in pingWindow without counting them in the
	// table. A client needs one in nine minutes, and one or two more after sleep.
	freePings  = 3
	pingWindow = 10 * time.Second
	// maxWatched bounds the memory for connections. Beyond it the process forgets all of them.
	maxWatched = 10_000
)

// watch counts pings of connections in this process, so that a flood of them costs no write and no post for each. Other
// processes have counts of their own: the table decides, and watch only spares it calls. It is safe for concurrent use.
type watch struct {
	mu     sync.Mutex
	since  time.Time      // when the window of the pings began
	pings  map[string]int // by connection, in this window
	window time.Duration
}

func newWatch() *watch {
	return &watch{pings: make(map[string]int), window: pingWindow}
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
