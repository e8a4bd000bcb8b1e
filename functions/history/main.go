// Command history is the Lambda function behind the route history: it answers a client with messages of the past in the
// rooms of its connection, stores what its user has read, and tells who is in the rooms.
package main

import (
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/shared/broadcast"
	"signedsocket/shared/callback"
	"signedsocket/shared/caller"
	"signedsocket/shared/connections"
	"signedsocket/shared/dynamo"
	"signedsocket/shared/function"
	"signedsocket/shared/markers"
	"signedsocket/shared/presence"
	"signedsocket/shared/roomlog"
)

func main() { function.Start(readConfig, newHandler) }

func newHandler(log *slog.Logger, sdk aws.Config, c config) (any, error) {
	concurrency := broadcast.Concurrency(c.MemoryMB)
	client, err := callback.New(sdk, c.CallbackURL, concurrency)
	database := dynamo.Open(sdk)
	limits := connections.Limits{RoomShards: c.RoomShards}
	table := connections.New(database, connections.Tables{Connections: c.TableName}, limits)
	h := &handler{
		log: log, stack: c.StackName, connections: table, now: time.Now,
		rooms: roomlog.New(database, c.TableName, c.HistoryDays), keepDays: c.HistoryDays,
		markers: &markers.Store{API: database, Table: c.TableName, Now: time.Now},
		callers: &caller.Callers{
			Strikes: table, Gateway: client, Closer: callback.NewCloser(log, client), Salt: c.TableName, Now: time.Now,
		},
	}
	if c.PresenceLimit > 0 {
		h.rosters = &presence.Rooms{
			API: database, Table: c.TableName, Members: table, Limit: c.PresenceLimit, Now: time.Now,
			Poster: broadcast.New(log, client, table, c.TableName, concurrency),
		}
	}
	return h.handle, err
}
