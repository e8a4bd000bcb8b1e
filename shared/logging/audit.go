package logging

import (
	"context"
	"log/slog"
)

// Act is an act of an operator or a rule that concerns a user.
type Act struct {
	Action      string    // revoke, ban, unban, kick, evict, replace, sign_out, drop_slow
	By          string    // the operator's ARN as the request claims it, or the name of the rule
	User        slog.Attr // the hash of the user, as userid.LogAttr makes it
	Why         string
	Connections int // that it ended
}

// Audit writes the one line about an act. All of these lines have the message "audit", so that one query finds them.
func Audit(ctx context.Context, log *slog.Logger, act Act) {
	log.WarnContext(ctx, "audit", slog.String("action", act.Action), slog.String("by", act.By), act.User,
		slog.String("why", act.Why), slog.Int("connections", act.Connections))
}
