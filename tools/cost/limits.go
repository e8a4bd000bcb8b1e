package main

// Quotas of an account in a Region; AWS raises those of API Gateway and Lambda on request.
const (
	// Source: API Gateway developer guide, "Amazon API Gateway quotas". Shared by all APIs of the account in the Region, posts to
	// connections included; some newer Regions have 2,500.
	requestsPerSecond = 10_000.0
	// Source: API Gateway developer guide, "Quotas for configuring and running a WebSocket API".
	connectsPerSecond = 500.0
	// Source: AWS Lambda developer guide, "Lambda quotas". A new account may have less.
	concurrentExecutions = 1_000.0
	// Source: DynamoDB developer guide, "Best practices for designing and using partition keys effectively".
	partitionReads  = 3_000.0 // units a second, of one partition
	partitionWrites = 1_000.0
	// Source: DynamoDB developer guide, "DynamoDB on-demand capacity mode". A new table starts there, and grows to twice its
	// highest peak.
	newTableReads  = 12_000.0
	newTableWrites = 4_000.0
)

// connectRequests are the requests of one connection: POST /signurl and the handshake.
const connectRequests = 2

// Limits of template.yaml, of which parameters raise those of signurl and of handshakes. A test holds them equal to the
// template.
const (
	templateHTTP     = 300.0 // requests a second to signurl
	templateConnect  = 300.0 // handshakes
	templateMessages = 500.0 // each route of the socket
	templatePings    = 100.0
)

// Need is what a chat needs of something that is limited.
type Need struct {
	Name     string
	Amount   float64
	Template float64 // limit that template.yaml sets; 0: none
	Quota    float64 // limit of the account
}

// needs are what a chat needs, on average over the month; evenings and reconnects need more.
func needs(c Chat) []Need {
	connects, messages, pings := perSecond(c.connects()), perSecond(c.messages()), perSecond(c.pings())
	posts := perSecond(c.posts())
	u := usage(c)
	return []Need{
		{"Requests of the account, a second", connectRequests*connects + messages + pings + posts, 0, requestsPerSecond},
		{"New connections, a second", connects, templateConnect, connectsPerSecond},
		{"Signed URLs, a second", connects, templateHTTP, requestsPerSecond},
		{"Messages, a second", messages, templateMessages, requestsPerSecond},
		{"Pings, a second", pings, templatePings, requestsPerSecond},
		{"Lambda executions at the same time", u.GBSeconds / (memoryMB / 1024.0) / secondsPerMonth, 0, concurrentExecutions},
		{"Write units, a second", perSecond(u.Writes), 0, newTableWrites},
		{"Read units, a second", perSecond(u.Reads), 0, newTableReads},
	}
}

// reconnect is how many seconds it takes until everybody is connected again after all were cut off, by the account's
// quota and by the template's limits.
func reconnect(c Chat) (byQuota, byTemplate float64) {
	return c.Connections / connectsPerSecond, c.Connections / min(templateHTTP, templateConnect)
}
