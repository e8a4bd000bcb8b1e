package logging

import (
	"context"
	"log/slog"
)

// Act is something that was done about a user: by an operator, or by a rule.
type Act struct {
	Action      string    // revoke, ban, unban, kick, evict, replace, sign_out, drop_slow
	By          string    // the operator's ARN as the request claims it, or the name of the rule
	User        slog.Attr // the user's hash, as LogAttr and User make it
	Why         string
	Connections int // that it ended
}

// Audit writes the line about an act. There is one for each, and they all have the message "audit", so that one query
// finds them.
func Audit(ctx context.Context, log *slog.Logger, act Act) {
	log.WarnContext(ctx, "audit", slog.String("action", act.Action), slog.String("by", act.By), act.User,
		slog.String("why", act.Why), slog.Int("connections", act.Connections))
}
