package broadcast

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
)

// post is a recipient without a result.
type post struct {
	member   connections.Member
	attempts int       // so far
	strained bool      // one of them was throttled
	began    time.Time // when the first did
	err      error     // of the last
}

// delivery is one frame on its way. Workers take posts from the queue and end when it is empty. Each call that adds
// posts starts workers, up to the limit of posts under way. So a message to two members takes two goroutines, and one
// to thousands no more than the limit.
type delivery struct {
	*Broadcaster
	ctx   context.Context // a delivery lives as long as the call that it is for
	frame callback.Frame
	open  sync.WaitGroup // recipients without a result

	mu      sync.Mutex
	queue   []post
	workers int
	result  Result
}

// add counts the members of a page as recipients and has the frame posted to them.
func (d *delivery) add(page []connections.Member) {
	d.open.Add(len(page))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.result.Pages++
	d.result.Recipients += len(page)
	for _, member := range page {
		d.queue = append(d.queue, post{member: member})
	}
	d.startWorkers()
}

// startWorkers starts workers for the posts in the queue.
func (d *delivery) startWorkers() {
	for range min(d.Concurrency-d.workers, len(d.queue)) {
		d.workers++
		go d.work()
	}
}

func (d *delivery) work() {
	for {
		p, ok := d.take()
		if !ok {
			return
		}
		if p.attempts == 0 {
			p.began = d.Now()
		}
		p.err = d.attempt(p)
		p.attempts++
		p.strained = p.strained || errors.Is(p.err, callback.ErrThrottled)
		d.settle(p)
	}
}

// take returns the next post, or false when there is none and the worker has to end.
func (d *delivery) take() (post, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 {
		d.queue = nil
		d.workers--
		return post{}, false
	}
	next := d.queue[0]
	d.queue = d.queue[1:]
	return next, true
}

// attempt posts the frame once. It ends early enough for another one, since a connection to the endpoint may have gone
// silent. A panic counts as a failure of this recipient and does not end the process.
func (d *delivery) attempt(p post) (err error) {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	defer logging.Recover(d.ctx, d.Log, &err)
	ctx, cancel := context.WithTimeout(d.ctx, min(d.left(&p)+lastAttempt, callback.AnswerTime))
	defer cancel()
	if callback.Repeatable(p.err) {
		return d.Callback.TryAgain(ctx, p.member.ConnectionID, d.frame, p.err)
	}
	return d.Callback.Try(ctx, p.member.ConnectionID, d.frame)
}

// left returns how much longer posts to a recipient are repeated.
func (d *delivery) left(p *post) time.Duration {
	allowed := patience
	if d.young(p) {
		allowed = handshakePatience
	}
	return allowed - d.Now().Sub(p.began)
}

// settle records the result of a post, or has it repeated.
func (d *delivery) settle(p post) {
	if p.err != nil && d.repeat(p) {
		return
	}
	d.mu.Lock()
	d.record(p)
	d.mu.Unlock()
	d.open.Done()
}

// repeat puts a post back into the queue after a pause, behind all first posts, if it may succeed and there is time.
func (d *delivery) repeat(p post) bool {
	pause := callback.Pause(p.attempts)
	if !callback.Repeatable(p.err) && !d.young(&p) || pause > d.left(&p) || d.ctx.Err() != nil {
		return false
	}
	if deadline, ok := d.ctx.Deadline(); ok && d.Now().Add(pause).After(deadline) {
		return false
	}
	time.AfterFunc(pause, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.result.Retried++
		d.queue = append(d.queue, p)
		d.startWorkers()
	})
	return true
}

// young reports whether a post found a connection gone that may be in its handshake. It is in the table before that is
// answered, and until then API Gateway says that it is gone.
func (d *delivery) young(p *post) bool {
	return errors.Is(p.err, callback.ErrGone) && d.Now().Sub(p.member.ConnectedAt) < callback.HandshakeTime
}

// record counts the last result of a post.
func (d *delivery) record(p post) {
	switch {
	case p.err == nil:
		d.delivered(p)
		return
	case d.young(&p):
		d.result.Young++
		return
	case errors.Is(p.err, callback.ErrGone):
		d.result.Gone++
		d.result.gone = append(d.result.gone, p.member)
		return
	case errors.Is(p.err, callback.ErrThrottled):
		d.result.Throttled++
		if callback.Repeatable(p.err) && p.attempts >= slowAttempts {
			d.result.slow = append(d.result.slow, p.member)
		}
	default:
		d.result.Failed++
	}
	d.result.Failure = p.err
}

// delivered counts a recipient that took the frame.
func (d *delivery) delivered(p post) {
	d.result.Delivered++
	if p.strained {
		d.result.strained++
	}
	if len(d.result.took) < maxTakers {
		d.result.took = append(d.result.took, taker{cmp.Or(p.member.Subject, p.member.ConnectionID), p.strained})
	}
	if p.member.ConnectionID == d.result.origin.Sender {
		d.result.echoed = true
	} else {
		d.result.others++
	}
	if !p.member.Slow.IsZero() { // mutate:slow-recovers
		d.result.recovered = append(d.result.recovered, p.member)
	}
}
