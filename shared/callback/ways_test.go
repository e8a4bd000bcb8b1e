package callback

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
)

// post sends a frame to a connection.
type post func(ctx context.Context, connectionID string, frame []byte) error

// way is a way to post that the benchmarks compare. Package tools/bench knows them by name.
type way struct {
	name     string
	parallel int // posts at the same time
	open     func(t testing.TB, endpoint string) post
}

// concurrency is how many posts a function of 256 MB has under way.
const concurrency = 64

// key is AWS's documented example, with a token as long as a function's.
func key() aws.Credentials {
	return aws.Credentials{
		AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		SessionToken: strings.Repeat("token", 80),
	}
}

// keyConfig has credentials that never expire, as between two rotations on Lambda.
func keyConfig() aws.Config {
	provider := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return key(), nil })
	return aws.Config{Region: "us-east-1", Credentials: aws.NewCredentialsCache(provider)}
}

func ways() []way {
	// The SDK's default keeps ten connections.
	larger := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = concurrency, concurrency
	})
	return []way{
		{"SDK, one at a time", 1, sdk(nil)},
		{"SDK, 64 at a time", concurrency, sdk(nil)},
		{"SDK, 64 and a larger pool", concurrency, sdk(larger)},
		{"net/http, signed by hand", concurrency, byHand},
		{"shared/callback", concurrency, func(t testing.TB, endpoint string) post {
			client, err := New(keyConfig(), endpoint, concurrency)
			if err != nil {
				t.Fatal(err)
			}
			return client.Post
		}},
	}
}

// sdk posts with the SDK's own client, with its default HTTP client when that is nil.
func sdk(httpClient aws.HTTPClient) func(t testing.TB, endpoint string) post {
	return func(_ testing.TB, endpoint string) post {
		config := keyConfig()
		config.HTTPClient = httpClient
		api := apigatewaymanagementapi.NewFromConfig(config, func(o *apigatewaymanagementapi.Options) {
			o.BaseEndpoint = &endpoint
		})
		return func(ctx context.Context, connectionID string, frame []byte) error {
			_, err := api.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{
				ConnectionId: &connectionID, Data: frame,
			})
			return err
		}
	}
}

// byHand posts with net/http alone: no retries, no errors with types, and the least of a signature that Signature
// Version 4 allows. It signs requests to one host on one day.
// Source: IAM user guide, "Create a signed AWS API request".
func byHand(t testing.TB, endpoint string) post {
	base, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	day := time.Now().UTC().Format("20060102")
	scope := day + "/us-east-1/execute-api/aws4_request"
	keyOfDay := mac([]byte("AWS4"+key().SecretAccessKey), day, "us-east-1", "execute-api", "aws4_request")
	const signed = "host;x-amz-date;x-amz-security-token"
	token, escape := key().SessionToken, strings.NewReplacer("%", "%25", "@", "%40")
	sign := func(r *http.Request, escapedPath string, body []byte) {
		date := time.Now().UTC().Format("20060102T150405Z")
		canonical := digest([]byte("POST\n" + escape.Replace(escapedPath) + "\n\nhost:" + base.Host + "\nx-amz-date:" +
			date + "\nx-amz-security-token:" + token + "\n\n" + signed + "\n" + digest(body)))
		signature := mac(keyOfDay, "AWS4-HMAC-SHA256\n"+date+"\n"+scope+"\n"+canonical)
		r.Header["X-Amz-Date"], r.Header["X-Amz-Security-Token"] = []string{date}, []string{token}
		r.Header["Authorization"] = []string{"AWS4-HMAC-SHA256 Credential=" + key().AccessKeyID + "/" + scope +
			", SignedHeaders=" + signed + ", Signature=" + hex.EncodeToString(signature)}
	}
	transport := &http.Transport{MaxIdleConns: concurrency, MaxIdleConnsPerHost: concurrency}
	return func(ctx context.Context, connectionID string, frame []byte) error {
		path := base.Path + "/@connections/" + url.QueryEscape(connectionID)
		address := base.Scheme + "://" + base.Host + path
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(frame))
		if err != nil {
			return err
		}
		sign(request, path, frame)
		response, err := (&http.Client{Transport: transport}).Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", response.StatusCode)
		}
		return nil
	}
}

// digest returns the SHA-256 of a text, in hexadecimal digits.
func digest(text []byte) string {
	sum := sha256.Sum256(text)
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

// A way that is compared has to do the whole work: what it sends is a post with a good signature.
func TestEveryWaySendsAGoodPost(t *testing.T) {
	t.Parallel()
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			arrived := make(chan string, 1)
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if sent, want := r.Header.Get("Authorization"), signatureOf(t, r, body); sent != want {
					t.Errorf("signed %q, the SDK signs %q", sent, want)
				}
				arrived <- r.URL.Path + " " + string(body)
			}))
			t.Cleanup(server.Close)
			if err := w.open(t, server.URL+"/prod")(t.Context(), numbered(7), []byte("hello")); err != nil {
				t.Fatal(err)
			}
			if got := <-arrived; got != "/prod/@connections/Bench0000000007= hello" {
				t.Errorf("posted %q", got)
			}
		})
	}
}

// signatureOf returns the header Authorization that the SDK's signer gives a request that has arrived, for the same
// time and the same headers.
func signatureOf(t *testing.T, arrived *http.Request, body []byte) string {
	t.Helper()
	address := "http://" + arrived.Host + arrived.RequestURI
	again, err := http.NewRequestWithContext(t.Context(), arrived.Method, address, nil)
	if err != nil {
		t.Error(err)
		return ""
	}
	_, signed, _ := strings.Cut(arrived.Header.Get("Authorization"), "SignedHeaders=")
	signed, _, _ = strings.Cut(signed, ",")
	for name := range strings.SplitSeq(signed, ";") {
		if name == "content-length" {
			again.ContentLength = arrived.ContentLength
		} else if name != "host" {
			again.Header[http.CanonicalHeaderKey(name)] = arrived.Header.Values(name)
		}
	}
	at, err := time.Parse("20060102T150405Z", arrived.Header.Get("X-Amz-Date"))
	if err == nil {
		err = v4.NewSigner().SignHTTP(t.Context(), key(), again, digest(body), "execute-api", "us-east-1", at)
	}
	if err != nil {
		t.Error(err)
	}
	return again.Header.Get("Authorization")
}
