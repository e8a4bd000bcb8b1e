package cost

import "math"

// Chat is what people do with a deployment, on average over a month.
type Chat struct {
	Name            string
	Connections     float64 // open at the same time, day and night
	Room            float64 // connections in a room; everybody is in one
	MessagesPerHour float64 // that each connection sends
	SessionHours    float64 // that a connection lasts
}

const (
	hoursPerMonth   = 730.0
	secondsPerMonth = hoursPerMonth * 3600

	// pingHours is the silence after which a client pings: 8.5 to 9 minutes.
	pingHours = 8.75 / 60
)

// The amounts of a month.

func (c Chat) messages() float64   { return c.Connections * c.MessagesPerHour * hoursPerMonth }
func (c Chat) connects() float64   { return c.Connections * hoursPerMonth / c.SessionHours }
func (c Chat) deliveries() float64 { return c.messages() * c.Room }
func (c Chat) posts() float64 { // with acks, answers to pings and the history of each new connection, without presence
	return c.deliveries() + c.messages() + c.pings() + c.connects()
}
func (c Chat) invocations() float64 {
	return c.messages()*c.room().invocations() + c.pings() + 4*c.connects() // the fourth: history
}

// pings is how many pings clients send. Every message in the room ends the silence of all its members, so in a lively
// room no client pings. Messages come at random at a rate of r an hour. A gap between two holds a ping for each full t
// hours, on average 1/(exp(r·t)-1).
func (c Chat) pings() float64 {
	rate := c.MessagesPerHour * c.Room
	perHour := 1 / pingHours
	if rate > 0 {
		perHour = rate / math.Expm1(rate*pingHours)
	}
	return c.Connections * hoursPerMonth * perHour
}

func (c Chat) room() Room { return Room{Members: c.Room, Shards: 1, MemoryMB: memoryMB} }

// perSecond is the rate of something that happens so often in a month.
func perSecond(perMonth float64) float64 { return perMonth / secondsPerMonth }

// chats are the columns of the cost table.
func chats() []Chat {
	return []Chat{
		{Name: "100 connections", Connections: 100, Room: 20, MessagesPerHour: 10, SessionHours: 1},
		{Name: "1,000, silent", Connections: 1_000, Room: 50, MessagesPerHour: 0, SessionHours: 1},
		{Name: "1,000", Connections: 1_000, Room: 50, MessagesPerHour: 6, SessionHours: 1},
		{Name: "100,000", Connections: 100_000, Room: 100, MessagesPerHour: 2, SessionHours: 1},
		busiest(Chat{Name: "all the account allows", Connections: 100_000, Room: 100, SessionHours: 1}),
	}
}

// busiest lets the connections of a chat send as many messages as the account's requests allow: what connecting leaves
// of them, in a room too lively for pings.
func busiest(c Chat) Chat {
	lively := c
	lively.MessagesPerHour = requestsPerSecond
	moved := markerUsage(lively).SocketMessages
	left := requestsPerSecond - perSecond((connectRequests+1)*c.connects()+lively.presencePosts()+moved)
	c.MessagesPerHour = left / c.room().requests() * 3600 / c.Connections
	return c
}

// Room is a room, and how it is kept and served.
type Room struct {
	Members  float64
	Shards   float64 // partitions over which its members are spread
	MemoryMB float64 // of the functions that post
}

const (
	// sendmessage posts to as many connections itself, and hands the others to invocations of fanout, a segment to
	// each. They run side by side.
	threshold   = 2000
	segmentSize = 1000

	// postCPU is what a post takes of a processor, in microseconds: docs/benchmarks.md.
	postCPU = 40.0
	// fullCPUMB is the memory at which Lambda gives a function one processor.
	// Source: AWS Lambda developer guide, "Configure Lambda function memory".
	fullCPUMB = 1769.0
	// postMilliseconds is how long the gateway takes for a post. Assumed.
	postMilliseconds = 10.0
	// handOverMilliseconds is how long Lambda takes to begin with an asynchronous event. Assumed; a cold start comes on
	// top.
	handOverMilliseconds = 100.0
)

