// Command sendmessage is the Lambda function behind the routes sendmessage, $default and ping: it posts a message to
// all members of the sender's room, and answers pings.
package main

import (
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/caarlos0/env/v11"

	"signedsocket/shared/awsclient"
	"signedsocket/shared/broadcast"
	"signedsocket/shared/callback"
	"signedsocket/shared/closing"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/message"
)

func main() {
	log := logging.New(os.Stdout)
	logging.TakeOver(log)
	h, err := newHandler(log, env.ToMap(os.Environ()))
	if err != nil {
		log.Error("init failed", slog.Any("error", err))
		os.Exit(1)
	}
	debug.SetGCPercent(broadcast.GCPercent)
	lambda.Start(h.handle)
}

// newHandler does the work of a cold start, once per process.
func newHandler(log *slog.Logger, environment map[string]string) (*handler, error) {
	c, err := readConfig(environment)
	if err != nil {
		return nil, fmt.Errorf("read environment: %w", err)
	}
	aws, err := awsclient.Load(environment, logging.ForSDK(log))
	if err != nil {
		return nil, fmt.Errorf("load AWS config: %w", err)
	}
	concurrency := broadcast.Concurrency(c.MemoryMB)
	client, err := callback.New(aws, c.CallbackURL, concurrency)
	if err != nil {
		return nil, err
	}
	fanout, err := newFanoutQueue(aws, c.FanoutURL, c.LambdaEndpoint)
	if err != nil {
		return nil, err
	}
	table := connections.Open(aws, connections.Tables{Connections: c.TableName},
		connections.Limits{MessagesPerWindow: c.MessagesPerWindow, RoomShards: c.RoomShards})
	closer := &closing.Closer{Log: log, Gateway: client, Now: time.Now, ByeTimeout: closing.AtOnce / 2}
	return &handler{
		closer: closer,
		log:    log, stack: c.StackName, salt: c.TableName, watch: newWatch(), now: time.Now, newID: message.NewID,
		connections: table, callback: client,
		broadcaster: &broadcast.Broadcaster{
			Log: log, Salt: c.TableName, Callback: client, Connections: table, Now: time.Now, Concurrency: concurrency,
		},
		fanout: fanout, threshold: c.FanoutThreshold,
	}, nil
}
