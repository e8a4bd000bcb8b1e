// Command sendmessage is the Lambda function behind the routes sendmessage, $default and ping: it posts a message to
// all members of the sender's room, and answers pings.
package main

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"signedsocket/shared/awsclient"
	"signedsocket/shared/broadcast"
	"signedsocket/shared/callback"
	"signedsocket/shared/closing"
	"signedsocket/shared/connections"
	"signedsocket/shared/function"
	"signedsocket/shared/message"
)

func main() {
	debug.SetGCPercent(broadcast.GCPercent)
	function.Start(newHandler, func(h *handler) any { return h.handle })
}

func newHandler(log *slog.Logger, environment map[string]string) (*handler, error) {
	c, aws, err := function.Configure(log, environment, readConfig)
	if err != nil {
		return nil, err
	}
	concurrency := broadcast.Concurrency(c.MemoryMB)
	client, err := callback.New(aws, c.CallbackURL, concurrency)
	if err != nil {
		return nil, err
	}
	fanout, err := awsclient.NewFunction(aws, c.FanoutURL, c.LambdaEndpoint, handOvers)
	if err != nil {
		return nil, fmt.Errorf("FANOUT_URL: %w", err)
	}
	table := connections.Open(aws, connections.Tables{Connections: c.TableName},
		connections.Limits{MessagesPerWindow: c.MessagesPerWindow, RoomShards: c.RoomShards})
	return &handler{
		log: log, stack: c.StackName, salt: c.TableName, watch: newWatch(), now: time.Now, newID: message.NewID,
		connections: table, callback: client, fanout: fanoutQueue{fanout}, threshold: c.FanoutThreshold,
		closer: &closing.Closer{Log: log, Gateway: client, Now: time.Now, ByeTimeout: closing.AtOnce / 2},
		broadcaster: &broadcast.Broadcaster{
			Log: log, Salt: c.TableName, Callback: client, Connections: table, Now: time.Now, Concurrency: concurrency,
		},
	}, nil
}
