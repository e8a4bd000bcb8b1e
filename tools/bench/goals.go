package main

import "fmt"

// The ways to post that goals are about, as BenchmarkPost names them.
const (
	sdkPool  = "SDK, 64 at a time"
	sdkSized = "SDK, 64 and a larger pool"
	ours     = "shared/callback"
)

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
	const posted, processorTime = "Post/0ms/", "cpu-µs/post"
	// The SDK's client has whichever pool suits it better.
	theirs := min(r.Value(posted+sdkPool, processorTime), r.Value(posted+sdkSized, processorTime))
	mine := r.Value(posted+ours, processorTime)
	add(mine > 0, theirs >= 2*mine, "posts per CPU second", "≥ 2 × the SDK's client", "%.1f ×", theirs/mine)
	posts, lost := r.Value("Freeze/"+ours, "posts"), r.Value("Freeze/"+ours, "lost")
	add(posts > 0, lost == 0, "posts lost to freezes", "0", "%.0f of %.0f", lost, posts)
	lost = 0
	broadcasts := r.Of("Broadcast/recipients=")
	for _, m := range broadcasts {
		lost += m.Values["lost"]
		for _, percentile := range []string{"p50", "p95"} {
			limit := map[string]float64{"1 p50": 3, "1 p95": 10, "100 p50": 10, "1000 p50": 80}[m.Name+" "+percentile]
			took := m.Values[percentile+"-ms"]
			add(limit > 0, took < limit, "last of "+recipients(m.Name)+", "+percentile,
				fmt.Sprintf("< %.0f ms", limit), "%.1f ms", took)
		}
	}
	add(broadcasts != nil, lost == 0, "deliveries lost in broadcasts", "0", "%.0f", lost)
	for _, m := range r.Of("History/recipients=") {
		with, without := m.Values["p50-ms"], m.Values["without-p50-ms"]
		add(true, with-without <= 1, "history adds to the last of "+recipients(m.Name)+", p50", "≤ 1.0 ms", "%.2f ms",
			with-without)
		if m.Name == "1" {
			add(true, with < 4, "last of 1 recipient with history, p50", "< 4 ms", "%.1f ms", with)
			add(true, m.Values["p95-ms"] < 10, "last of 1 recipient with history, p95", "< 10 ms", "%.1f ms",
				m.Values["p95-ms"])
		}
	}
	middle, late := r.Value("Page", "p50-ms"), r.Value("Page", "p95-ms")
	add(middle > 0, middle <= 4, "page of 50 messages, p50", "≤ 4 ms", "%.1f ms", middle)
	add(late > 0, late <= 10, "page of 50 messages, p95", "≤ 10 ms", "%.1f ms", late)
	seconds, partly := r.Value("Resume", "s-until-all-are-whole"), r.Value("Resume", "incomplete")
	add(seconds > 0, seconds <= 20 && partly == 0, "clients back at once, with all that they missed",
		"≤ 20 s, each", "%.1f s, %.0f without", seconds, partly)
	for _, m := range r.Of("Start/") {
		limit, times := 2.0, m.Values["×-empty"]
		if m.Name == "SignUrlFunction" {
			limit = 1.5
		}
		add(m.Name != "an empty function", times <= limit, "start of "+m.Name, fmt.Sprintf("≤ %.1f × empty", limit),
			"%.2f ×", times)
	}
	ready, idle := r.Value("Stage", "ready-ms"), r.Value("Stage", "idle-MB")
	add(ready > 0, ready < 500, "functions built → stage ready", "< 500 ms", "%.0f ms", ready)
	add(idle > 0, idle < 50, "memory of the idle stage", "< 50 MB", "%.0f MB", idle)
	held, each := r.Value("Held/idle", "connections"), r.Value("Held/idle", "KB/connection")
	what := fmt.Sprintf("memory of an idle connection, %.0f held", held)
	add(held > 0, each <= 20, what, "≤ 20 KB", "%.1f KB", each)
	return goals
}
