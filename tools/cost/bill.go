package main

// Line is a line of a bill.
type Line struct {
	Name    string
	Dollars float64 // a month
}

// bill prices a month, by what is paid for.
func bill(c Chat) []Line {
	u := usage(c)
	return []Line{
		{"Connection minutes", u.ConnectionMinutes * connectionMinute},
		{"Socket messages", tiered(u.SocketMessages, socketMessage, socketMessagesCheaper, socketMessageCheaper)},
		{"HTTP API", tiered(u.HTTPRequests, httpRequest, httpRequestsCheaper, httpRequestCheaper)},
		{"Lambda", u.Invocations*lambdaRequest + u.GBSeconds*lambdaGBSecond},
		{"DynamoDB", u.Writes*writeUnit + u.Reads*readUnit},
		{"Logs", u.LogBytes / gb * logGB},
		{"Metrics, alarms, dashboard", u.Metrics*metricMonth + u.Alarms*alarmMonth + u.Dashboards*dashboard},
		{"Data out", u.TransferBytes / gb * transferGB},
	}
}

func total(lines []Line) float64 {
	sum := 0.0
	for _, line := range lines {
		sum += line.Dollars
	}
	return sum
}

// heartbeats is what the pings of silent clients cost in a month: what the bill would be less without them.
func heartbeats(c Chat) float64 {
	pings := c.pings()
	return pings*(2*socketMessage+lambdaRequest) +
		pings*pingMilliseconds/1000*memoryMB/1024*lambdaGBSecond +
		pings*platformLog/gb*logGB +
		pings*frameBytes/gb*transferGB
}
