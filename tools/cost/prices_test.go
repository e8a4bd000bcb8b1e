package cost

// Prices are public list prices in US dollars for us-east-1, as the pages that are named quoted them in November 2026.
// No free tier, no savings plan and no tax is in them. Other Regions cost up to a third more.
const (
	region = "us-east-1"

	million = 1e6
	gb      = 1 << 30
)

// aws.amazon.com/api-gateway/pricing, WebSocket APIs. A message is metered in units of 32 KB, in both directions:
// every post to a connection is one.
const (
	socketMessage         = 1.00 / million
	socketMessagesCheaper = 1e9 // a month, from where on they cost
	socketMessageCheaper  = 0.80 / million
	connectionMinute      = 0.25 / million
)

// aws.amazon.com/api-gateway/pricing, HTTP APIs.
const (
	httpRequest         = 1.00 / million
	httpRequestsCheaper = 300e6 // a month, from where on they cost
	httpRequestCheaper  = 0.90 / million
)

// aws.amazon.com/lambda/pricing, arm64, the first 7.5 billion GB-seconds of a month. Time counts in milliseconds.
const (
	lambdaRequest  = 0.20 / million
	lambdaGBSecond = 0.0000133334
)

// aws.amazon.com/dynamodb/pricing/on-demand, Standard table class, since the reduction of November 2024. Storage, some
// hundred bytes a connection, costs too little to count; deletions by TTL are free.
const (
	writeUnit = 0.625 / million
	readUnit  = 0.125 / million
)

// aws.amazon.com/cloudwatch/pricing.
const (
	logGB       = 0.50 // taken in, the first 10 TB of a month; keeping it for two weeks adds a cent
	metricMonth = 0.30
	alarmMonth  = 0.10
	dashboard   = 3.00
)

// aws.amazon.com/ec2/pricing/on-demand, data transfer out to the internet, the first 10 TB of a month.
const transferGB = 0.09

// tiered prices an amount of which what is above a limit is cheaper.
func tiered(amount, price, limit, cheaper float64) float64 {
	return min(amount, limit)*price + max(0, amount-limit)*cheaper
}

// Quotas of an account in a Region; AWS raises those of API Gateway and Lambda on request.
const (
	// Source: API Gateway developer guide, "Amazon API Gateway quotas". Shared by all APIs of the account in the
	// Region, posts to connections included; some newer Regions have 2,500.
	requestsPerSecond = 10_000.0
	// Source: API Gateway developer guide, "Quotas for configuring and running a WebSocket API".
	connectsPerSecond = 500.0
	// Source: AWS Lambda developer guide, "Lambda quotas". A new account may have less.
	concurrentExecutions = 1_000.0
	// Source: DynamoDB developer guide, "Best practices for designing and using partition keys effectively".
	partitionReads  = 3_000.0 // units a second, of one partition
	partitionWrites = 1_000.0
	// Source: DynamoDB developer guide, "DynamoDB on-demand capacity mode". A new table starts there, and grows to
	// twice its highest peak.
	newTableReads  = 12_000.0
	newTableWrites = 4_000.0
)

// connectRequests are the requests of one connection: POST /signurl, the handshake, and the first page of history. The
// answer is a post.
const connectRequests = 3

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
	posts := perSecond(c.posts() + c.presencePosts() + markerUsage(c).SocketMessages)
	u := usage(c)
	return []Need{
		{
			"Requests of the account, a second",
			connectRequests*connects + messages + pings + posts,
			0,
			requestsPerSecond,
		},
		{"New connections, a second", connects, templateConnect, connectsPerSecond},
		{"Signed URLs, a second", connects, templateHTTP, requestsPerSecond},
		{"Messages, a second", messages, templateMessages, requestsPerSecond},
		{"Pings, a second", pings, templatePings, requestsPerSecond},
		{
			"Lambda executions at the same time",
			u.GBSeconds / (memoryMB / 1024.0) / secondsPerMonth,
			0,
			concurrentExecutions,
		},
		{"Write units, a second", perSecond(u.Writes), 0, newTableWrites},
		{"Read units, a second", perSecond(u.Reads), 0, newTableReads},
	}
}

// reconnect is how many seconds it takes until all clients are connected again after all were cut off: by the account's
// quota, and by the template's limits.
func reconnect(c Chat) (byQuota, byTemplate float64) {
	return c.Connections / connectsPerSecond, c.Connections / min(templateHTTP, templateConnect)
}

// aws.amazon.com/secrets-manager/pricing.
const secretMonth = 0.40

// Metrics of the stack's own: one costs only for the hours in which it is written. Reasons of refusals come on top, one
// metric each for the hours in which they occur.
const (
	metricsAlways    = 1 // Faults, which the reaper's lines write each minute
	metricsConnected = 3 // RefusedHandshakes, ForeignSigners and ThrottledRequests, which other lines write
	metricsHistory   = 1 // HistoryRequests, which every new connection makes
	metricsMessages  = 7 // of the broadcast lines
)

// alarmMetrics are the metrics that the template's alarms read. An alarm costs by them, so one over ten functions
// costs ten times as much as one over one.
const alarmMetrics = 34.0

// metrics is how many metrics of its own a stack has while people chat like this.
func metrics(c Chat) float64 {
	count := metricsAlways
	if c.Connections > 0 {
		count += metricsConnected + metricsHistory
	}
	if c.messages() > 0 {
		count += metricsMessages
	}
	return float64(count)
}
