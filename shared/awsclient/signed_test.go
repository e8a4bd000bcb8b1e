package awsclient_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"signedsocket/shared/awsclient"
)

var errNoKeys = errors.New("no keys")

func newClient(keys aws.CredentialsProviderFunc) *awsclient.Client {
	return awsclient.New(aws.Config{Region: "us-east-1", Credentials: keys}, "lambda", 1)
}

func keys(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example"}, nil
}

func TestRequestsAreSignedAsTheyAreSent(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{"hello", ""} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if string(body) != payload || r.RequestURI != "/a%3D" || r.Header.Get("X-Amz-A") != "1" ||
				r.ContentLength != int64(len(payload)) {
				t.Errorf("%s with %q and %v", r.RequestURI, body, r.Header)
			}
			if signed := r.Header.Get("Authorization"); !strings.Contains(signed,
				"/us-east-1/lambda/aws4_request, SignedHeaders=") || !strings.Contains(signed, ";x-amz-a;") {
				t.Errorf("signed as %s", signed)
			}
			if _, sent := r.Header["Idempotency-Key"]; sent {
				t.Error("a hint for net/http is sent")
			}
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, "an answer that the client does not read")
		}))
		t.Cleanup(server.Close)
		target, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		target.Opaque = "/a%3D"
		client := newClient(keys)
		for range 2 {
			response, err := client.Do(t.Context(), http.MethodPost, *target, http.Header{"X-Amz-A": {"1"}},
				awsclient.NewPayload([]byte(payload)))
			if err != nil || response.StatusCode != http.StatusTeapot {
				t.Errorf("%v, %v", response, err)
			}
		}
		server.Close()
		_, err = client.Do(t.Context(), http.MethodPost, *target, http.Header{}, awsclient.NewPayload(nil))
		if _, ok := errors.AsType[*smithyhttp.RequestSendError](err); !ok {
			t.Errorf("without a server: %v", err)
		}
	}
}

func TestNothingIsSentWithoutKeys(t *testing.T) {
	t.Parallel()
	client := newClient(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errNoKeys })
	if _, err := client.Do(t.Context(), http.MethodGet, url.URL{Scheme: "http", Host: "localhost:1"}, http.Header{},
		awsclient.NewPayload(nil)); !errors.Is(err, errNoKeys) {
		t.Errorf("err = %v", err)
	}
}
