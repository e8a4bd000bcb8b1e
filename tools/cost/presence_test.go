package cost

import (
	"math"
	"testing"
)

// Units of presence and of read markers. A test compares them with the calls of the functions' code.
const (
	markerReads  = 1 // the user's marker, with each page of history and each request for news
	markerWrites = 1 // when it moves
	headReads    = 1 // the newest block, for a request that has only a marker

	// Bytes of the item HERE: without its users, and of a user in it.
	hereBytes     = 200.0
	hereUserBytes = 68.0
	// rosterBytes are those of a user in a frame.
	rosterBytes = 67.0

	presenceLog = 260.0 // a line a minute

	// Milliseconds of a warm function. Assumed.
	askMilliseconds  = 8.0  // the item of a room, on top of the request
	readMilliseconds = 15.0 // the members, and the writes before and after
	lookMilliseconds = 2.0  // at a room, with seven others at the same time
	tickMilliseconds = 10.0
)

// tickSeconds is how often presence looks at rooms.
const tickSeconds = 60.0

// smallRoom is up to how many users a join is pushed at once.
const smallRoom = 20.0

// paceSeconds is what lies between two pushes to the room, and between two reads that clients cause.
func (r Room) paceSeconds() float64 { return 1.2 * r.Members }

// hereWrites and hereReads are the units of a write and a consistent read of the room's item.
func (r Room) hereWrites() float64 { return math.Ceil((hereBytes + r.Members*hereUserBytes) / 1024) }
func (r Room) hereReads() float64  { return math.Ceil((hereBytes + r.Members*hereUserBytes) / 4096) }

// Told is what presence does for one room in an hour. All connections are of different users, who come and go at
// random, and the room is no crowd.
type Told struct {
	Answers float64 // to clients that ask, when they connect and in place of a ping
	Reads   float64 // of the members, for a client
	Pushes  float64
}

// posts are those of an hour.
func (t Told) posts(members float64) float64 { return t.Answers + t.Pushes*members }

// told adds up an hour of a room.
func (c Chat) told() Told {
	rooms := c.Connections / c.Room
	if rooms == 0 {
		return Told{}
	}
	r, joins := c.room(), c.Room/c.SessionHours
	answers := (c.connects() + c.pings()) / hoursPerMonth / rooms
	t := Told{Answers: answers, Reads: answers / (1 + answers*r.paceSeconds()/3600)}
	// Between two looks at the room lies its pace, and a whole number of ticks.
	between := math.Ceil(r.paceSeconds()/tickSeconds) * tickSeconds
	atTicks := func(changes float64) float64 { return 3600 / between * (1 - math.Exp(-changes*between/3600)) }
	if c.Room > smallRoom {
		t.Pushes = atTicks(2 * joins)
		return t
	}
	atOnce := joins / (1 + joins*r.paceSeconds()/3600)
	t.Pushes = atOnce + atTicks(joins+joins-atOnce) // those who left, and those who came within the pace
	return t
}

// presencePosts is how many posts presence makes in a month.
func (c Chat) presencePosts() float64 {
	return c.told().posts(c.Room) * c.roomHours()
}

// roomHours is how many hours of rooms a month has.
func (c Chat) roomHours() float64 { return c.Connections / c.Room * hoursPerMonth }

// presenceUsage is what it takes in a month that members see who is there.
func presenceUsage(c Chat) Usage {
	t, r, hours, ticks := c.told(), c.room(), c.roomHours(), hoursPerMonth*60
	answers, reads, pushes := t.Answers*hours, t.Reads*hours, t.Pushes*hours
	looks := hours * 60
	milliseconds := ticks*tickMilliseconds + answers*askMilliseconds + reads*readMilliseconds +
		looks*lookMilliseconds + pushes*r.posting(r.Members)
	frames := (frameBytes + rosterBytes*r.Members) * c.presencePosts()
	return Usage{
		SocketMessages: c.presencePosts(),
		Invocations:    ticks,
		GBSeconds:      milliseconds / 1000 * memoryMB / 1024,
		// A read for a client is noted before and, if something has changed, behind. So is a push.
		Writes: (2*reads + 2*pushes) * r.hereWrites(),
		// A tick's reads are not consistent, and cost half. It reads all items of rooms in one go.
		Reads: answers*r.hereReads() + reads*r.reads() + looks*r.reads()/2 +
			ticks*max(0.5, c.Connections/c.Room*(hereBytes+r.Members*hereUserBytes)/8192),
		LogBytes:      ticks * (platformLog + presenceLog),
		TransferBytes: frames,
	}
}

