package callback

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"signedsocket/shared/awsclient"
)

// errorType is the header in which API Gateway names the type of an error.
const errorType = "X-Amzn-Errortype"

// signedHeaders is how many headers a request has: room for them is made at once.
const signedHeaders = 5

// Frame is a text frame that can be posted to any number of connections.
type Frame struct{ payload awsclient.Payload }

// NewFrame returns data as a frame. It must not be changed afterwards.
func NewFrame(data []byte) Frame { return Frame{awsclient.NewPayload(data)} }

// String returns the frame's text.
func (f Frame) String() string { return f.payload.String() }

// call makes one request about a connection: POST is PostToConnection, and DELETE, with an empty frame, is
// DeleteConnection. The path has the connection ID's "=" escaped, as in the SDK's requests. The status decides about
// the error, since a proxy or an emulator may leave out the header with the error's type.
func (c *Client) call(ctx context.Context, method, connectionID string, frame Frame) error {
	target := c.endpoint
	target.Opaque += url.QueryEscape(connectionID)
	response, err := c.http.Do(ctx, method, target, make(http.Header, signedHeaders), frame.payload)
	if err != nil {
		return c.unavailable(err)
	}
	var meaning error
	switch response.StatusCode {
	case http.StatusOK, http.StatusNoContent:
		return nil
	case http.StatusGone:
		meaning = ErrGone
	case http.StatusRequestEntityTooLarge:
		meaning = ErrTooLarge
	case http.StatusTooManyRequests:
		meaning = ErrThrottled
	}
	failed := &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: response},
		Err:      &smithy.GenericAPIError{Code: cmp.Or(response.Header.Get(errorType), "UnknownError")},
	}
	if meaning == nil {
		return c.unavailable(failed)
	}
	return fmt.Errorf("%w: %w", meaning, failed)
}

// unavailable returns an error of the SDK with ErrUnavailable in its chain, if the SDK would repeat the call.
func (c *Client) unavailable(err error) error {
	if c.retryer.IsErrorRetryable(err) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}
