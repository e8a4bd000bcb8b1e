package main

import "fmt"

// Goal is a number that the project wants to reach, and whether it has.
type Goal struct {
	What, Want, Measured string
	Reached              bool
}

// goals judges the results. Goals without a measurement are skipped.
func (r *Results) goals() []Goal {
	goals := append(r.postGoals(), r.broadcastGoals()...)
	for _, s := range r.Starts {
		limit := 2.0
		if s.Function == "SignUrlFunction" {
			limit = 1.5
		}
		if s.Function != emptyFunction {
			goals = append(goals, Goal{"start of " + s.Function, fmt.Sprintf("≤ %.1f × empty", limit), fmt.Sprintf("%.2f ×", s.Times), s.Times <= limit})
		}
	}
	if r.Ready.ReadyMs > 0 {
		goals = append(goals, Goal{"functions built → stage ready", "< 500 ms", fmt.Sprintf("%.0f ms", r.Ready.ReadyMs), r.Ready.ReadyMs < 500})
	}
	if r.Ready.IdleMB > 0 {
		goals = append(goals, Goal{"memory of the idle stage", "< 50 MB", fmt.Sprintf("%.0f MB", r.Ready.IdleMB), r.Ready.IdleMB < 50})
	}
	return goals
}

func (r *Results) postGoals() []Goal {
	var goals []Goal
	// With whichever pool the SDK's client is better off.
	if theirs, mine := min(r.post(sdkPool, 0).CPUMicroseconds, r.post(sdkSized, 0).CPUMicroseconds), r.post(ours, 0).CPUMicroseconds; mine > 0 {
		goals = append(goals, Goal{"posts per CPU second", "≥ 2 × the SDK's client", fmt.Sprintf("%.1f ×", theirs/mine), theirs >= 2*mine})
	}
	for _, f := range r.Freezes {
		if f.Client == ours {
			goals = append(goals, Goal{"posts lost to freezes", "0", fmt.Sprintf("%d of %d", f.Lost, f.Posts), f.Lost == 0})
		}
	}
	return goals
}

func (r *Results) broadcastGoals() []Goal {
	p50 := map[int]float64{1: 3, 100: 10, 1000: 80}
	p95 := map[int]float64{1: 10}
	var goals []Goal
	add := func(recipients int, which string, measured, limit float64) {
		goals = append(goals, Goal{
			fmt.Sprintf("last of %s, %s", count(recipients, "recipient"), which), fmt.Sprintf("< %.0f ms", limit), fmt.Sprintf("%.1f ms", measured), measured < limit,
		})
	}
	lost := 0
	for _, b := range r.Broadcasts {
		lost += b.Lost
		if limit := p50[b.Recipients]; limit > 0 {
			add(b.Recipients, "p50", b.P50Ms, limit)
		}
		if limit := p95[b.Recipients]; limit > 0 {
			add(b.Recipients, "p95", b.P95Ms, limit)
		}
	}
	if len(r.Broadcasts) > 0 {
		goals = append(goals, Goal{"deliveries lost in broadcasts", "0", fmt.Sprint(lost), lost == 0})
	}
	return goals
}

// count shows "1 recipient" or "5,000 recipients".
func count(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case n >= 1000:
		return fmt.Sprintf("%d,%03d %ss", n/1000, n%1000, what)
	default:
		return fmt.Sprintf("%d %ss", n, what)
	}
}
