package grant

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/aws-http-auth/credentials"
	"github.com/aws/smithy-go/aws-http-auth/sigv4"
	httpauth "github.com/aws/smithy-go/aws-http-auth/v4"
	"github.com/google/go-cmp/cmp"
)

const (
	accessKeyID     = "AKIDEXAMPLE"
	secretAccessKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	endpoint        = "wss://abc123.execute-api.us-east-1.amazonaws.com/prod"
	region          = "us-east-1"
)

func static(token string) aws.CredentialsProviderFunc {
	return func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: accessKeyID, SecretAccessKey: secretAccessKey, SessionToken: token}, nil
	}
}

func presign(t *testing.T, endpoint, token string) *url.URL {
	t.Helper()
	presigner, err := NewPresigner(endpoint, region, static(token))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := presigner.Presign(t.Context(), full())
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := url.Parse(signed.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestPresignedURLCarriesTheGrantAndTheSignature(t *testing.T) {
	t.Parallel()
	signed := presign(t, endpoint, "tok/en+==")
	if signed.Scheme != "wss" || signed.Host != "abc123.execute-api.us-east-1.amazonaws.com" || signed.Path != "/prod" {
		t.Errorf("the URL leads to %s://%s%s", signed.Scheme, signed.Host, signed.Path)
	}
	query := signed.Query()
	granted, err := Parse(query)
	if diff := cmp.Diff(full(), granted); err != nil || diff != "" {
		t.Errorf("the grant in the URL, %v (-want +got):\n%s", err, diff)
	}
	for name, want := range map[string]string{
		"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Date": "20261122T060000Z", "X-Amz-Expires": "10",
		"X-Amz-SignedHeaders":  "host",
		"X-Amz-Credential":     "AKIDEXAMPLE/20261122/us-east-1/execute-api/aws4_request",
		"X-Amz-Security-Token": "tok/en+==",
	} {
		if got := query[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s = %q, want %q once", name, got, want)
		}
	}
	if len(query.Get("X-Amz-Signature")) != 64 {
		t.Error("no signature")
	}
}

// The signature must cover the request as it is sent. So an independent signer has to arrive at the same one from the
// sent URL alone.
func TestSignatureEqualsThatOfAnIndependentSigner(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{
		endpoint, endpoint + "/", "ws://127.0.0.1:3002/prod",
		"wss://abc123.execute-api.us-east-1.amazonaws.com/$default",
	} {
		t.Run(endpoint, func(t *testing.T) {
			t.Parallel()
			signed := presign(t, endpoint, "tok/en+==")
			query := signed.Query()
			signature := query.Get("X-Amz-Signature")
			for _, name := range []string{
				"X-Amz-Signature", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date",
				"X-Amz-SignedHeaders", "X-Amz-Security-Token",
			} {
				query.Del(name)
			}
			request := &http.Request{Method: http.MethodGet, Host: signed.Host, Header: http.Header{}, URL: &url.URL{
				Scheme: "https", Host: signed.Host, Path: signed.Path, RawPath: signed.RawPath,
				RawQuery: query.Encode(),
			}}
			nothing := sha256.Sum256(nil)
			err := sigv4.New().SignRequest(&sigv4.SignRequestInput{
				Request: request,
				Credentials: credentials.Credentials{AccessKeyID: accessKeyID, SecretAccessKey: secretAccessKey,
					SessionToken: "tok/en+=="},
				Service: "execute-api", Region: region, Time: epoch, SignatureType: httpauth.SignatureTypeQueryString,
				PayloadHash: nothing[:],
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := request.URL.Query().Get("X-Amz-Signature"); got != signature {
				t.Errorf("our signature %s, independent one %q", signature, got)
			}
		})
	}
}

// API Gateway refuses URLs longer than 4096 characters; role credentials take most of that.
func TestURLIsShortEnoughWithALongSessionToken(t *testing.T) {
	t.Parallel()
	presigner, err := NewPresigner(endpoint, region, static(strings.Repeat("tok/en+=", 125)))
	if err != nil {
		t.Fatal(err)
	}
	grant := full()
	grant.Subject, grant.Name = strings.Repeat("s", 64), strings.Repeat("n", MaxNameBytes)
	grant.Rooms = nil
	for i := range MaxRooms {
		grant.Rooms = append(grant.Rooms, strings.Repeat(string(rune('a'+i)), 32))
	}
	grant.ReadOnly = grant.Rooms
	signed, err := presigner.Presign(t.Context(), grant)
	if err != nil {
		t.Fatal(err)
	}
	if length := len(signed.Reveal()); length > 3500 {
		t.Errorf("URL has %d characters, want at most 3500", length)
	}
}

func TestURLHidesItself(t *testing.T) {
	t.Parallel()
	signed := URL{value: "wss://secret"}
	wrapped := struct {
		Signed  URL
		Pointer *URL
	}{signed, &signed}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{signed, wrapped, []URL{signed}} {
			if out := fmt.Sprintf(verb, value); strings.Contains(out, "secret") ||
				strings.Contains(out, "736563726574") {
				t.Errorf("%s prints %q", verb, out)
			}
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "url", signed, "wrapped", wrapped)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "url", signed, "wrapped", wrapped)
	encoded, err := json.Marshal(wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if out := log.String() + string(encoded) + signed.String(); strings.Contains(out, "secret") {
		t.Errorf("logged as %q", out)
	}
}

func TestNewPresignerRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, endpoint, region string }{
		{"no URL", "", region},
		{"another scheme", "https://host/prod", region},
		{"no host", "wss:///prod", region},
		{"a query", "wss://host/prod?a=b", region},
		{"a password", "wss://user:password@host/prod", region},
		{"an unreadable URL", "wss://host/%zz", region},
		{"no region", endpoint, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := NewPresigner(test.endpoint, test.region, static("")); err == nil ||
				strings.Contains(err.Error(), "password@") {
				t.Errorf("err = %v", err)
			}
		})
	}
	if _, err := NewPresigner(endpoint, region, nil); err == nil {
		t.Error("a presigner without credentials")
	}
}

func TestPresignFailsWithoutCredentials(t *testing.T) {
	t.Parallel()
	broken := errors.New("no chain")
	for name, provider := range map[string]aws.CredentialsProviderFunc{
		"an error": func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, broken },
		"empty keys": func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{Expires: time.Now()}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			presigner, err := NewPresigner(endpoint, region, provider)
			if err != nil {
				t.Fatal(err)
			}
			if signed, err := presigner.Presign(t.Context(), full()); err == nil || signed.Reveal() != "" {
				t.Errorf("Presign = %q, %v", signed.Reveal(), err)
			}
		})
	}
}
