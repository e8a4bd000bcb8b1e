// Command erase is the Lambda function that removes a user from the messages of all rooms. Only an operator invokes it.
package main

import (
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/shared/dynamo"
	"signedsocket/shared/function"
	"signedsocket/shared/markers"
	"signedsocket/shared/roomlog"
)

func main() { function.Start(function.Read[config], newHandler) }

func newHandler(log *slog.Logger, sdk aws.Config, c config) (any, error) {
	database := dynamo.Open(sdk)
	h := &handler{
		log: log, salt: c.TableName, issuer: c.OIDCIssuer, stackID: c.StackID, now: time.Now,
		rooms:   roomlog.New(database, c.TableName, c.HistoryDays),
		markers: markers.Eraser{API: database, Table: c.TableName},
	}
	return h.handle, nil
}
