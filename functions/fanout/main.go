// Command fanout is the Lambda function to which sendmessage hands a part of a large room: it posts one message to up
// to a thousand connections. Lambda invokes it again when a connected member did not get the message.
package main

import (
	"log/slog"
	"runtime/debug"
	"time"

	"signedsocket/shared/broadcast"
	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
	"signedsocket/shared/function"
)

// config is what the function reads from its environment. Lambda itself sets the memory size.
type config struct {
	TableName   string `env:"TABLE_NAME,notEmpty"`
	CallbackURL string `env:"CALLBACK_URL,notEmpty"`
	StackName   string `env:"STACK_NAME,notEmpty"`
	MemoryMB    int    `env:"AWS_LAMBDA_FUNCTION_MEMORY_SIZE" envDefault:"256"`
}

func main() {
	debug.SetGCPercent(broadcast.GCPercent)
	function.Start(newHandler, func(h *handler) any { return h.handle })
}

func newHandler(log *slog.Logger, environment map[string]string) (*handler, error) {
	c, aws, err := function.Configure(log, environment, function.Read[config])
	if err != nil {
		return nil, err
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