// reads is how many read units it takes to list a room: each shard is read on its own, in whole units.
func (r Room) reads() float64 {
	return r.Shards * math.Ceil(r.Members/r.Shards*membershipBytes/4096)
}

// own is to how many members sendmessage posts itself.
func (r Room) own() float64 { return min(r.Members, threshold) }

// segments is over how many invocations of fanout the others are spread.
func (r Room) segments() float64 { return math.Ceil((r.Members - r.own()) / segmentSize) }

// invocations is how many a message takes.
func (r Room) invocations() float64 { return 1 + r.segments() }

// concurrency is how many posts one invocation has under way: as functions/sendmessage decides it.
func (r Room) concurrency() float64 { return min(max(r.MemoryMB/4, 16), 256) }

// posting is how many milliseconds one invocation takes for so many posts: what its share of a processor or the gateway
// allows, whichever is slower.
func (r Room) posting(posts float64) float64 {
	share := min(1, r.MemoryMB/fullCPUMB)
	return max(posts*postCPU/1000/share, math.Ceil(posts/r.concurrency())*postMilliseconds)
}

// lastReceiver is how many milliseconds after the sender's frame the last member has the message.
func (r Room) lastReceiver() float64 {
	slowest := r.posting(r.own())
	if r.segments() > 0 {
		slowest = max(slowest, handOverMilliseconds+r.posting(min(segmentSize, r.Members-r.own())))
	}
	return messageMilliseconds + appendMilliseconds + slowest
}

// billedMilliseconds is how long all invocations for one message take together.
func (r Room) billedMilliseconds() float64 {
	full := math.Floor((r.Members - r.own()) / segmentSize)
	rest := r.Members - r.own() - full*segmentSize
	posting := r.posting(r.own()) + full*r.posting(segmentSize) + r.posting(rest)
	return messageMilliseconds*r.invocations() + appendMilliseconds + posting
}

// The limits of a room's messages a second.

// byAccount is where the account's requests end.
func (r Room) byAccount() float64 { return requestsPerSecond / r.requests() }

// requests are those of one message: itself, its posts and the ack.
func (r Room) requests() float64 { return r.Members + 2 }

// byPartition is where a partition's reads end.
func (r Room) byPartition() float64 {
	return partitionReads / math.Ceil(r.Members/r.Shards*membershipBytes/4096)
}

// messageDollars is what one message in the room costs.
func (r Room) messageDollars() float64 {
	posts := r.Members + 1 // and the ack
	return (1+posts)*socketMessage +
		r.invocations()*(lambdaRequest+platformLog/gb*logGB) + messageLog/gb*logGB*r.invocations() +
		r.billedMilliseconds()/1000*r.MemoryMB/1024*lambdaGBSecond +
		(messageWrites+appendWrites)*writeUnit + (r.reads()+appendReads)*readUnit +
		posts*frameBytes/gb*transferGB
}

// Units of one operation of the chat. A test compares them with the calls of the functions' code.
const (
	memoryMB = 256 // of every function, as the template has it

	// Write units: an item of up to 1 KB takes one, in a transaction two.
	signWrites = 1 // count the URL
	// Ticket, user, ban, what was sent lately, connection, membership in one room, and when to close it.
	connectWrites    = 2 * 7
	disconnectWrites = 2 * 4 // connection, membership, when to close it, user
	sweepWrites      = 1     // the note of when to close it
	sweeperWrites    = 1     // a minute: how far this sweep came
	messageWrites    = 1     // count the sender's message
	appendWrites     = 1.5   // store a message of a hundred bytes, on average
	historyWrites    = 1     // count the request for a page, or that in place of a ping

	// Read units: 4 KB strongly consistent.
	signReads       = 3 // the user, kicks, bans
	connectReads    = 3 // the user, kicks, what was sent lately
	disconnectReads = 1 // the connection
	appendReads     = 1 // the newest block, for a client that is up to date
	pageReads       = 5 // fifty messages of a hundred bytes
	syncReads       = 1 // the newest block, for a client that has missed nothing
	sweepReads      = 1 // the connection, if it is still there
	// A minute: how far the last sweep came, three minutes of what is due, in four partitions each.
	sweeperReads    = 1 + 3*4
	membershipBytes = 135.0 // of a connection in its room

	// Bytes. A frame holds a text of a hundred bytes. The lines of the functions are as long as on the local stage,
	// with the 26 bytes that CloudWatch counts for each. Lambda adds three lines.
	frameBytes    = 350.0 // with what TCP and TLS add
	pageBytes     = 10_000.0
	platformLog   = 400.0 // START, END and REPORT
	signLog       = 170.0
	accessLog     = 215.0 // of the HTTP API, for each request
	connectLog    = 240.0
	disconnectLog = 230.0
	messageLog    = 820.0 // with the metrics in it
	historyLog    = 435.0

	// Milliseconds of a warm function, of which most is waiting for DynamoDB and for the first post. Assumed.
	signMilliseconds       = 15.0
	connectMilliseconds    = 20.0
	disconnectMilliseconds = 20.0
	pingMilliseconds       = 12.0 // without history; with it, a request for news takes the place of a ping
	messageMilliseconds    = 20.0 // and the posts
	appendMilliseconds     = 10.0
	historyMilliseconds    = 25.0
)

