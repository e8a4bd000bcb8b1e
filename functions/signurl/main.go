// Command signurl is the Lambda function behind POST /signurl of the HTTP API: it gives a user a presigned URL, with
// which the user's browser opens one WebSocket connection. The deployment's mode decides where the user comes from:
// from a token that the gateway has checked, from a caller whose signature it has checked, or from a guest. This
// function checks the gateway's claims again, and decides what the URL grants. In mode iam it is behind POST /signout
// as well.
package main

import (
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/shared/connections"
	"signedsocket/shared/dynamo"
	"signedsocket/shared/function"
	"signedsocket/shared/grant"
)

func main() { function.Start(readConfig, newHandler) }

// newHandler makes a handler that signs URLs with the function's own credentials, those of its role.
func newHandler(log *slog.Logger, sdk aws.Config, c config) (any, error) {
	function.WarnLeftOut(log, c.leftOut)
	presigner, noPresigner := grant.NewPresigner(c.WebSocketURL, sdk.Region, sdk.Credentials)
	reaper, noReaper := newReaper(sdk, c)
	users := connections.New(dynamo.Open(sdk), connections.Tables{Connections: c.TableName, Bans: c.BansTableName},
		connections.Limits{GuestConnections: c.GuestConnections})
	h := &handler{
		log: log, config: c, users: users, presigner: presigner, reaper: reaper,
		now: time.Now, newTicket: grant.NewTicket,
	}
	return h.handle, errors.Join(noPresigner, noReaper)
}
