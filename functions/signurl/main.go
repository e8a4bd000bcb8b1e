// Command signurl is the Lambda function behind POST /signurl of the HTTP API: it gives a user a presigned URL, with
// which the user's browser opens one WebSocket connection. The deployment's mode decides where the user comes from:
// from a token that the gateway has checked, from a caller whose signature it has checked, or from a guest. This
// function checks the gateway's claims again, and decides what the URL grants. In mode iam it is behind POST /signout
// as well.
package main

import (
	"fmt"
	"log/slog"
	"time"

	"signedsocket/shared/awsclient"
	"signedsocket/shared/connections"
	"signedsocket/shared/function"
	"signedsocket/shared/grant"
)

func main() { function.Start(newHandler, func(h *handler) any { return h.handle }) }

// newHandler makes a handler that signs URLs with the function's own credentials, those of its role.
func newHandler(log *slog.Logger, environment map[string]string) (*handler, error) {
	c, aws, err := function.Configure(log, environment, readConfig)
	if err != nil {
		return nil, err
	}
	if c.leftOut != nil {
		log.Warn("settings left out", slog.Any("error", c.leftOut))
	}
	presigner, err := grant.NewPresigner(c.WebSocketURL, aws.Region, aws.Credentials)
	if err != nil {
		return nil, err
	}
	users := connections.Open(aws, connections.Tables{Connections: c.TableName, Bans: c.BansTableName},
		connections.Limits{GuestConnections: c.GuestConnections})
	h := &handler{log: log, config: c, users: users, presigner: presigner, now: time.Now, newTicket: grant.NewTicket}
	if c.ReaperURL != "" {
		reaper, err := awsclient.NewFunction(aws, c.ReaperURL, c.LambdaEndpoint, 1)
		if err != nil {
			return nil, fmt.Errorf("REAPER_URL: %w", err)
		}
		h.reaper = reaperFunction{reaper}
	}
	return h, nil
}
