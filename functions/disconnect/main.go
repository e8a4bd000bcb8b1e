// Command disconnect is the Lambda function behind the $disconnect route: it removes the records of the connection. API
// Gateway calls it after the connection is gone. It may not call it at all, so nothing depends on it.
package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/caarlos0/env/v11"

	"signedsocket/shared/awsclient"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/setting"
)

// config is what the function reads from its environment.
type config struct {
	TableName string `env:"TABLE_NAME,notEmpty"`
}

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
	c, err := setting.Read[config](environment)
	if err != nil {
		return nil, fmt.Errorf("read environment: %w", err)
	}
	aws, err := awsclient.Load(environment, logging.ForSDK(log))
	if err != nil {
		return nil, fmt.Errorf("load AWS config: %w", err)
	}
	return &handler{log: log,
		connections: connections.Open(aws, connections.Tables{Connections: c.TableName}, connections.Limits{})}, nil
}
