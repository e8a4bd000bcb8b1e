package main

import "fmt"

// Goal is a number that the project wants to reach, and whether it has.
type Goal struct {
	What, Want, Measured string
	Reached              bool
}

// Goals judges the results. Goals without a measurement are skipped.
func (r *Results) Goals() []Goal {
	var goals []Goal
	add := func(measured, reached bool, what, want, format string, values ...any) {
		if measured {
			goals = append(goals, Goal{what, want, fmt.Sprintf(format, values...), reached})
		}
	}
	// The SDK's client has whichever pool suits it better.
	theirs, mine := min(r.CPU(sdkPool, 0), r.CPU(sdkSized, 0)), r.CPU(ours, 0)
	add(mine > 0, theirs >= 2*mine, "posts per CPU second", "≥ 2 × the SDK's client", "%.1f ×", theirs/mine)
	for _, f := range r.Freezes {
		add(f.Client == ours, f.Lost == 0, "posts lost to freezes", "0", "%d of %d", f.Lost, f.Posts)
	}
	p50, p95 := map[int]float64{1: 3, 100: 10, 1000: 80}, map[int]float64{1: 10}
	lost := 0
	for _, b := range r.Broadcasts {
		lost += b.Lost
		last, limit, limit95 := "last of "+recipients(b.Recipients), p50[b.Recipients], p95[b.Recipients]
		add(limit > 0, b.P50Ms < limit, last+", p50", fmt.Sprintf("< %.0f ms", limit), "%.1f ms", b.P50Ms)
		add(limit95 > 0, b.P95Ms < limit95, last+", p95", fmt.Sprintf("< %.0f ms", limit95), "%.1f ms", b.P95Ms)
	}
	add(r.Broadcasts != nil, lost == 0, "deliveries lost in broadcasts", "0", "%d", lost)
	for _, s := range r.Starts {
		limit := 2.0
		if s.Function == "SignUrlFunction" {
			limit = 1.5
		}
		add(s.Function != emptyFunction, s.Times <= limit, "start of "+s.Function,
			fmt.Sprintf("≤ %.1f × empty", limit), "%.2f ×", s.Times)
	}
	ready, idle := r.Ready, r.idle
	add(ready.ReadyMs > 0, ready.ReadyMs < 500, "functions built → stage ready", "< 500 ms", "%.0f ms", ready.ReadyMs)
	add(ready.IdleMB > 0, ready.IdleMB < 50, "memory of the idle stage", "< 50 MB", "%.0f MB", ready.IdleMB)
	add(idle.connections > 0, idle.kilobytes <= 20,
		fmt.Sprintf("memory of an idle connection, %d held", idle.connections), "≤ 20 KB", "%.1f KB", idle.kilobytes)
	return goals
}

// recipients shows "1 recipient" or "5,000 recipients".
func recipients(n int) string {
	switch {
	case n == 1:
		return "1 recipient"
	case n >= 1000:
		return fmt.Sprintf("%d,%03d recipients", n/1000, n%1000)
	default:
		return fmt.Sprintf("%d recipients", n)
	}
}
