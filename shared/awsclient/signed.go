// Package awsclient makes the clients of AWS services. Load makes the SDK's configuration from a function's
// environment, ForSDK an HTTP client for the SDK's clients. Client works below the SDK's operation calls.
package awsclient

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	// maxAnswer is how many bytes of an answer are read. A connection with unread bytes cannot be used again.
	maxAnswer = 64 << 10
	// idleTimeout is how long an unused connection is kept.
	idleTimeout = 50 * time.Second
)

// Payload is a body for any number of requests. Its hash is computed once.
type Payload struct {
	data []byte
	hash string // of data, as signatures need it
}

// NewPayload returns data as a payload. It must not be changed afterwards.
func NewPayload(data []byte) Payload {
	hash := sha256.Sum256(data)
	return Payload{data: data, hash: hex.EncodeToString(hash[:])}
}

// String returns the payload's text.
func (p Payload) String() string { return string(p.data) }

func (p Payload) body() io.ReadCloser {
	if len(p.data) == 0 {
		return http.NoBody
	}
	return io.NopCloser(bytes.NewReader(p.data))
}

// Client makes requests to one service below the SDK's operation calls. These spend several times as much on their
// middleware as on the request, and their clients take longer to start than the rest of a function. It is for the calls
// that one message causes a thousand times. Credentials, signer, transport and settings are the SDK's. A Client is safe
// for concurrent use.
type Client struct {
	service, region string
	credentials     aws.CredentialsProvider
	signer          *v4.Signer
	transport       http.RoundTripper
}

// New returns a Client for the service of that name in signatures, with the credentials and region of config. It opens
// up to connections connections, as many as are used at the same time, and keeps them.
func New(config aws.Config, service string, connections int) *Client {
	transport := newTransport(config.HTTPClient)
	transport.MaxIdleConns = connections
	transport.MaxIdleConnsPerHost = connections
	transport.MaxConnsPerHost = connections
	transport.IdleConnTimeout = idleTimeout
	return &Client{
		service: service, region: config.Region, credentials: config.Credentials, signer: v4.NewSigner(),
		transport: transport,
	}
}

// Do makes one request and returns the head of its answer, whose body has been read and closed. An answer is no error,
// whatever its status. The error is a *smithyhttp.RequestSendError, as the SDK has it, or about the credentials.
//
// target is the scheme, the host and, as Opaque, the path as it is sent: the caller has escaped it. The context should
// limit the time: on a connection that has gone silent, only the context ends a request. header is signed and belongs
// to the request. The request must be safe to repeat: Do sends it again when a connection turns out to be closed, as
// after a pause in which Lambda froze the function.
func (c *Client) Do(
	ctx context.Context, method string, target url.URL, header http.Header, payload Payload,
) (*http.Response, error) {
	request := (&http.Request{
		Method: method, URL: &target, Host: target.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: payload.body(), ContentLength: int64(len(payload.data)),
		GetBody: func() (io.ReadCloser, error) { return payload.body(), nil },
	}).WithContext(ctx)
	credentials, err := c.credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("retrieve credentials: %w", err)
	}
	if err := c.signer.SignHTTP(ctx, credentials, request, payload.hash, c.service, c.region, time.Now()); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if len(payload.data) > 0 {
		request.Header["Content-Type"] = []string{"application/octet-stream"}
	}
	// The empty list tells net/http that the request may be repeated, and is not sent.
	request.Header["Idempotency-Key"] = []string{}
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return nil, &smithyhttp.RequestSendError{Err: err}
	}
	defer response.Body.Close()
	if response.ContentLength != 0 {
		_, _ = io.CopyN(io.Discard, response.Body, maxAnswer) // everything needed is in the head
	}
	return response, nil
}
