package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// longest is the longest duration that a histogram can hold. A longer one counts as longest.
const longest = 10 * time.Minute

// histogram holds durations, to the microsecond and three digits.
type histogram struct{ hdr *hdrhistogram.Histogram }

func newHistogram() *histogram {
	return &histogram{hdrhistogram.New(1, longest.Microseconds(), 3)}
}

func (h *histogram) record(d time.Duration) {
	// In range, so there is no error.
	_ = h.hdr.RecordValue(min(max(d, 0), longest).Microseconds())
}

// Latency is a distribution of durations, in milliseconds.
type Latency struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

func (h *histogram) summary() Latency {
	milliseconds := func(percentile float64) float64 { return float64(h.hdr.ValueAtPercentile(percentile)) / 1000 }
	return Latency{
		Count: h.hdr.TotalCount(),
		P50:   milliseconds(50), P95: milliseconds(95), P99: milliseconds(99), Max: float64(h.hdr.Max()) / 1000,
	}
}
