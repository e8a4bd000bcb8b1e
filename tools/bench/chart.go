package main

import (
	"fmt"
	"math"
	"strings"
)

// series are the values of a chart's bars or of one of its lines.
type series struct {
	kind   string // bar or line
	values []float64
}

// charts draws what a post costs, and how long a message takes to its last receiver, for Mermaid. It has no legend, so
// the titles say which series is which.
func (r *Results) charts() string {
	var clients, recipients []string
	var atOnce, later, p50, p95 []float64
	for _, p := range r.Posts {
		if p.LatencyMs == 0 {
			clients, atOnce = append(clients, p.Client), append(atOnce, p.CPUMicroseconds)
			later = append(later, r.post(p.Client, 10).CPUMicroseconds)
		}
	}
	for _, b := range r.Broadcasts {
		recipients = append(recipients, count(b.Recipients, "recipient"))
		p50, p95 = append(p50, b.P50Ms), append(p95, b.P95Ms)
	}
	return chart(" horizontal", "CPU time of a post: answered after 10 ms and, in front, at once", "µs", clients,
		series{"bar", later}, series{"bar", atOnce}) + "\n" +
		chart("", "Last receiver on the local stage: p95 and, below it, p50", "ms", recipients,
			series{"line", p95}, series{"line", p50})
}

// chart writes a block of Mermaid. The first series has the greatest values.
func chart(direction, title, unit string, names []string, all ...series) string {
	var block strings.Builder
	fmt.Fprintf(&block, "```mermaid\nxychart-beta%s\n    title %q\n    x-axis [\"%s\"]\n", direction, title,
		strings.Join(names, `", "`))
	highest := 0.0
	for _, value := range all[0].values {
		highest = max(highest, value)
	}
	fmt.Fprintf(&block, "    y-axis %q 0 --> %.0f\n", unit, math.Ceil(highest))
	for _, s := range all {
		values := make([]string, len(s.values))
		for i, value := range s.values {
			values[i] = fmt.Sprintf("%.1f", value)
		}
		fmt.Fprintf(&block, "    %s [%s]\n", s.kind, strings.Join(values, ", "))
	}
	return block.String() + "```\n"
}
