package caller

import "sync"

// maxEnded bounds the memory for connections that have ended. Beyond it the process forgets all of them.
const maxEnded = 10_000

// ended counts the frames that come after the end of connections in this process, so that a flood of them costs no
// write and no post for each. Other processes have counts of their own: the table decides, and ended only spares it
// calls. It is safe for concurrent use.
type ended struct {
	mu     sync.Mutex
	frames map[string]int // by connection. An id belongs to one connection only
}

// record remembers that a connection has ended.
func (e *ended) record(connectionID string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.frames == nil || len(e.frames) >= maxEnded {
		e.frames = make(map[string]int)
	}
	if _, known := e.frames[connectionID]; !known { // mutate:ended-remembered
		e.frames[connectionID] = 0
	}
}

// count counts a frame of a connection that may have ended. It reports whether the connection has ended, and whether to
// try to close it again: at the first frame, the second, the fourth and so on.
func (e *ended) count(connectionID string) (ended, again bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	frames, ended := e.frames[connectionID]
	if !ended {
		return false, false
	}
	frames++
	e.frames[connectionID] = frames
	return true, frames&(frames-1) == 0
}
