package awsclient

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// connectTime is how long the dial and the TLS handshake of a connection may take, each.
const connectTime = 3 * time.Second

// transport is an HTTP transport that recovers from an endpoint that goes silent. Such an endpoint neither answers nor
// closes its connections, so every request on one of them ends with a timeout.
//
// It speaks HTTP/1.1 only. With HTTP/2 all requests share one connection, and net/http keeps a silent one in use. The
// timers of its health checks fire too early in a Lambda function that was frozen between two invocations. HTTP/1.1
// closes a connection whose request had a timeout, and costs as much CPU time
// (docs/decisions/0007-posts-go-below-the-sdks-operation-call.md).
type transport struct {
	*http.Transport
	answers atomic.Uint64 // that have arrived so far
}

// newTransport returns a transport with the settings of client, such as the authorities of AWS_CA_BUNDLE.
func newTransport(client aws.HTTPClient) *transport {
	buildable, ok := client.(*awshttp.BuildableClient)
	if !ok {
		buildable = awshttp.NewBuildableClient()
	}
	inner := buildable.GetTransport()
	inner.ForceAttemptHTTP2 = false
	inner.Protocols = new(http.Protocols)
	inner.Protocols.SetHTTP1(true)
	inner.TLSClientConfig.NextProtos = []string{"http/1.1"} // GetTransport's copy offers "h2" too
	inner.TLSHandshakeTimeout = connectTime
	dial := inner.DialContext
	inner.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, connectTime)
		defer cancel()
		return dial(ctx, network, address)
	}
	return &transport{Transport: inner}
}

// RoundTrip implements http.RoundTripper. After a timeout during which no request at all was answered, it closes the
// idle connections: they have probably gone silent together, and the next request needs a new one. If other requests
// were answered meanwhile, the endpoint is alive and the idle connections stay.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	before := t.answers.Load()
	response, err := t.Transport.RoundTrip(request)
	if err == nil {
		t.answers.Add(1)
		return response, nil
	}
	if isTimeout(err) && t.answers.Load() == before { // mutate:aws-silent-idle
		t.CloseIdleConnections()
	}
	return nil, err
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
