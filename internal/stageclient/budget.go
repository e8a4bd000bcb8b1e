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

// Spend takes a request that the caller makes itself, as with [Follower.OlderWant], from the budget of the follower:
// the stage counts all requests together. With ok false the budget is used up until from.
func (f *Follower) Spend(now time.Time) (from time.Time, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if from = f.budget.next(now); from.After(now) {
		return from, false
	}
	f.budget.spend(now)
	return now, true
}
