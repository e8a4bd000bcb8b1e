package iamauth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"signedsocket/localstage/internal/policy"
	"signedsocket/localstage/internal/sigv4"
)

const (
	testAccount = "111122223333"
	testRegion  = "us-east-1"
	connectARN  = "arn:aws:execute-api:us-east-1:111122223333:chat/prod/$connect"
	postARN     = "arn:aws:execute-api:us-east-1:111122223333:chat/prod/POST/@connections/{connectionId}"
)

// parsePolicy returns a parsed policy document.
func parsePolicy(t testing.TB, text string) []policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatalf("parse policy: %v", err)
	}
	return []policy.Document{d}
}

// newSignURL returns the principal of a function that may connect and no more.
func newSignURL(t testing.TB) *Principal {
	return NewRolePrincipal(RoleSession{
		AccountID: testAccount, RoleName: "SignUrlRole", RoleID: "AROAEXAMPLEROLEID1234",
		FunctionName: "SignUrlFunction",
		Policies: parsePolicy(t, `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"`+connectARN+`"},
			{"Sid":"NoPosts","Effect":"Deny","Action":"execute-api:ManageConnections","Resource":"*"}]}`),
	})
}

// newAdmin returns a user that may do everything.
func newAdmin(t testing.TB) *Principal {
	return NewUserPrincipal(User{
		AccountID: testAccount, Name: "admin",
		Policies: parsePolicy(t, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`),
	})
}

func newAuthority(t testing.TB, principals ...*Principal) *Authority {
	t.Helper()
	a, err := New(Config{Region: testRegion, Principals: principals})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return a
}

func sdkCredentials(p *Principal) aws.Credentials {
	c := p.Credentials()
	return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}
}

// sdkProvider gives a principal's credentials to an SDK client.
func sdkProvider(p *Principal) aws.CredentialsProviderFunc {
	return func(context.Context) (aws.Credentials, error) { return sdkCredentials(p), nil }
}

func hashOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// signedPost returns a POST to @connections, signed by header, as a server gets it.
func signedPost(t testing.TB, p *Principal, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost,
		"http://127.0.0.1:3002/prod/@connections/L0SM9cOFvHcCIhw%3D", bytes.NewReader([]byte(body)))
	r.RequestURI = r.URL.RequestURI()
	r.Header.Set("Content-Type", "application/octet-stream")
	r.Header.Set("Amz-Sdk-Invocation-Id", "5f3f8a0c-6a5e-4d5e-9d3b-0d6f2f8f4b11")
	r.Header.Set("Amz-Sdk-Request", "attempt=1; max=3")
	err := v4.NewSigner().SignHTTP(t.Context(), sdkCredentials(p), r, hashOf(body), sigv4.ServiceExecuteAPI, testRegion,
		time.Now())
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	return r
}

// guard answers every request for action on resource as the stage's servers do: 200 to an allowed caller, a refusal to
// any other.
func guard(t testing.TB, a *Authority, service, action, resource string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read body: %v", err)
		}
		p, refusal := a.Authenticate(r, body, service)
		if refusal != nil {
			refusal.WriteTo(w)
			return
		}
		if d := p.Allows(policy.Request{Action: action, Resource: resource}); !d.Allowed() {
			Denied(p, action, resource, d).WriteTo(w)
		}
	}))
	t.Cleanup(server.Close)
	return server
}
