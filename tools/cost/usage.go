package main

// What one of our operations takes. A test has the functions' own code count the units.
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

	// Read units: 4 KB strongly consistent.
	signReads       = 3 // the user, kicks, bans
	connectReads    = 3 // the user, kicks, what was sent lately
	disconnectReads = 1 // the connection
	sweepReads      = 1 // the connection, if it is still there
	// A minute: how far the last sweep came, three minutes of what is due, in four partitions each.
	sweeperReads    = 1 + 3*4
	membershipBytes = 120.0 // of a connection in its room

	// Bytes. A frame holds a text of a hundred bytes. The lines of the functions are as long as on the local stage, with the 26
	// that CloudWatch counts for each, and Lambda adds three to them.
	frameBytes    = 350.0 // with what TCP and TLS add
	platformLog   = 400.0 // START, END and REPORT
	signLog       = 170.0
	accessLog     = 215.0 // of the HTTP API, for each request
	connectLog    = 240.0
	disconnectLog = 230.0
	messageLog    = 820.0 // with the metrics in it

	// Milliseconds of a warm function, of which most is waiting for DynamoDB and for the first post. Assumed.
	signMilliseconds       = 15.0
	connectMilliseconds    = 20.0
	disconnectMilliseconds = 20.0
	pingMilliseconds       = 12.0
	messageMilliseconds    = 20.0 // and the posts
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
	milliseconds := connects*(signMilliseconds+connectMilliseconds+disconnectMilliseconds) + pings*pingMilliseconds + messages*room.billedMilliseconds()
	return Usage{
		ConnectionMinutes: c.Connections * hoursPerMonth * 60,
		SocketMessages:    messages + pings + c.posts(),
		HTTPRequests:      connects,
		Invocations:       c.invocations() + hoursPerMonth*60, // and the reaper's
		GBSeconds:         milliseconds / 1000 * memoryMB / 1024,
		Writes: connects*(signWrites+connectWrites+disconnectWrites+sweepWrites) + messages*messageWrites +
			hoursPerMonth*60*sweeperWrites,
		Reads: connects*(signReads+connectReads+disconnectReads+sweepReads) + messages*room.reads() +
			hoursPerMonth*60*sweeperReads,
		LogBytes: c.invocations()*platformLog + connects*(accessLog+signLog+connectLog+disconnectLog) +
			messages*room.invocations()*messageLog,
		TransferBytes: c.posts() * frameBytes,
		Metrics:       metrics(c), Alarms: alarmMetrics, Dashboards: 1,
	}
}
