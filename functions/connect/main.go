// Command connect is the Lambda function behind the $connect route: it decides whether a signed URL
// opens a connection, and records the connection. API Gateway has verified the signature; this
// function checks what the signature covers, and who signed.
package main

import (
	"log/slog"
	"time"

	"signedsocket/shared/callback"
	"signedsocket/shared/closing"
	"signedsocket/shared/connections"
	"signedsocket/shared/function"
)

// maxClosing is how many connections are closed at the same time: as many as give way to one.
const maxClosing = 7

func main() { function.Start(newHandler, func(h *handler) any { return h.handle }) }

func newHandler(log *slog.Logger, environment map[string]string) (*handler, error) {
	c, aws, err := function.Configure(log, environment, readConfig)
	if err != nil {
		return nil, err
	}
	if c.leftOut != nil {
		log.Warn("settings left out", slog.Any("error", c.leftOut))
	}
	client, err := callback.New(aws, c.CallbackURL, maxClosing)
	if err != nil {
		return nil, err
	}
	limits := connections.Limits{
		ConnectionsPerUser: c.ConnectionsPerUser, GuestConnections: c.GuestConnections, RoomShards: c.RoomShards,
	}
	return &handler{
		log: log, salt: c.TableName, now: time.Now,
		signers: c.signers, origins: c.origins, possession: c.ProofOfPossession,
		connections: connections.Open(aws, connections.Tables{Connections: c.TableName, Bans: c.BansTableName}, limits),
		closer:      &closing.Closer{Log: log, Gateway: client, Now: time.Now, ByeTimeout: closing.AtOnce / 2},
	}, nil
}
