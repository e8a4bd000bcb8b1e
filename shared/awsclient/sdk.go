package awsclient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// sdkAttemptTime is how long one attempt of an SDK call may take. The SDK then tries again, as often as it does after
// other failures of the connection. Calls of DynamoDB take milliseconds.
const sdkAttemptTime = 3 * time.Second

// ForSDK returns an HTTP client for the SDK's clients, with the settings of client. Its calls recover from an endpoint
// that goes silent, and it keeps its connections alive.
//
// The SDK wraps request bodies in a reader of its own (smithy-go, transport/http/internal/io/safe.go) and closes it as
// soon as the answer's head is there. When a server answers at once, net/http may still be checking whether the body
// has ended. A closed body then returns io.EOF from WriteTo, and net/http counts the request as failed. It cuts the
// connection while the answer is being read. The call fails or is repeated after a pause of up to a second, and the
// connection is gone in any case (https://github.com/aws/aws-sdk-go-v2/issues/2737). So this client sends every body
// from memory. The SDK cannot close that, and net/http can send it again after a stale connection. The body also goes
// out together with the request's head instead of after it.
func ForSDK(client aws.HTTPClient) aws.HTTPClient { return sdkClient{newTransport(client)} }

type sdkClient struct{ next http.RoundTripper }

// Do implements aws.HTTPClient. The time of the attempt ends with the answer's body.
func (c sdkClient) Do(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(request.Context(), sdkAttemptTime)
	request = request.WithContext(ctx)
	if err := fromMemory(request); err != nil {
		cancel()
		return nil, err
	}
	response, err := c.next.RoundTrip(request)
	if err != nil {
		cancel()
		return nil, err
	}
	response.Body = answerBody{response.Body, cancel}
	return response, nil
}

// fromMemory makes a request send its body from memory.
func fromMemory(request *http.Request) error {
	if request.Body == nil || request.ContentLength <= 0 {
		return nil
	}
	body := make([]byte, request.ContentLength)
	if _, err := io.ReadFull(request.Body, body); err != nil {
		return fmt.Errorf("read request body: %w", err)
	}
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	request.Body, _ = request.GetBody()
	return nil
}

// answerBody ends the attempt when it is closed.
type answerBody struct {
	io.ReadCloser
	end context.CancelFunc
}

// Close implements io.Closer.
func (b answerBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
