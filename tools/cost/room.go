package main

import "math"

// Room is a room, and how it is kept and served.
type Room struct {
	Members  float64
	Shards   float64 // partitions over which its members are spread
	MemoryMB float64 // of the functions that post
}

const (
	// sendmessage posts to as many connections itself, and hands the others to invocations of fanout, a segment to each. They
	// run side by side.
	threshold   = 2000
	segmentSize = 1000

	// postCPU is what a post takes of a processor, in microseconds: docs/benchmarks.md.
	postCPU = 40.0
	// fullCPUMB is the memory at which Lambda gives a function one processor.
	// Source: AWS Lambda developer guide, "Configure Lambda function memory".
	fullCPUMB = 1769.0
	// postMilliseconds is how long the gateway takes for a post. Assumed.
	postMilliseconds = 10.0
	// handOverMilliseconds is how long Lambda takes to begin with an asynchronous event. Assumed; a cold start comes on top.
	handOverMilliseconds = 100.0
)

// reads is how many read units it takes to know who is in the room: each shard is read on its own, in whole units.
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
	return messageMilliseconds + slowest
}

// billedMilliseconds is how long all invocations for one message take together.
func (r Room) billedMilliseconds() float64 {
	full := math.Floor((r.Members - r.own()) / segmentSize)
	rest := r.Members - r.own() - full*segmentSize
	return messageMilliseconds*r.invocations() + r.posting(r.own()) + full*r.posting(segmentSize) + r.posting(rest)
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
		messageWrites*writeUnit + r.reads()*readUnit +
		posts*frameBytes/gb*transferGB
}
