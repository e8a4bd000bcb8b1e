package main

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
)

const (
	// handshakeTime is for how long a connection may be in its handshake. It is in the table before that is
	// answered, and until then API Gateway says that it is gone.
	handshakeTime = callback.HandshakeTime
	// postTimeout is what one recipient may cost: one who does not read must not hold up the rest.
	postTimeout = 5 * time.Second
	// Connections in their handshake are tried again for this long, with these pauses.
	handshakeBudget = 3 * time.Second
	firstPause      = 20 * time.Millisecond
	longestPause    = 400 * time.Millisecond
)

// delivery is what became of one frame.
type delivery struct {
	recipients, delivered, gone, failed int
	// stale are those of the gone who cannot be in their handshake any more.
	stale []connections.Member
	// failure is one of the errors behind failed.
	failure error
}

func (d delivery) logged() slog.Attr {
	attrs := []any{
		slog.Int("recipients", d.recipients), slog.Int("delivered", d.delivered), slog.Int("gone", d.gone), slog.Int("failed", d.failed),
	}
	if d.failure != nil {
		attrs = append(attrs, slog.Any("error", d.failure))
	}
	return slog.Group("", attrs...)
}

// workers runs functions, a limited number of them at the same time.
type workers struct {
	slots   chan struct{}
	running sync.WaitGroup
}

func newWorkers(limit int) *workers { return &workers{slots: make(chan struct{}, limit)} }

// run starts f as soon as there is a free slot.
func (w *workers) run(f func()) {
	w.slots <- struct{}{}
	w.running.Go(func() {
		defer func() { <-w.slots }()
		f()
	})
}

// broadcast is the delivery of one frame under way.
type broadcast struct {
	log      *slog.Logger
	callback poster
	now      func() time.Time
	frame    []byte
	posts    *workers

	mu    sync.Mutex
	done  delivery
	young []connections.Member // gone, but perhaps still in their handshake
}

// deliver posts a frame to the sender and to everybody else in the room, and returns when each of
// them has it or cannot have it. The posts begin before the room has been read: the sender needs no
// looking up, and others follow page by page. One recipient's failure is nobody else's. The error is
// a fault in reading the room; then only some have the frame.
func (h *handler) deliver(ctx context.Context, sender connections.Connection, room string, frame []byte) (delivery, error) {
	ctx, cancel := before(ctx, reportMargin)
	defer cancel()
	b := &broadcast{log: h.log, callback: h.callback, now: h.now, frame: frame, posts: newWorkers(h.concurrency)}
	giveUp := h.now().Add(handshakeBudget)
	b.start(ctx, connections.Member{ConnectionID: sender.ID, ConnectedAt: sender.ConnectedAt})
	err := b.startMembers(ctx, h.connections.Members(ctx, room, h.now()), sender.ID)
	b.posts.running.Wait()
	if err == nil {
		b.retryYoung(ctx, giveUp)
	}
	// Whose handshake was not answered in all this time was not connected when the message was sent.
	b.done.gone += len(b.young)
	return b.done, err
}

// before returns a context that ends by margin earlier than ctx, which on Lambda ends when the
// invocation is killed.
func before(ctx context.Context, margin time.Duration) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-margin))
	}
	return context.WithCancel(ctx)
}

// startMembers starts the posts to all members but one.
func (b *broadcast) startMembers(ctx context.Context, pages iter.Seq2[[]connections.Member, error], except string) error {
	for page, err := range pages {
		if err != nil {
			return err
		}
		for _, member := range page {
			if member.ConnectionID != except {
				b.start(ctx, member)
			}
		}
	}
	return nil
}

// start counts a recipient and posts to it.
func (b *broadcast) start(ctx context.Context, member connections.Member) {
	b.done.recipients++
	b.posts.run(func() { b.post(ctx, member) })
}

// post posts to one member and records the outcome.
func (b *broadcast) post(ctx context.Context, member connections.Member) {
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	err := b.postTo(ctx, member.ConnectionID)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err == nil:
		b.done.delivered++
	case !errors.Is(err, callback.ErrGone):
		b.done.failed++
		b.done.failure = err
	case b.now().Sub(member.ConnectedAt) < handshakeTime:
		b.young = append(b.young, member)
	default:
		b.done.gone++
		b.done.stale = append(b.done.stale, member)
	}
}

// postTo posts the frame. A panic on the way is the failure of this recipient, not of the process.
func (b *broadcast) postTo(ctx context.Context, connectionID string) (err error) {
	defer logging.Recover(ctx, b.log, &err)
	return b.callback.Post(ctx, connectionID, b.frame)
}

// retryYoung posts again to the connections that may be in their handshake, until all have it or
// the time is up. It comes after everybody else, so that nobody waits for them.
func (b *broadcast) retryYoung(ctx context.Context, giveUp time.Time) {
	for longest := firstPause; len(b.young) > 0; longest = min(2*longest, longestPause) {
		pause := longest/2 + rand.N(longest/2)
		if b.now().Add(pause).After(giveUp) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		again := b.young
		b.young = nil
		for _, member := range again {
			b.posts.run(func() { b.post(ctx, member) })
		}
		b.posts.running.Wait()
	}
}

// forget removes connections that are gone from the table. What cannot be removed now is found gone
// again by the next broadcast, so a failure is only logged.
func (h *handler) forget(ctx context.Context, log *slog.Logger, stale []connections.Member) {
	if len(stale) == 0 {
		return
	}
	removals := newWorkers(h.concurrency)
	var mu sync.Mutex
	forgotten, failure := 0, error(nil)
	for _, member := range stale {
		removals.run(func() {
			removed, err := h.forgetOne(ctx, member)
			mu.Lock()
			defer mu.Unlock()
			if removed {
				forgotten++
			}
			if err != nil {
				failure = err
			}
		})
	}
	removals.running.Wait()
	if failure != nil {
		log.ErrorContext(ctx, "forget failed", slog.Any("error", failure), slog.Int("gone", len(stale)), slog.Int("forgotten", forgotten))
		return
	}
	log.InfoContext(ctx, "gone connections forgotten", slog.Int("forgotten", forgotten))
}

func (h *handler) forgetOne(ctx context.Context, member connections.Member) (removed bool, err error) {
	defer logging.Recover(ctx, h.log, &err)
	return h.connections.Forget(ctx, member.ConnectionID, member.ConnectedAt)
}
