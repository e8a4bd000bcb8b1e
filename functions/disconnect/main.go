// Command disconnect is the Lambda function behind the $disconnect route: it removes the records of the connection. API
// Gateway calls it after the connection is gone. It may not call it at all, so nothing depends on it.
package main

import (
	"log/slog"

	"signedsocket/shared/connections"
	"signedsocket/shared/function"
)

// config is what the function reads from its environment.
type config struct {
	TableName string `env:"TABLE_NAME,notEmpty"`
}

func main() { function.Start(newHandler, func(h *handler) any { return h.handle }) }

func newHandler(log *slog.Logger, environment map[string]string) (*handler, error) {
	c, aws, err := function.Configure(log, environment, function.Read[config])
	if err != nil {
		return nil, err
	}
	table := connections.Open(aws, connections.Tables{Connections: c.TableName}, connections.Limits{})
	return &handler{log: log, connections: table}, nil
}
