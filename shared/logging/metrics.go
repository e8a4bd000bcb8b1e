package logging

import (
	"encoding/json"
	"log/slog"
	"time"
)

// Namespace is the one of all metrics, and Dimension the name of their only dimension, whose value is the name of the
// stack.
const (
	Namespace = "signedsocket"
	Dimension = "Stack"
)

// Broadcast has the numbers of one invocation that brings a message to its recipients. They stand in a log line in the
// embedded metric format: CloudWatch makes metrics of each line with the member _aws, and no function calls an API for
// that. If several invocations share a message, its numbers are the sums of theirs.
//
// Source: CloudWatch user guide, "Specification: Embedded metric format".
type Broadcast struct {
	Messages   int           // 1 for the invocation that took the message, 0 for those that help it
	Recipients int           // connections that should get it
	Delivered  int           // connections that took it
	Gone       int           // connections that had ended
	Throttled  int           // connections that did not take it in time, or that API Gateway's limits stopped
	Retried    int           // posts beyond the first to a recipient
	FanoutTime time.Duration // from the message's arrival until each recipient had a result
}

// metric is a member of the line.
type metric struct {
	Name, Unit string
	value      int64
}

// metrics returns the numbers under their names.
func (b Broadcast) metrics() []metric {
	return []metric{
		{"Messages", "Count", int64(b.Messages)},
		{"Recipients", "Count", int64(b.Recipients)},
		{"Delivered", "Count", int64(b.Delivered)},
		{"Gone", "Count", int64(b.Gone)},
		{"Throttled", "Count", int64(b.Throttled)},
		{"Retried", "Count", int64(b.Retried)},
		{"FanoutTime", "Milliseconds", b.FanoutTime.Milliseconds()},
	}
}

// Attr returns the numbers as members of the line that they are logged in, for a stack at a time.
func (b Broadcast) Attr(stack string, at time.Time) slog.Attr { return embed(stack, at, b.metrics()) }

// History has the numbers of one invocation that answers a request for messages of the past, in the same format.
type History struct {
	Requests int // 1
}

func (h History) metrics() []metric {
	return []metric{{"HistoryRequests", "Count", int64(h.Requests)}}
}

// Attr returns the numbers as Broadcast.Attr does.
func (h History) Attr(stack string, at time.Time) slog.Attr { return embed(stack, at, h.metrics()) }

func embed(stack string, at time.Time, numbers []metric) slog.Attr {
	attrs := []any{slog.String(Dimension, stack)}
	for _, m := range numbers {
		attrs = append(attrs, slog.Int64(m.Name, m.value))
	}
	return slog.Group("", append(attrs, slog.Any("_aws", Directive{at.UnixMilli(), numbers}))...)
}

func isMetric(key string) bool {
	for _, m := range append((Broadcast{}).metrics(), (History{}).metrics()...) {
		if m.Name == key {
			return true
		}
	}
	return false
}

// Directive tells CloudWatch which members of its line are metrics.
type Directive struct {
	at      int64 // Unix milliseconds
	numbers []metric
}

// MarshalJSON implements json.Marshaler.
func (d Directive) MarshalJSON() ([]byte, error) {
	type metrics struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []metric
	}
	return json.Marshal(struct {
		Timestamp         int64
		CloudWatchMetrics []metrics
	}{d.at, []metrics{{Namespace: Namespace, Dimensions: [][]string{{Dimension}}, Metrics: d.numbers}}})
}
