package callback

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// errorType is the header in which API Gateway names the type of an error.
const errorType = "X-Amzn-Errortype"

// maxAnswer is what is read of an answer, so that its connection can be used again.
const maxAnswer = 64 << 10

// poster sends PostToConnection below the SDK's operation call, which spends several times as much
// on its middleware as on the request. Credentials, signer, HTTP client, retries and the types of
// errors are the SDK's.
type poster struct {
	endpoint    *url.URL
	region      string
	credentials aws.CredentialsProvider
	signer      *v4.Signer
	http        aws.HTTPClient
	retryer     aws.Retryer
}

func newPoster(config aws.Config, endpoint *url.URL, client aws.HTTPClient) poster {
	p := poster{
		endpoint: endpoint, region: config.Region, credentials: config.Credentials,
		signer: v4.NewSigner(), http: client, retryer: retry.NewStandard(),
	}
	if config.Retryer != nil {
		p.retryer = config.Retryer()
	}
	return p
}

// post sends data to a connection, and again as often as the SDK would.
func (p poster) post(ctx context.Context, connectionID string, data []byte) error {
	hash := sha256.Sum256(data)
	payloadHash := hex.EncodeToString(hash[:])
	for attempt := 1; ; attempt++ {
		err := p.attempt(ctx, connectionID, data, payloadHash)
		if err == nil || ctx.Err() != nil || attempt == p.retryer.MaxAttempts() || !p.retryer.IsErrorRetryable(err) {
			return err
		}
		delay, delayErr := p.retryer.RetryDelay(attempt, err)
		if delayErr != nil {
			return errors.Join(err, delayErr)
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(delay):
		}
	}
}

func (p poster) attempt(ctx context.Context, connectionID string, data []byte, payloadHash string) error {
	request, err := p.request(ctx, connectionID, data)
	if err != nil {
		return err
	}
	credentials, err := p.credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("retrieve credentials: %w", err)
	}
	if err := p.signer.SignHTTP(ctx, credentials, request, payloadHash, "execute-api", p.region, time.Now()); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	// A connection that went stale while the function was frozen shows only now. The empty list tells net/http
	// that the request may be sent again on another one, and is not sent itself: a frame that arrives twice has
	// the same message id.
	request.Header["Idempotency-Key"] = []string{}
	response, err := p.http.Do(request)
	if err != nil {
		return &smithyhttp.RequestSendError{Err: err}
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer) // all that counts is in the head
	if response.StatusCode == http.StatusOK {
		return nil
	}
	return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: response}, Err: typed(response)}
}

// request returns the request as the SDK makes it: the path has the connection ID's "=" escaped, and
// the signature covers the path escaped once more.
func (p poster) request(ctx context.Context, connectionID string, data []byte) (*http.Request, error) {
	target := *p.endpoint
	target.Path += "/@connections/" + connectionID
	target.RawPath = p.endpoint.EscapedPath() + "/@connections/" + url.QueryEscape(connectionID)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Content-Type", "application/octet-stream")
	return request, nil
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
	if code == "" {
		code = "UnknownError"
	}
	return &smithy.GenericAPIError{Code: code}
}
