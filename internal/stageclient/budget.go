package stageclient

import "time"

// The stage takes 20 requests for history in 10 s, and refuses more as misbehaviour. A client asks for less.
const (
	requestWindow = 10 * time.Second
	mostRequests  = 16
)

// budget holds the times of the last requests for history.
type budget struct{ used []time.Time }

// next returns when the next request may be sent.
func (b *budget) next(now time.Time) time.Time {
	if len(b.used) < mostRequests {
		return now
	}
	if free := b.used[0].Add(requestWindow); free.After(now) {
		return free
	}
	return now
}

// spend records a request.
func (b *budget) spend(now time.Time) {
	if len(b.used) == mostRequests {
		b.used = b.used[1:]
	}
	b.used = append(b.used, now)
}
