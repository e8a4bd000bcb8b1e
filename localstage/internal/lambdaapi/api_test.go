package lambdaapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"go.uber.org/goleak"

	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/internal/clock"
	"signedsocket/localstage/internal/iamauth"
	"signedsocket/localstage/internal/lambda"
	"signedsocket/localstage/internal/policy"
	"signedsocket/localstage/internal/sigv4"
)

const (
	testRegion  = "us-east-1"
	testAccount = "111122223333"
	echoARN     = "arn:aws:lambda:us-east-1:111122223333:function:Echo"
	reaperARN   = "arn:aws:lambda:us-east-1:111122223333:function:Reaper"

	uuidForm = `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`
)

// The stage's types fit the interfaces.
var (
	_ Invoker = (*lambda.Function)(nil)
	_ Refusal = (*iamauth.Refusal)(nil)
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type invokerFunc func(ctx context.Context, event []byte) ([]byte, error)

func (f invokerFunc) Invoke(ctx context.Context, event []byte) ([]byte, error) { return f(ctx, event) }

// echo answers every event with itself.
func echo(_ context.Context, event []byte) ([]byte, error) { return event, nil }

// fails is a function that always fails with a payload.
func fails(payload string) invokerFunc {
	return func(context.Context, []byte) ([]byte, error) { return nil, functionFailure(payload) }
}

func functionFailure(payload string) error {
	return &lambda.FunctionError{Function: "Reaper", RequestID: "r", Type: "errorString", Payload: []byte(payload)}
}

// judge adapts an iamauth.Authority as the stage does.
type judge struct{ authority *iamauth.Authority }

func (j judge) Authorize(r *http.Request, body []byte, action, resource string) Refusal {
	p, refusal := j.authority.Authenticate(r, body, sigv4.ServiceLambda)
	if refusal != nil {
		return refusal
	}
	if d := p.Allows(policy.Request{Action: action, Resource: resource}); !d.Allowed() {
		return iamauth.Denied(p, action, resource, d)
	}
	return nil
}

// fixture is an API that is served, with two principals.
type fixture struct {
	api      *API
	url      string
	admin    *iamauth.Principal // may do everything
	operator *iamauth.Principal // may invoke Reaper, unqualified
}

func newPrincipal(t testing.TB, name, statement string) *iamauth.Principal {
	t.Helper()
	d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":` + statement + `}`))
	if err != nil {
		t.Fatalf("parse policy: %v", err)
	}
	return iamauth.NewUserPrincipal(iamauth.User{AccountID: testAccount, Name: name, Policies: []policy.Document{d}})
}

// serve serves an API with functions. A nil clock is the machine's.
func serve(t *testing.T, on clock.Clock, functions ...Function) *fixture {
	t.Helper()
	f := &fixture{
		admin: newPrincipal(t, "admin", `{"Effect":"Allow","Action":"*","Resource":"*"}`),
		operator: newPrincipal(t, "operator",
			`{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"`+reaperARN+`"}`),
	}
	authority, err := iamauth.New(iamauth.Config{
		Region: testRegion, Principals: []*iamauth.Principal{f.admin, f.operator},
	})
	if err != nil {
		t.Fatalf("new authority: %v", err)
	}
	f.api, err = New(Config{
		Region: testRegion, AccountID: testAccount, Functions: functions, Authorizer: judge{authority}, Clock: on,
		Now: func() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 5e6, time.UTC) },
	})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(f.api.Close)
	server := httptest.NewServer(f.api)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// request is one Invoke, as the SDK for Go sends it.
type request struct {
	method string // default POST
	path   string // default the one of Invoke
	name   string // of the function
	query  string
	header map[string]string
	body   string
	signer *iamauth.Principal // nil: not signed
}

// answer is the answer to a request.
type answer struct {
	status int
	header http.Header
	body   string
}

func (f *fixture) send(t *testing.T, q request) answer {
	t.Helper()
	if q.method == "" {
		q.method = http.MethodPost
	}
	if q.path == "" {
		// The SDK escapes every character of a name except letters, digits and -._~.
		q.path = "/2015-03-31/functions/" +
			strings.NewReplacer(":", "%3A", "$", "%24", "/", "%2F", " ", "%20").Replace(q.name) + "/invocations"
	}
	r, err := http.NewRequestWithContext(t.Context(), q.method, f.url+q.path+q.query, bytes.NewReader([]byte(q.body)))
	if err != nil {
		t.Fatalf("new request: %v", err)
	}
	r.Header.Set("Content-Type", "application/octet-stream")
	r.Header.Set("Amz-Sdk-Invocation-Id", "5f3f8a0c-6a5e-4d5e-9d3b-0d6f2f8f4b11")
	r.Header.Set("Amz-Sdk-Request", "attempt=1; max=3")
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	if q.signer != nil {
		sign(t, r, q.signer, q.body)
	}
	response, body := clienttest.Fetch(t, http.DefaultClient.Do, r)
	return answer{response.StatusCode, response.Header, body}
}

func sign(t *testing.T, r *http.Request, p *iamauth.Principal, body string) {
	t.Helper()
	c := p.Credentials()
	credentials := aws.Credentials{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
	}
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]), "lambda", testRegion,
		time.Now()); err != nil {
		t.Fatalf("sign: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	echoes := Function{ARN: echoARN, Invoker: invokerFunc(echo)}
	for name, tt := range map[string]struct {
		functions []Function
		want      string
	}{
		"a qualified ARN": {
			[]Function{{ARN: echoARN + ":$LATEST", Invoker: invokerFunc(echo)}}, "its ARN must be",
		},
		"a name for the ARN": {[]Function{{ARN: "Echo", Invoker: invokerFunc(echo)}}, "its ARN must be"},
		"no Invoker":         {[]Function{{ARN: echoARN}}, "Invoker is required"},
		"a function twice":   {[]Function{echoes, echoes}, "given twice"},
		"more retries than AWS": {[]Function{
			{ARN: echoARN, Invoker: invokerFunc(echo), Event: EventInvokeConfig{MaximumRetryAttempts: new(3)}},
		}, "must be 0 to 2"},
		"a shorter age than AWS'": {[]Function{
			{ARN: echoARN, Invoker: invokerFunc(echo), Event: EventInvokeConfig{MaximumEventAge: time.Second}},
		}, "must be 1m0s to 6h0m0s"},
	} {
		_, err := New(Config{Region: testRegion, AccountID: testAccount, Authorizer: judge{}, Functions: tt.functions})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: New = %v, want %q", name, err, tt.want)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("New accepted an empty configuration")
	}
}
