// Command fanout is the Lambda function to which sendmessage hands a part of a large room: it posts one message to up
// to a thousand connections. Lambda invokes it again when a connected member did not get the message.
package main

import (
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/caarlos0/env/v11"

	"signedsocket/shared/awsclient"
	"signedsocket/shared/broadcast"
	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/setting"
)

// config is what the function reads from its environment. Lambda itself sets the memory size.
type config struct {
	TableName   string `env:"TABLE_NAME,notEmpty"`
	CallbackURL string `env:"CALLBACK_URL,notEmpty"`
	StackName   string `env:"STACK_NAME,notEmpty"`
	MemoryMB    int    `env:"AWS_LAMBDA_FUNCTION_MEMORY_SIZE" envDefault:"256"`
}

func main() {
	log := logging.New(os.Stdout)
	logging.TakeOver(log)
	h, err := newHandler(log, env.ToMap(os.Environ()))
	if err != nil {
		log.Error("init failed", slog.Any("error", err))
		os.Exit(1)
	}
	debug.SetGCPercent(broadcast.GCPercent)
	lambda.Start(h.handle)
}

// newHandler does the work of a cold start, once per process.
func newHandler(log *slog.Logger, environment map[string]string) (*handler, error) {
	c, err := setting.Read[config](environment)
	if err != nil {
		return nil, fmt.Errorf("read environment: %w", err)
	}
	aws, err := awsclient.Load(environment, logging.ForSDK(log))
	if err != nil {
		return nil, fmt.Errorf("load AWS config: %w", err)
	}
	concurrency := broadcast.Concurrency(c.MemoryMB)
	client, err := callback.New(aws, c.CallbackURL, concurrency)
	if err != nil {
		return nil, err
	}
	table := connections.Open(aws, connections.Tables{Connections: c.TableName}, connections.Limits{})
	return &handler{log: log, stack: c.StackName, now: time.Now, broadcaster: &broadcast.Broadcaster{
		Log: log, Salt: c.TableName, Callback: client, Connections: table, Now: time.Now, Concurrency: concurrency,
	}}, nil
}