// Usage is what a month takes, in the units of the bill.
type Usage struct {
	ConnectionMinutes, SocketMessages, HTTPRequests float64
	Invocations, GBSeconds                          float64
	Writes, Reads                                   float64
	LogBytes, TransferBytes                         float64
	Metrics, Alarms, Dashboards                     float64
}

// usage adds up what a chat takes in a month.
func usage(c Chat) Usage {
	connects, messages, pings := c.connects(), c.messages(), c.pings()
	room := c.room()
	shown := presenceUsage(c).plus(markerUsage(c))
	milliseconds := connects*(signMilliseconds+connectMilliseconds+historyMilliseconds+disconnectMilliseconds) +
		pings*historyMilliseconds + messages*room.billedMilliseconds()
	return shown.plus(Usage{
		ConnectionMinutes: c.Connections * hoursPerMonth * 60,
		SocketMessages:    messages + pings + connects + c.posts(),
		HTTPRequests:      connects,
		Invocations:       c.invocations() + hoursPerMonth*60, // and the reaper's
		GBSeconds:         milliseconds / 1000 * memoryMB / 1024,
		Writes: connects*(signWrites+connectWrites+historyWrites+disconnectWrites+sweepWrites) +
			pings*historyWrites + messages*(messageWrites+appendWrites) + hoursPerMonth*60*sweeperWrites,
		Reads: connects*(signReads+connectReads+pageReads+disconnectReads+sweepReads) +
			pings*syncReads + messages*(room.reads()+appendReads) + hoursPerMonth*60*sweeperReads,
		LogBytes: c.invocations()*platformLog + connects*(accessLog+signLog+connectLog+historyLog+disconnectLog) +
			pings*historyLog + messages*room.invocations()*messageLog,
		TransferBytes: c.posts()*frameBytes + connects*pageBytes,
		Metrics:       metrics(c), Alarms: alarmMetrics, Dashboards: 1,
	})
}

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
	return pings*(2*socketMessage+lambdaRequest+historyWrites*writeUnit+syncReads*readUnit) +
		pings*historyMilliseconds/1000*memoryMB/1024*lambdaGBSecond +
		pings*(platformLog+historyLog)/gb*logGB +
		pings*frameBytes/gb*transferGB
}

// history is what it costs in a month that the chat remembers: what the bill would be less with HistoryDays=0.
func history(c Chat) float64 {
	messages, connects, pings := c.messages(), c.connects(), c.pings()
	milliseconds := messages*appendMilliseconds + connects*historyMilliseconds +
		pings*(historyMilliseconds-pingMilliseconds)
	writes := messages*appendWrites + (connects+pings)*historyWrites
	reads := messages*appendReads + connects*pageReads + pings*syncReads
	logBytes := connects*(platformLog+historyLog) + pings*historyLog
	return connects*(2*socketMessage+lambdaRequest) + writes*writeUnit + reads*readUnit +
		milliseconds/1000*memoryMB/1024*lambdaGBSecond +
		logBytes/gb*logGB + connects*(frameBytes+pageBytes)/gb*transferGB
}
