// Command reaper is the Lambda function that closes connections: every minute those that are due, because their session
// is over, a newer one took their place, or they broke the rules; and when an operator invokes it, all connections of a
// revoked user.
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
	"signedsocket/shared/setting"
)

// concurrency is how many connections the reaper handles at the same time.
const concurrency = 32

// byeTimeout limits the time for a bye frame. A client that does not read is closed without one.
const byeTimeout = 2 * time.Second

// config is what the function reads from its environment.
type config struct {
	TableName      string `env:"TABLE_NAME,notEmpty"`
	BansTableName  string `env:"BANS_TABLE_NAME,notEmpty"`
	RevocationDays int    `env:"REVOCATION_DAYS" envDefault:"400"`
	CallbackURL    string `env:"CALLBACK_URL,notEmpty"`
	OIDCIssuer     string `env:"OIDC_ISSUER"` // with StackID part of the ids of some users, see package userid
	StackID        string `env:"STACK_ID,notEmpty"`
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
	client, err := callback.New(aws, c.CallbackURL, concurrency)
	if err != nil {
		return nil, err
	}
	return &handler{
		log: log, salt: c.TableName, now: time.Now, issuer: c.OIDCIssuer, stackID: c.StackID, concurrency: concurrency,
		connections: connections.Open(aws, connections.Tables{Connections: c.TableName, Bans: c.BansTableName},
			connections.Limits{RevocationDays: c.RevocationDays}),
		closer: &closing.Closer{Log: log, Gateway: client, Now: time.Now, ByeTimeout: byeTimeout},
	}, nil
}
