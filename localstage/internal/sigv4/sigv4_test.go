package sigv4

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// These are the key, place and time of the test vectors.
const (
	testAccessKeyID = "AKIDEXAMPLE"
	testSecret      = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	testToken       = "tok/en+=="
	testRegion      = "us-east-1"
	testHost        = "abc123.execute-api.us-east-1.amazonaws.com"
	emptyHash       = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

func testTime() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) }

// keyring is a KeyFinder.
type keyring map[string]*Key

func (k keyring) FindKey(id string) (*Key, bool) {
	key, ok := k[id]
	return key, ok
}

// newTestVerifier knows two keys: AKIDEXAMPLE with the test token, and AKIDUSER,
// with the same secret and no token.
func newTestVerifier() *Verifier {
	return NewVerifier(Config{Region: testRegion, Keys: testKeys()})
}

func testKeys() keyring {
	return keyring{
		testAccessKeyID: NewKey(Credentials{
			AccessKeyID: testAccessKeyID, SecretAccessKey: testSecret, SessionToken: testToken,
		}),
		"AKIDUSER": NewKey(Credentials{AccessKeyID: "AKIDUSER", SecretAccessKey: testSecret}),
	}
}

func sdkCredentials() aws.Credentials {
	return aws.Credentials{AccessKeyID: testAccessKeyID, SecretAccessKey: testSecret, SessionToken: testToken}
}

// get returns a GET request for a raw target as a server gets it.
func get(target string) *http.Request {
	return &http.Request{Method: http.MethodGet, RequestURI: target, Host: testHost, Header: http.Header{}}
}

// arrive writes a client's request to bytes and parses it as a server does.
func arrive(t testing.TB, r *http.Request) (*http.Request, []byte) {
	t.Helper()
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		t.Fatalf("write request: %v", err)
	}
	arrived, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		t.Fatalf("read request: %v", err)
	}
	body, err := io.ReadAll(arrived.Body)
	if err != nil {
		t.Fatalf("read body: %v", err)
	}
	return arrived, body
}

// newRequest returns a client's request.
func newRequest(t testing.TB, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatalf("new request: %v", err)
	}
	return r
}

func hashOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// presign returns the URL that the SDK's signer makes, at the test time.
func presign(t testing.TB, method, url, service string) string {
	t.Helper()
	signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), sdkCredentials(), newRequest(t, method, url, ""),
		emptyHash, service, testRegion, testTime())
	if err != nil {
		t.Fatalf("presign: %v", err)
	}
	return signed
}

// verify verifies as execute-api at the test time.
func verify(v *Verifier, r *http.Request, body []byte) error {
	_, err := v.Verify(Input{Request: r, Body: body, Service: ServiceExecuteAPI, Now: testTime()})
	return err
}
