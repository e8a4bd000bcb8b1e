package main

import "fmt"

// aws.amazon.com/secrets-manager/pricing.
const secretMonth = 0.40

// Metrics of the stack's own: one costs only for the hours in which it is written. Reasons of refusals come on top, one
// metric each for the hours in which they occur.
const (
	metricsAlways    = 1 // Faults, which the reaper's lines write each minute
	metricsConnected = 3 // RefusedHandshakes, ForeignSigners and ThrottledRequests, which other lines write
	metricsMessages  = 7 // of the broadcast lines
)

// alarmMetrics are the metrics that the template's alarms read. An alarm costs by them, so one over seven functions
// costs seven times as much as one over one.
const alarmMetrics = 29.0

// metrics is how many metrics of its own a stack has while people chat like this.
func metrics(c Chat) float64 {
	count := metricsAlways
	if c.Connections > 0 {
		count += metricsConnected
	}
	if c.messages() > 0 {
		count += metricsMessages
	}
	return float64(count)
}

// nobody is a chat without connections.
func nobody() Chat { return Chat{Room: 1, SessionHours: 1} }

// restTable is the cost of a stack with no user connected. `make deploy` reads it.
func restTable() string {
	u := usage(nobody())
	lines := []Line{
		{fmt.Sprintf("Alarms over %s metrics", amount(u.Alarms)), u.Alarms * alarmMonth},
		{"The dashboard", u.Dashboards * dashboard},
		{"A metric of its own, Faults", u.Metrics * metricMonth},
	}
	together := total(bill(nobody()))
	lines = append(lines,
		Line{"The reaper, once a minute", together - total(lines)},
		Line{"**Together**", together},
		Line{"A secret, in mode iam with the page", secretMonth},
	)
	var rows [][]string
	for _, line := range lines {
		value := dollars(line.Dollars)
		if line.Name == "**Together**" {
			value = "**" + value + "**"
		}
		rows = append(rows, []string{line.Name, value})
	}
	return table([]string{"A month in " + region + " with no user connected", "Dollars"}, rows)
}
