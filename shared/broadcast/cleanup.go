package broadcast

import (
	"context"
	"log/slog"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
)

// cleanUpLimit is how many connections are removed from the table at the same time.
const cleanUpLimit = 16

// DropSlow removes from the table who did not read, and has them closed. It comes before the sender is told, so that a
// message that is sent again waits for them no more. A failure is only logged: the next broadcast tries again.
func (b *Broadcaster) DropSlow(ctx context.Context, log *slog.Logger, r Result) {
	b.each(ctx, log, "slow connections dropped", r.toDrop(), func(member connections.Member) error {
		return b.Connections.Drop(ctx, member.ConnectionID, member.ConnectedAt, b.Now())
	})
}

// ForgetGone removes from the table who is gone. A failure is only logged: the next broadcast finds them gone again.
func (b *Broadcaster) ForgetGone(ctx context.Context, log *slog.Logger, r Result) {
	b.each(ctx, log, "gone connections forgotten", r.gone, func(member connections.Member) error {
		_, err := b.Connections.Forget(ctx, member.ConnectionID, member.ConnectedAt)
		return err
	})
}

// toDrop returns who has to leave, so that the others do not wait for them with every message. When many were
// throttled, or nobody took the frame, it is more likely that the account's limit was reached, which is nobody's fault.
func (r Result) toDrop() []connections.Member {
	if r.Delivered == 0 || r.Throttled > max(1, r.Recipients/10) {
		return nil
	}
	return r.slow
}

// each does something about each of the members, and logs how many that was.
func (b *Broadcaster) each(ctx context.Context, log *slog.Logger, what string, members []connections.Member, do func(connections.Member) error) {
	if len(members) == 0 {
		return
	}
	var done atomic.Int64
	var jobs errgroup.Group
	jobs.SetLimit(cleanUpLimit)
	for _, member := range members {
		jobs.Go(func() (err error) {
			defer logging.Recover(ctx, b.Log, &err)
			if err = do(member); err == nil {
				done.Add(1)
			}
			return err
		})
	}
	if err := jobs.Wait(); err != nil {
		log.ErrorContext(ctx, "clean-up failed", slog.Any("error", err), slog.Int("connections", len(members)), slog.Int64("forgotten", done.Load()))
		return
	}
	log.InfoContext(ctx, what, slog.Int64("forgotten", done.Load()))
}
