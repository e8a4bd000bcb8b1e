// Command presence is the Lambda function that tells the members of rooms who is there. It runs every minute, and
// pushes the users of each room in which clients have asked for them, if they have changed. It closes no connection.
package main

import (
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/shared/broadcast"
	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
	"signedsocket/shared/dynamo"
	"signedsocket/shared/function"
	"signedsocket/shared/presence"
)

func main() {
	debug.SetGCPercent(broadcast.GCPercent)
	function.Start(readConfig, newHandler)
}

func newHandler(log *slog.Logger, sdk aws.Config, c config) (any, error) {
	concurrency := broadcast.Concurrency(c.MemoryMB)
	client, err := callback.New(sdk, c.CallbackURL, concurrency)
	database := dynamo.Open(sdk)
	limits := connections.Limits{RoomShards: c.RoomShards}
	table := connections.New(database, connections.Tables{Connections: c.TableName}, limits)
	broadcaster := broadcast.New(log, client, table, c.TableName, concurrency/roomsAtOnce)
	h := &handler{
		log: log, now: time.Now, cleaner: broadcaster,
		rooms: &presence.Rooms{
			API: database, Table: c.TableName, Members: table, Poster: broadcaster, Limit: c.PresenceLimit,
			Now: time.Now,
		},
	}
	return h.handle, err
}
