// Command sendmessage is the Lambda function behind the routes sendmessage, $default and ping: it
// brings a message to everybody in the sender's room, and answers pings.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/caarlos0/env/v11"

	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/message"
)

func main() {
	log := logging.New(os.Stdout)
	logging.TakeOver(log)
	h, err := newHandler(context.Background(), log, env.ToMap(os.Environ()))
	if err != nil {
		log.Error("init failed", slog.Any("error", err))
		os.Exit(1)
	}
	lambda.Start(h.handle)
}

// newHandler does the work of a cold start, once per process.
func newHandler(ctx context.Context, log *slog.Logger, environment map[string]string) (*handler, error) {
	c, err := readConfig(environment)
	if err != nil {
		return nil, fmt.Errorf("read environment: %w", err)
	}
	aws, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithLogger(logging.ForSDK(log)))
	if err != nil {
		return nil, fmt.Errorf("load AWS config: %w", err)
	}
	limits := connections.Limits{MessagesPerWindow: c.MessagesPerWindow, RoomShards: c.RoomShards}
	client, err := callback.New(aws, c.CallbackURL, c.concurrency())
	if err != nil {
		return nil, err
	}
	return &handler{
		log: log, now: time.Now, newID: message.NewID, concurrency: c.concurrency(),
		connections: connections.Open(aws, c.TableName, limits),
		callback:    client,
	}, nil
}
