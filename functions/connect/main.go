// Command connect is the Lambda function behind the $connect route: it decides whether a signed URL
// opens a connection, and records the connection. API Gateway has verified the signature; this
// function checks what the signature covers, and who signed.
package main

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/caarlos0/env/v11"

	"signedsocket/shared/awsclient"
	"signedsocket/shared/callback"
	"signedsocket/shared/closing"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
)

// maxClosing is how many connections are closed at the same time: as many as give way to one.
const maxClosing = 7

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

// newHandler does the work of a cold start, once per process.
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
	limits := connections.Limits{ConnectionsPerUser: c.ConnectionsPerUser, GuestConnections: c.GuestConnections, RoomShards: c.RoomShards}
	client, err := callback.New(aws, c.CallbackURL, maxClosing)
	if err != nil {
		return nil, err
	}
	store := connections.Open(aws, connections.Tables{Connections: c.TableName, Bans: c.BansTableName}, limits)
	return &handler{
		log: log, salt: c.TableName, signers: c.signers, origins: c.origins, possession: c.ProofOfPossession,
		connections: store, now: time.Now,
		closer: &closing.Closer{Log: log, Gateway: client, Now: time.Now, ByeTimeout: closing.AtOnce / 2},
	}, nil
}
