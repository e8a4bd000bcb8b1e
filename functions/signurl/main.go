// Command signurl is the Lambda function behind POST /signurl of the HTTP API: it gives a user a presigned URL, with
// which the user's browser opens one WebSocket connection. The deployment's mode decides where the user comes from:
// from a token that the gateway has checked, from a caller whose signature it has checked, or from a guest. This
// function checks the gateway's claims again, and decides what the URL grants. In mode iam it is behind POST /signout
// as well.
package main

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/caarlos0/env/v11"

	"signedsocket/shared/awsclient"
	"signedsocket/shared/connections"
	"signedsocket/shared/grant"
	"signedsocket/shared/logging"
)

func main() {
	log := logging.New(os.Stdout)
	logging.TakeOver(log)
	h, err := newHandler(log, env.ToMap(os.Environ()))
	if err != nil {
		log.Error("init failed", slog.Any("error", err))
		os.Exit(1)
	}
	lambda.Start(h.handle)
}

// newHandler does the work of a cold start, once per process. The URLs are signed with the function's own
// credentials, those of its role.
func newHandler(log *slog.Logger, environment map[string]string) (*handler, error) {
	c, err := readConfig(environment)
	if err != nil {
		return nil, fmt.Errorf("read environment: %w", err)
	}
	if c.leftOut != nil {
		log.Warn("settings left out", slog.Any("error", c.leftOut))
	}
	aws, err := awsclient.Load(environment, logging.ForSDK(log))
	if err != nil {
		return nil, fmt.Errorf("load AWS config: %w", err)
	}
	presigner, err := grant.NewPresigner(c.WebSocketURL, aws.Region, aws.Credentials)
	if err != nil {
		return nil, err
	}
	users := connections.Open(aws, connections.Tables{Connections: c.TableName, Bans: c.BansTableName},
		connections.Limits{GuestConnections: c.GuestConnections})
	h := &handler{log: log, config: c, users: users, presigner: presigner, now: time.Now, newTicket: grant.NewTicket}
	if c.ReaperURL != "" {
		if h.reaper, err = newReaperFunction(aws, c.ReaperURL, c.LambdaEndpoint); err != nil {
			return nil, err
		}
	}
	return h, nil
}
