// Package metrics writes numbers into log lines so that CloudWatch makes metrics of them: the embedded
// metric format. A line with the member _aws is read by CloudWatch as it arrives in a log group; no
// function calls an API for that, and a line that is not read is still a line to search for.
// Source: CloudWatch user guide, "Specification: Embedded metric format".
package metrics

import (
	"encoding/json"
	"log/slog"
	"time"
)

// Namespace is the one of all metrics, and Dimension the name of their only dimension, whose value is
// the name of the stack.
const (
	Namespace = "signedsocket"
	Dimension = "Stack"
)

// Broadcast is what one invocation did to bring one message to its recipients. A message that is split
// over several invocations is the sum of theirs.
type Broadcast struct {
	Messages   int           // 1 for the invocation that took the message, 0 for those that help it
	Recipients int           // who was to get it
	Delivered  int           // who took it
	Gone       int           // who turned out to be connected no more
	Throttled  int           // who did not take it in time, or whom API Gateway's limits kept from it
	Retried    int           // posts beyond the first to a recipient
	FanoutTime time.Duration // from the message's arrival until the last recipient had it or could not have it
}

// Attr returns the numbers as members of the line that they are logged in, for a stack at a time.
func (b Broadcast) Attr(stack string, at time.Time) slog.Attr {
	return slog.Group("",
		slog.String(Dimension, stack),
		slog.Int("Messages", b.Messages),
		slog.Int("Recipients", b.Recipients),
		slog.Int("Delivered", b.Delivered),
		slog.Int("Gone", b.Gone),
		slog.Int("Throttled", b.Throttled),
		slog.Int("Retried", b.Retried),
		slog.Int64("FanoutTime", b.FanoutTime.Milliseconds()),
		slog.Any("_aws", Directive{at.UnixMilli()}),
	)
}

// Directive tells CloudWatch which members of its line are metrics.
type Directive struct {
	at int64 // Unix milliseconds
}

// MarshalJSON implements json.Marshaler.
func (d Directive) MarshalJSON() ([]byte, error) {
	type metric struct{ Name, Unit string }
	type metrics struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []metric
	}
	return json.Marshal(struct {
		Timestamp         int64
		CloudWatchMetrics []metrics
	}{d.at, []metrics{{
		Namespace: Namespace, Dimensions: [][]string{{Dimension}},
		Metrics: []metric{
			{"Messages", "Count"}, {"Recipients", "Count"}, {"Delivered", "Count"}, {"Gone", "Count"},
			{"Throttled", "Count"}, {"Retried", "Count"}, {"FanoutTime", "Milliseconds"},
		},
	}}})
}
