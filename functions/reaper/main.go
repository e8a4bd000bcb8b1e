// Command reaper is the Lambda function that closes connections: every minute those that are due, because their session
// is over, a newer one took their place, or they broke the rules; and when an operator invokes it, all connections of a
// revoked user.
package main

import (
	"log/slog"
	"time"

	"signedsocket/shared/callback"
	"signedsocket/shared/closing"
	"signedsocket/shared/connections"
	"signedsocket/shared/function"
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

func main() { function.Start(newHandler, func(h *handler) any { return h.handle }) }

func newHandler(log *slog.Logger, environment map[string]string) (*handler, error) {
	c, aws, err := function.Configure(log, environment, function.Read[config])
	if err != nil {
		return nil, err
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
