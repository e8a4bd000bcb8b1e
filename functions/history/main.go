// Command history is the Lambda function behind the route history: it answers a client with messages of the past in the
// rooms of its connection.
package main

import (
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/shared/callback"
	"signedsocket/shared/caller"
	"signedsocket/shared/connections"
	"signedsocket/shared/dynamo"
	"signedsocket/shared/function"
	"signedsocket/shared/roomlog"
)

// maxPosts is how many calls of @connections the function makes at the same time.
const maxPosts = 1

func main() { function.Start(readConfig, newHandler) }

func newHandler(log *slog.Logger, sdk aws.Config, c config) (any, error) {
	client, err := callback.New(sdk, c.CallbackURL, maxPosts)
	database := dynamo.Open(sdk)
	table := connections.New(database, connections.Tables{Connections: c.TableName}, connections.Limits{})
	h := &handler{
		log: log, stack: c.StackName, connections: table, now: time.Now,
		rooms: roomlog.New(database, c.TableName, c.HistoryDays), keepDays: c.HistoryDays,
		callers: &caller.Callers{
			Strikes: table, Gateway: client, Closer: callback.NewCloser(log, client), Salt: c.TableName, Now: time.Now,
		},
	}
	return h.handle, err
}
