// Command sendmessage is the Lambda function behind the routes sendmessage, delete, $default and ping: it stores a
// message, posts it to all members of the sender's room, deletes messages, and answers pings.
package main

import (
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/shared/broadcast"
	"signedsocket/shared/callback"
	"signedsocket/shared/caller"
	"signedsocket/shared/connections"
	"signedsocket/shared/dynamo"
	"signedsocket/shared/function"
	"signedsocket/shared/message"
	"signedsocket/shared/roomlog"
)

func main() {
	debug.SetGCPercent(broadcast.GCPercent)
	function.Start(readConfig, newHandler)
}

func newHandler(log *slog.Logger, sdk aws.Config, c config) (any, error) {
	concurrency := broadcast.Concurrency(c.MemoryMB)
	client, noClient := callback.New(sdk, c.CallbackURL, concurrency)
	fanout, noFanout := newFanoutQueue(sdk, c)
	database := dynamo.Open(sdk)
	table := connections.New(database, connections.Tables{Connections: c.TableName}, c.limits())
	h := &handler{
		log: log, stack: c.StackName, watch: newWatch(), now: time.Now, newID: message.NewID, connections: table,
		callers: &caller.Callers{
			Strikes: table, Gateway: client, Closer: callback.NewCloser(log, client), Salt: c.TableName, Now: time.Now,
		},
		broadcaster: broadcast.New(log, client, table, c.TableName, concurrency),
		fanout:      fanout, threshold: c.FanoutThreshold,
	}
	if c.HistoryDays > 0 {
		h.history = roomlog.New(database, c.TableName, c.HistoryDays)
	}
	return h.handle, errors.Join(noClient, noFanout)
}
