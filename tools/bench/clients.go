package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"

	"signedsocket/shared/callback"
)

// concurrency is how many posts are under way at the same time: that of a function of 256 MB.
const concurrency = 64

const awsRegion = "us-east-1"

// post sends a frame to a connection.
type post func(ctx context.Context, connectionID string, frame []byte) error

// client is a way to post, and how many posts it has under way.
type client struct {
	Name     string
	parallel int
	open     func(endpoint string) (post, error)
}

// The names by which results refer to clients.
const (
	sdkLoop  = "SDK, one at a time"
	sdkPool  = "SDK, 64 at a time"
	sdkSized = "SDK, 64 and a larger pool"
	handMade = "net/http, signed by hand"
	ours     = "shared/callback"
)

// clients are what is compared. They have credentials that never expire, as between two rotations on Lambda.
func clients() []client {
	return []client{
		{sdkLoop, 1, func(endpoint string) (post, error) { return sdk(endpoint, nil), nil }},
		{sdkPool, concurrency, func(endpoint string) (post, error) { return sdk(endpoint, nil), nil }},
		{sdkSized, concurrency, func(endpoint string) (post, error) { return sdk(endpoint, sizedPool()), nil }},
		{handMade, concurrency, byHand},
		{ours, concurrency, func(endpoint string) (post, error) {
			c, err := callback.New(awsConfig(), endpoint, concurrency)
			if err != nil {
				return nil, err
			}
			return c.Post, nil
		}},
	}
}

func awsConfig() aws.Config {
	return aws.Config{Region: awsRegion, Credentials: aws.NewCredentialsCache(keys())}
}

func keys() aws.CredentialsProvider {
	// AWS's documented example, and a token as long as a function's.
	return credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", strings.Repeat("token", 80))
}

// sdk is the SDK's own client, with its default HTTP client when that is nil.
func sdk(endpoint string, httpClient aws.HTTPClient) post {
	api := apigatewaymanagementapi.NewFromConfig(awsConfig(), func(o *apigatewaymanagementapi.Options) {
		o.BaseEndpoint = &endpoint
		if httpClient != nil {
			o.HTTPClient = httpClient
		}
	})
	return func(ctx context.Context, connectionID string, frame []byte) error {
		_, err := api.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &connectionID, Data: frame})
		return err
	}
}

// sizedPool keeps a connection for every post that is under way; the SDK's default keeps ten.
func sizedPool() aws.HTTPClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = concurrency, concurrency
	})
}

// byHand is what a post costs at least with net/http: no retries, no errors with types, and a signature that is made of
// as little as Signature Version 4 allows.
func byHand(endpoint string) (post, error) {
	base, err := url.Parse(endpoint)
	if err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	key, err := keys().Retrieve(context.Background())
	if err != nil {
		return nil, err
	}
	signer := newHandSigner(base.Host, key, time.Now())
	httpClient := &http.Client{Transport: &http.Transport{MaxIdleConns: concurrency, MaxIdleConnsPerHost: concurrency}}
	return func(ctx context.Context, connectionID string, frame []byte) error {
		path := base.Path + "/@connections/" + url.QueryEscape(connectionID)
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, base.Scheme+"://"+base.Host+path, bytes.NewReader(frame))
		if err != nil {
			return err
		}
		signer.sign(request, path, frame, time.Now().UTC())
		response, err := httpClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", response.StatusCode)
		}
		return nil
	}, nil
}

// handSigner makes signatures of requests to one host on one day.
// Source: IAM user guide, "Create a signed AWS API request".
type handSigner struct {
	host, token string
	scope       string
	credential  string
	key         []byte // of the day
}

func newHandSigner(host string, key aws.Credentials, now time.Time) *handSigner {
	day := now.UTC().Format("20060102")
	scope := day + "/" + awsRegion + "/execute-api/aws4_request"
	return &handSigner{
		host: host, token: key.SessionToken, scope: scope, credential: key.AccessKeyID + "/" + scope,
		key: mac([]byte("AWS4"+key.SecretAccessKey), day, awsRegion, "execute-api", "aws4_request"),
	}
}

// sign signs a request at a time of that day.
func (s *handSigner) sign(r *http.Request, escapedPath string, body []byte, now time.Time) {
	const headers = "host;x-amz-date;x-amz-security-token"
	date := now.UTC().Format("20060102T150405Z")
	canonical := digest("POST\n" + strings.NewReplacer("%", "%25", "@", "%40").Replace(escapedPath) + "\n\nhost:" + s.host + "\nx-amz-date:" + date +
		"\nx-amz-security-token:" + s.token + "\n\n" + headers + "\n" + digest(string(body)))
	signature := mac(s.key, "AWS4-HMAC-SHA256\n"+date+"\n"+s.scope+"\n"+canonical)
	r.Header["X-Amz-Date"] = []string{date}
	r.Header["X-Amz-Security-Token"] = []string{s.token}
	r.Header["Authorization"] = []string{"AWS4-HMAC-SHA256 Credential=" + s.credential +
		", SignedHeaders=" + headers + ", Signature=" + hex.EncodeToString(signature)}
}

// digest is the SHA-256 of a text, in hexadecimal digits.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// mac signs one text after another, each with the result of the one before.
func mac(key []byte, texts ...string) []byte {
	for _, text := range texts {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		key = h.Sum(nil)
	}
	return key
}