// markerUsage is what it takes in a month that the devices of a user agree on what the user has read: a marker is read
// with each request, and moved once in a session in which messages came.
func markerUsage(c Chat) Usage {
	asks, moves := c.connects()+c.pings(), 0.0
	if c.MessagesPerHour > 0 {
		moves = c.connects()
	}
	return Usage{
		SocketMessages: 2 * moves, // the frame and its answer
		Invocations:    moves,
		GBSeconds:      moves * historyMilliseconds / 1000 * memoryMB / 1024,
		Writes:         moves * (historyWrites + markerWrites),
		Reads:          asks*markerReads + moves*headReads,
		LogBytes:       moves * (platformLog + historyLog),
		TransferBytes:  moves * frameBytes,
	}
}

// plus adds up two usages.
func (u Usage) plus(v Usage) Usage {
	u.ConnectionMinutes += v.ConnectionMinutes
	u.SocketMessages += v.SocketMessages
	u.HTTPRequests += v.HTTPRequests
	u.Invocations += v.Invocations
	u.GBSeconds += v.GBSeconds
	u.Writes += v.Writes
	u.Reads += v.Reads
	u.LogBytes += v.LogBytes
	u.TransferBytes += v.TransferBytes
	u.Metrics += v.Metrics
	u.Alarms += v.Alarms
	u.Dashboards += v.Dashboards
	return u
}

// dollars prices a usage that is a part of a month, by the first tier of each price.
func (u Usage) dollars() float64 {
	return u.SocketMessages*socketMessage + u.Invocations*lambdaRequest + u.GBSeconds*lambdaGBSecond +
		u.Writes*writeUnit + u.Reads*readUnit + u.LogBytes/gb*logGB + u.TransferBytes/gb*transferGB
}

// showing is what the bill would be less, in a month, with PresenceLimit=0.
func showing(c Chat) float64 { return presenceUsage(c).dollars() }

// TestPresenceByHand adds up a room of fifty, each of whom stays for an hour and is silent. The room is looked at each
// minute, and in a minute 1.67 users come or go.
func TestPresenceByHand(t *testing.T) {
	t.Parallel()
	c := Chat{Connections: 50, Room: 50, SessionHours: 1}
	told := c.told()
	asks := 50 + 50*60/8.75
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-6*want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	near("answers", told.Answers, asks)
	near("reads", told.Reads, asks/(1+asks/60))
	near("pushes", told.Pushes, 60*(1-math.Exp(-100.0/60)))
	near("posts of a month", presenceUsage(c).SocketMessages, 730*(asks+50*60*(1-math.Exp(-100.0/60))))
	near("write units", presenceUsage(c).Writes, 730*2*4*(told.Reads+told.Pushes)) // of 3.6 KB
	if rooms := c.told().posts(50); rooms > asks+50*60 {
		t.Errorf("%v posts an hour, at most 50 a minute can be pushed", rooms)
	}
	small := Chat{Connections: 20, Room: 20, SessionHours: 1}.told()
	if small.Pushes < 20 || small.Pushes > 40 {
		t.Errorf("%v pushes about 20 users who come and 20 who go in an hour", small.Pushes)
	}
	for _, c := range chats() {
		if pushed := c.told().Pushes * c.Room; pushed > 50*60 {
			t.Errorf("%s: %v posts in an hour are pushed to a room, more than P2 allows", c.Name, pushed)
		}
	}
	if atRest := presenceUsage(atRest()); atRest.SocketMessages != 0 || math.IsNaN(atRest.Reads) {
		t.Errorf("at rest: %+v", atRest)
	}
}

func TestMarkersByHand(t *testing.T) {
	t.Parallel()
	if got := markerUsage(Chat{Connections: 1, Room: 50, SessionHours: 1}); got.Writes != 0 || got.SocketMessages != 0 {
		t.Errorf("in a silent room nothing is read: %+v", got)
	}
	lively := markerUsage(Chat{Connections: 1, Room: 50, MessagesPerHour: 1000, SessionHours: 1})
	if lively.Writes != 730*2 || lively.Reads != 730*2 || lively.SocketMessages != 730*2 {
		t.Errorf("each session moves one marker: %+v", lively)
	}
}
