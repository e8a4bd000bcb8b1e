// Command disconnect is the Lambda function behind the $disconnect route: it removes the records of the connection. API
// Gateway may call it after the connection is gone, or not at all, so nothing depends on it.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/shared/connections"
	"signedsocket/shared/dynamo"
	"signedsocket/shared/function"
)

func main() { function.Start(function.Read[config], newHandler) }

func newHandler(log *slog.Logger, sdk aws.Config, c config) (any, error) {
	table := connections.New(dynamo.Open(sdk), connections.Tables{Connections: c.TableName}, connections.Limits{})
	h := &handler{log: log, connections: table}
	return h.handle, nil
}
