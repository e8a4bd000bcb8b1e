// Package sdkhttp keeps the AWS SDK's connections alive. The SDK wraps request bodies in a reader of
// its own (smithy-go, transport/http/internal/io/safe.go) and closes it as soon as the answer's head
// is there. When a server answers at once, net/http may still be looking whether the body has ended:
// a closed body then returns io.EOF from WriteTo, which net/http takes for a failed request. It cuts
// the connection, under the answer that is being read from it. The call fails or is repeated after a
// pause of up to a second, and the connection is gone in any case.
// See https://github.com/aws/aws-sdk-go-v2/issues/2737.
package sdkhttp

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Client returns a client that sends every request body from memory: one that the SDK cannot close,
// that net/http can send again when it meets a stale connection, and that goes out together with the
// request's head instead of after it.
func Client(next aws.HTTPClient) aws.HTTPClient { return client{next} }

type client struct{ next aws.HTTPClient }

// Do implements aws.HTTPClient.
func (c client) Do(request *http.Request) (*http.Response, error) {
	if request.Body == nil || request.ContentLength <= 0 {
		return c.next.Do(request)
	}
	body := make([]byte, request.ContentLength)
	if _, err := io.ReadFull(request.Body, body); err != nil {
		return nil, fmt.Errorf("read request body: %w", err)
	}
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	request.Body, _ = request.GetBody()
	return c.next.Do(request)
}
