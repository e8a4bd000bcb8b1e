// Package callback posts frames to connections and closes them, through the stage's @connections endpoint. Its Client
// turns the answers of API Gateway into a few errors that callers act on. Its Closer says bye before it closes.
package callback

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/shared/awsclient"
)

// Errors that callers distinguish. Every other error is a fault of the endpoint, of the network, or of the function's
// permissions.
var (
	// ErrGone means that there is no such connection: it is closed, or its handshake has not been answered yet.
	ErrGone = errors.New("connection gone")
	// ErrTooLarge means that the frame is longer than API Gateway delivers, 128 KB.
	ErrTooLarge = errors.New("frame too large")
	// ErrThrottled means that API Gateway limits the account's calls, or that the client does not read.
	ErrThrottled = errors.New("throttled")
	// ErrUnavailable means that the endpoint or the network failed, and that a repetition may succeed.
	ErrUnavailable = errors.New("endpoint unavailable")
	// ErrNoRetry means that a post was not repeated, because too many others are.
	ErrNoRetry = errors.New("not repeated")
)

// Repeatable reports whether a post that ended in err may succeed when it is repeated.
func Repeatable(err error) bool {
	return (errors.Is(err, ErrThrottled) || errors.Is(err, ErrUnavailable)) && !errors.Is(err, ErrNoRetry)
}

// HandshakeTime is how long a handshake can last at most. $connect runs before the handshake is answered, and until
// then API Gateway answers ErrGone for a connection that may still open.
const HandshakeTime = 30 * time.Second

// AnswerTime limits the time for the answer to a call, which takes API Gateway milliseconds. A call without an answer
// by then should end, so that it can be repeated on another connection.
const AnswerTime = time.Second

// Client posts frames to connections and closes them. It is safe for concurrent use.
type Client struct {
	endpoint url.URL // its Opaque is the path of all connections
	http     *awsclient.Client
	retryer  aws.RetryerV2
}

// New returns a Client for the endpoint https://host/stage, with the credentials and region of config. It keeps as many
// connections to the endpoint open as are used at the same time, up to concurrency. Lost and throttled calls are
// repeated as the SDK does by default. The error says that the endpoint is no address.
func New(config aws.Config, endpoint string, concurrency int) (*Client, error) {
	target, err := url.Parse(endpoint)
	if err != nil || target.Host == "" {
		return nil, fmt.Errorf("callback endpoint %q: write it as https://host/stage", endpoint)
	}
	return &Client{
		endpoint: url.URL{Scheme: target.Scheme, Host: target.Host, Opaque: target.EscapedPath() + "/@connections/"},
		http:     awsclient.New(config, "execute-api", concurrency), retryer: newRetryer(config),
	}, nil
}

// Close closes a connection. The client sees close code 1000 and no reason, so a reason must be posted before. The
// error is ErrGone, ErrThrottled, or a fault, each with the SDK's error in its chain.
func (c *Client) Close(ctx context.Context, connectionID string) error {
	return c.withRetries(ctx, func(ctx context.Context, previous error) error {
		return c.tryOnce(ctx, "close connection", http.MethodDelete, connectionID, NewFrame(nil), previous)
	})
}
