package cost

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// table writes a Markdown table; the first column is left, the others right.
func table(header []string, rows [][]string) string {
	var text strings.Builder
	line := func(cells []string) { fmt.Fprintf(&text, "| %s |\n", strings.Join(cells, " | ")) }
	line(header)
	fmt.Fprintf(&text, "|---|%s\n", strings.Repeat("---:|", len(header)-1))
	for _, row := range rows {
		line(row)
	}
	return text.String()
}

// each returns a row of one value for each chat.
func each(name string, value func(c Chat) string) []string {
	row := []string{name}
	for _, c := range chats() {
		row = append(row, value(c))
	}
	return row
}

// costTable is what the chats cost, line by line.
func costTable() string {
	rows := [][]string{
		each("Connections in a room", func(c Chat) string { return amount(c.Room) }),
		each("Messages that each sends an hour", func(c Chat) string { return amount(c.MessagesPerHour) }),
		each("Deliveries a month", func(c Chat) string { return amount(c.deliveries()/million) + " M" }),
	}
	for i, line := range bill(chats()[0]) {
		rows = append(rows, each(line.Name, func(c Chat) string { return dollars(bill(c)[i].Dollars) }))
	}
	rows = append(rows,
		each("**Together**", func(c Chat) string { return "**" + dollars(total(bill(c))) + "**" }),
		each("of that for pings", func(c Chat) string { return dollars(heartbeats(c)) }),
		each("of that for history", func(c Chat) string { return dollars(history(c)) }),
		each("of that for presence", func(c Chat) string { return dollars(showing(c)) }),
		each("of that for read markers", func(c Chat) string { return dollars(markerUsage(c).dollars()) }),
		each("for a connection", func(c Chat) string { return dollars(total(bill(c)) / c.Connections) }))
	return table(each("A month in "+region, func(c Chat) string { return c.Name }), rows)
}

// heartbeatTable is what it costs to hold a thousand connections, by how lively their rooms are.
func heartbeatTable() string {
	var rows [][]string
	for _, messagesPerHour := range []float64{0, 2, 6, 20} {
		c := Chat{Connections: 1000, Room: 1, MessagesPerHour: messagesPerHour, SessionHours: 1}
		rows = append(rows, []string{
			amount(messagesPerHour), amount(c.pings() / c.Connections / hoursPerMonth),
			dollars(heartbeats(c)), dollars(usage(c).ConnectionMinutes * connectionMinute),
		})
	}
	return table([]string{
		"Messages in the room, an hour", "Pings of a connection, an hour", "Pings, a month",
		"Connection minutes, a month",
	}, rows)
}

func priceTable() string {
	return table([]string{"What", "Dollars", "Page"}, [][]string{
		{
			"a million socket messages of up to 32 KB, in or out; above a billion a month",
			perMillion(socketMessage) + "; " + perMillion(socketMessageCheaper),
			"aws.amazon.com/api-gateway/pricing",
		},
		{"a million connection minutes", perMillion(connectionMinute), "the same"},
		{
			"a million HTTP API requests; above 300 million a month",
			perMillion(httpRequest) + "; " + perMillion(httpRequestCheaper),
			"the same",
		},
		{"a million Lambda requests", perMillion(lambdaRequest), "aws.amazon.com/lambda/pricing"},
		{"a million GB-seconds of Lambda, arm64", perMillion(lambdaGBSecond), "the same"},
		{
			"a million write units of DynamoDB, on demand",
			perMillion(writeUnit),
			"aws.amazon.com/dynamodb/pricing/on-demand",
		},
		{"a million read units", perMillion(readUnit), "the same"},
		{"a GB of logs taken in", dollars(logGB), "aws.amazon.com/cloudwatch/pricing"},
		{
			"a metric, a metric of an alarm, a dashboard, a month",
			dollars(metricMonth) + ", " + dollars(alarmMonth) + ", " + dollars(dashboard),
			"the same",
		},
		{"a secret, a month", dollars(secretMonth), "aws.amazon.com/secrets-manager/pricing"},
		{"a GB out to the internet", dollars(transferGB), "aws.amazon.com/ec2/pricing/on-demand"},
	})
}

