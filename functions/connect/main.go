// Command connect is the Lambda function behind the $connect route: it decides whether a signed URL opens a connection,
// and records the connection. API Gateway has verified the signature. This function checks the signed parameters and
// the signer.
package main

import (
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
	"signedsocket/shared/dynamo"
	"signedsocket/shared/function"
)

func main() { function.Start(readConfig, newHandler) }

func newHandler(log *slog.Logger, sdk aws.Config, c config) (any, error) {
	function.WarnLeftOut(log, c.leftOut)
	client, err := callback.New(sdk, c.CallbackURL, maxClosing)
	h := &handler{
		log: log, salt: c.TableName, now: time.Now,
		signers: c.signers, origins: c.origins, possession: c.ProofOfPossession,
		connections: connections.New(dynamo.Open(sdk), c.tables(), c.limits()), closer: callback.NewCloser(log, client),
	}
	return h.handle, err
}
