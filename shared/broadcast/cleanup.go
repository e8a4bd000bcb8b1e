package broadcast

import (
	"context"
	"log/slog"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/userid"
)

// cleanUpLimit is how many connections are removed from the table at the same time.
const cleanUpLimit = 16

// ExpelSlow marks the recipients that did not read, and removes those from the table that an earlier broadcast has
// marked, too; the reaper closes them. It runs before the sender gets its answer, so that the next message does not
// wait for them. A failure is only logged: the next broadcast tries again.
func (b *Broadcaster) ExpelSlow(ctx context.Context, log *slog.Logger, r Result) {
	b.each(ctx, log, "slow connections expelled", r.judged(), func(member connections.Member) (bool, error) {
		again, err := b.Connections.MarkSlow(ctx, r.origin.Room, member, r.began, b.Now())
		if err != nil || !again {
			return false, err
		}
		// mutate:slow-dropped => userID, err := "", error(nil)
		userID, err := b.Connections.ExpelSlow(ctx, member.ConnectionID, member.ConnectedAt, b.Now())
		if err == nil && userID != "" {
			logging.Audit(ctx, log, logging.Act{
				Action: "drop_slow", By: "slow recipients", User: userid.LogAttr(b.Salt, userID),
				Why: "the connection did not read two broadcasts", Connections: 1,
			})
		}
		return true, err
	})
}

// CleanUp removes gone connections from the table, and the marks of members that read again. A failure is only logged:
// the next broadcast finds them again.
func (b *Broadcaster) CleanUp(ctx context.Context, log *slog.Logger, r Result) {
	b.each(ctx, log, "gone connections removed", r.gone, func(member connections.Member) (bool, error) {
		_, err := b.Connections.Remove(ctx, member.ConnectionID, member.ConnectedAt)
		return err == nil, err
	})
	b.each(ctx, log, "slow connections recovered", r.recovered, func(member connections.Member) (bool, error) {
		err := b.Connections.ClearSlow(ctx, r.origin.Room, member)
		return err == nil, err
	})
}

// judged returns the recipients that did not read. It returns none unless other members received the frame and API
// Gateway was below the account's limit.
func (r Result) judged() []connections.Member {
	if r.others == 0 { // mutate:slow-witness
		return nil
	}
	if r.overloaded() { // mutate:slow-overloaded
		return nil
	}
	return r.slow
}

// each calls do for each member, and logs the number of members for which do returned true.
func (b *Broadcaster) each(
	ctx context.Context, log *slog.Logger, what string, members []connections.Member,
	do func(connections.Member) (bool, error),
) {
	if len(members) == 0 {
		return
	}
	var done atomic.Int64
	var jobs errgroup.Group
	jobs.SetLimit(cleanUpLimit)
	for _, member := range members {
		jobs.Go(func() (err error) {
			defer logging.Recover(ctx, b.Log, &err)
			did, err := do(member)
			if did && err == nil {
				done.Add(1)
			}
			return err
		})
	}
	if err := jobs.Wait(); err != nil {
		log.ErrorContext(ctx, "clean-up failed", slog.Any("error", err), slog.Int("connections", len(members)),
			slog.Int64("removed", done.Load()))
		return
	}
	if done.Load() > 0 {
		log.InfoContext(ctx, what, slog.Int64("removed", done.Load()))
	}
}
