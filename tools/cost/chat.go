package main

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
func (c Chat) posts() float64      { return c.deliveries() + c.messages() + c.pings() } // with acks and pongs
func (c Chat) invocations() float64 {
	return c.messages()*c.room().invocations() + c.pings() + 3*c.connects()
}

// pings is how many pings clients send. Every message in the room ends the silence of all its members, so in a lively
// room no client pings. When messages come at random at a rate of r an hour, a gap between two holds a ping for each
// full t hours, on average 1/(exp(r·t)-1).
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

// busiest lets the connections of a chat send as many messages as the account's requests allow: what connecting leaves of
// them, in a room too lively for pings.
func busiest(c Chat) Chat {
	left := requestsPerSecond - connectRequests*perSecond(c.connects())
	c.MessagesPerHour = left / c.room().requests() * 3600 / c.Connections
	return c
}
