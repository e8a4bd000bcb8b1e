package main

// Prices are public list prices in US dollars for us-east-1, as the pages that are named quoted them in November 2026.
// No free tier, no savings plan and no tax is in them. Other Regions cost up to a third more.
const (
	pricesAsOf = "November 2026"
	region     = "us-east-1"

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

// aws.amazon.com/dynamodb/pricing/on-demand, Standard table class, since the reduction of November 2024. What is stored,
// some hundred bytes a connection, costs nothing worth counting; deletions by TTL are free.
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
