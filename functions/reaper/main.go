// Command reaper is the Lambda function that closes connections. Every minute it closes those that are due: their
// session has ended, a newer connection took their place, or they broke the rules. When an operator invokes it, it
// closes all connections of a revoked user.
package main

import (
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
	"signedsocket/shared/dynamo"
	"signedsocket/shared/function"
)

func main() { function.Start(function.Read[config], newHandler) }

func newHandler(log *slog.Logger, sdk aws.Config, c config) (any, error) {
	client, err := callback.New(sdk, c.CallbackURL, concurrency)
	tables := connections.Tables{Connections: c.TableName, Bans: c.BansTableName}
	h := &handler{
		log: log, salt: c.TableName, now: time.Now, issuer: c.OIDCIssuer, stackID: c.StackID, concurrency: concurrency,
		connections: connections.New(dynamo.Open(sdk), tables, connections.Limits{RevocationDays: c.RevocationDays}),
		closer:      &callback.Closer{Log: log, Gateway: client, Now: time.Now, ByeTimeout: byeTimeout},
	}
	return h.handle, err
}
