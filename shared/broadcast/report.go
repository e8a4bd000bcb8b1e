package broadcast

import (
	"log/slog"
	"time"

	"signedsocket/shared/logging"
)

// Origin is where a broadcast comes from.
type Origin struct {
	ID      string    // the Lambda request id of the invocation that took the message, the same in all lines about it
	Room    string    // whose members got it
	Arrived time.Time // when the message did
	Sender  string    // connection id, "" for a part of a broadcast that the sender is not in
}

// Attr returns the numbers of a result for a log line. CloudWatch makes metrics of the stack from them. messages is 1
// for the invocation that took the message, 0 for those that help it.
func (r Result) Attr(stack string, origin Origin, messages int, at time.Time) slog.Attr {
	attrs := []any{
		slog.String("broadcastId", origin.ID), slog.String("room", origin.Room),
		slog.Int("young", r.Young), slog.Int("failed", r.Failed), slog.Int("pages", r.Pages),
		logging.Broadcast{
			Messages: messages, Recipients: r.Recipients, Delivered: r.Delivered, Gone: r.Gone,
			Throttled: r.Throttled, Retried: r.Retried, FanoutTime: at.Sub(origin.Arrived),
		}.Attr(stack, at),
	}
	if r.Failure != nil {
		attrs = append(attrs, slog.Any("error", r.Failure))
	}
	return slog.Group("", attrs...)
}
