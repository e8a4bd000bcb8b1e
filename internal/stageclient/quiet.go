package stageclient

import "time"

const (
	silence       = 8*time.Minute + 30*time.Second // without an event of a room, until QuietAt
	silenceSpread = 30 * time.Second               // random time after silence
)

// QuietAt returns when to call [Follower.SyncQuiet], or no time. Each room has a time of its own, 8.5 to 9 minutes
// after its last message or answer: frames of a busy room do not tell whether another one has lost its last message.
func (f *Follower) QuietAt() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	var next time.Time
	for _, r := range f.rooms {
		if !r.quietAt.IsZero() && (next.IsZero() || r.quietAt.Before(next)) {
			next = r.quietAt
		}
	}
	return next
}

// SyncQuiet asks for the rooms that are quiet at the next [Follower.Ask]. Those that are quiet for half of the time are
// asked for, too, so that one frame is enough for all.
func (f *Follower) SyncQuiet(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rooms {
		if r.quietAt.IsZero() || r.quietAt.After(now.Add(silence/2)) {
			continue
		}
		r.quietAt = time.Time{}
		if r.asked == "" {
			r.due, r.hole = now, false
		}
	}
}

// heard plans when a room is quiet. Without a log there is nothing to ask.
func (f *Follower) heard(now time.Time, r *followed) {
	r.quietAt = time.Time{}
	if f.history && r.keepDays > 0 {
		r.quietAt = now.Add(silence + f.jitter(silenceSpread))
	}
}
