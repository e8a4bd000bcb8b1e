// Command fanout is the Lambda function to which sendmessage hands a part of a large room: it posts one message to up
// to a thousand connections. Where no history is kept, Lambda invokes it again when a connected member did not get the
// message.
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
)

func main() {
	debug.SetGCPercent(broadcast.GCPercent)
	function.Start(function.Read[config], newHandler)
}

func newHandler(log *slog.Logger, sdk aws.Config, c config) (any, error) {
	concurrency := broadcast.Concurrency(c.MemoryMB)
	client, err := callback.New(sdk, c.CallbackURL, concurrency)
	table := connections.New(dynamo.Open(sdk), connections.Tables{Connections: c.TableName}, connections.Limits{})
	h := &handler{
		log: log, stack: c.StackName, now: time.Now,
		broadcaster: broadcast.New(log, client, table, c.TableName, concurrency),
	}
	return h.handle, err
}