// needsTable compares the needs of the chats with the limits. Values above the template's limit are bold.
func needsTable() string {
	var rows [][]string
	for i, need := range needs(chats()[0]) {
		row := each(need.Name, func(c Chat) string {
			n := needs(c)[i]
			if n.Template > 0 && n.Amount > n.Template || n.Amount > n.Quota*(1+1e-9) {
				return "**" + amount(n.Amount) + "**"
			}
			return amount(n.Amount)
		})
		limit := "–"
		if need.Template > 0 {
			limit = amount(need.Template)
		}
		rows = append(rows, append(row, limit, amount(need.Quota)))
	}
	seconds := func(which func(c Chat) float64) func(c Chat) string {
		return func(c Chat) string { return duration(which(c)) }
	}
	byTemplate := seconds(func(c Chat) float64 { _, t := reconnect(c); return t })
	byQuota := seconds(func(c Chat) float64 { q, _ := reconnect(c); return q })
	rows = append(rows,
		append(each("All connected again, with the template's limits", byTemplate), "", ""),
		append(each("and with the account's", byQuota), "", ""))
	return table(append(each("On average", func(c Chat) string { return c.Name }), "Template", "Account"), rows)
}

// roomTable is what a message takes in rooms of several sizes.
func roomTable() string {
	var rows [][]string
	for _, members := range []float64{10, 100, 1_000, 5_000, 10_000} {
		at := func(memory float64) Room { return Room{Members: members, Shards: 1, MemoryMB: memory} }
		r, spread := at(memoryMB), Room{Members: members, Shards: 16, MemoryMB: memoryMB}
		rows = append(rows, []string{
			amount(members), amount(r.invocations()), amount(r.reads()),
			amount(r.lastReceiver()) + " ms", amount(at(fullCPUMB).lastReceiver()) + " ms",
			amount(r.byAccount()), amount(r.byPartition()), amount(spread.byPartition()),
			dollars(1000 * r.messageDollars()),
		})
	}
	return table([]string{
		"Members", "Invocations", "Read units",
		fmt.Sprintf("Last receiver, %d MB", memoryMB), fmt.Sprintf("%s MB", amount(fullCPUMB)),
		"Messages a second: account", "1 shard", "16 shards", "Dollars for 1,000 messages",
	}, rows)
}

// amount shows a number with three digits that count, and thousands apart.
func amount(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x < 0.01:
		return "<0.01"
	case x < 10:
		digits := strconv.FormatFloat(x, 'f', 2-int(max(0, math.Floor(math.Log10(x)))), 64)
		return strings.TrimSuffix(strings.TrimRight(digits, "0"), ".")
	}
	return thousands(math.Round(x))
}

// dollars shows money, to the cent as long as cents matter.
func dollars(x float64) string {
	switch {
	case x >= 0.00005 && x < 0.005:
		return strconv.FormatFloat(x, 'f', 4, 64)
	case x < 10:
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
	return thousands(math.Round(x))
}

func perMillion(price float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(price*million, 'f', 4, 64), "0"), ".")
}

// duration shows seconds or, when there are many, minutes.
func duration(seconds float64) string {
	if seconds < 120 {
		return amount(seconds) + " s"
	}
	return amount(seconds/60) + " min"
}

// thousands groups the digits of a whole number.
func thousands(x float64) string {
	digits := strconv.FormatFloat(x, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// atRest is a chat without connections.
func atRest() Chat { return Chat{Room: 1, SessionHours: 1} }

// restTable is the cost of a stack with no user connected. `make deploy` reads it.
func restTable() string {
	u := usage(atRest())
	lines := []Line{
		{fmt.Sprintf("Alarms over %s metrics", amount(u.Alarms)), u.Alarms * alarmMonth},
		{"The dashboard", u.Dashboards * dashboard},
		{"A metric of its own, Faults", u.Metrics * metricMonth},
	}
	together := total(bill(atRest()))
	lines = append(lines,
		Line{"The reaper and presence, once a minute each", together - total(lines)},
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
