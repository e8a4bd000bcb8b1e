package callback

import (
	"cmp"
	"context"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
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
// DeleteConnection. The path has the connection ID's "=" escaped, as in the SDK's requests.
func (c *Client) call(ctx context.Context, method, connectionID string, frame Frame) error {
	target := c.endpoint
	target.Opaque += url.QueryEscape(connectionID)
	response, err := c.http.Do(ctx, method, target, make(http.Header, signedHeaders), frame.payload)
	if err != nil {
		return err
	}
	if response.StatusCode == http.StatusOK || response.StatusCode == http.StatusNoContent {
		return nil
	}
	return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: response}, Err: typed(response)}
}

// typed returns the error of an answer in the SDK's types. The status counts, since a proxy or an
// emulator may leave out the header with the type.
func typed(response *http.Response) error {
	switch response.StatusCode {
	case http.StatusGone:
		return &types.GoneException{}
	case http.StatusRequestEntityTooLarge:
		return &types.PayloadTooLargeException{}
	case http.StatusTooManyRequests:
		return &types.LimitExceededException{}
	}
	code := response.Header.Get(errorType)
	code = cmp.Or(code, "UnknownError")
	return &smithy.GenericAPIError{Code: code}
}
