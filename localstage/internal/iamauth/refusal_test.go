package iamauth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"signedsocket/localstage/internal/policy"
	"signedsocket/localstage/internal/sigv4"
)

const (
	uuidForm      = `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`
	gatewayIDForm = `^[A-Za-z0-9_-]{15}=$`
)

// unexpected returns the refusal for an error that is none of package sigv4.
func unexpected() *Refusal {
	return unauthenticated(errors.New("not of package sigv4"), sigv4.ServiceExecuteAPI)
}

func TestWriteTo(t *testing.T) {
	t.Parallel()
	p := newSignURL(t)
	const user = "User: arn:aws:sts::111122223333:assumed-role/SignUrlRole/SignUrlFunction is not authorized to " +
		"perform: "
	var implicit, explicit policy.Decision
	explicit.Effect = policy.ExplicitDeny
	unsigned := func(service string) *Refusal {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		_, refusal := newAuthority(t, p).Authenticate(r, nil, service)
		return refusal
	}
	for name, tt := range map[string]struct {
		refusal *Refusal
		status  int
		body    string
		header  map[string]string // patterns; "" for a header that must be absent
	}{
		"unsigned": {
			unsigned(sigv4.ServiceExecuteAPI), 403, `{"message":"Missing Authentication Token"}`,
			map[string]string{
				"x-amzn-ErrorType": "^MissingAuthenticationTokenException$", "x-amzn-RequestId": uuidForm,
				"x-amz-apigw-id": gatewayIDForm, "Content-Type": "^application/json$", "Content-Length": "^42$",
			},
		},
		"denied connect": {
			Denied(p, "execute-api:Invoke", connectARN, implicit), 403,
			`{"Message":"` + user + `execute-api:Invoke on resource: ` +
				`arn:aws:execute-api:us-east-1:********3333:chat/prod/$connect because no identity-based policy ` +
				`allows the execute-api:Invoke action"}`,
			map[string]string{
				"x-amzn-ErrorType": "^AccessDeniedException$", "x-amzn-RequestId": uuidForm,
				"x-amz-apigw-id": gatewayIDForm,
			},
		},
		"denied callback": {
			Denied(p, "execute-api:ManageConnections", postARN, explicit), 403,
			`{"Message":"` + user + `execute-api:ManageConnections on resource: ` +
				`arn:aws:execute-api:us-east-1:********3333:chat/prod/POST/@connections/{connectionId} with an ` +
				`explicit deny in an identity-based policy"}`,
			map[string]string{"x-amzn-ErrorType": "^AccessDeniedException$"},
		},
		"denied in Lambda": {
			Denied(p, "lambda:InvokeFunction", "arn:aws:lambda:us-east-1:111122223333:function:Reaper", implicit), 403,
			`{"Message":"` + user + `lambda:InvokeFunction on resource: ` +
				`arn:aws:lambda:us-east-1:111122223333:function:Reaper because no identity-based policy allows the ` +
				`lambda:InvokeFunction action"}`,
			map[string]string{
				"x-amzn-ErrorType": "^AccessDeniedException$", "x-amzn-RequestId": uuidForm, "x-amz-apigw-id": "",
			},
		},
		"an unknown error": {
			unexpected(), 403, `{"message":"Forbidden"}`,
			map[string]string{"x-amzn-ErrorType": "^ForbiddenException$", "x-amz-apigw-id": gatewayIDForm},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			tt.refusal.WriteTo(w)
			if w.Code != tt.status || w.Body.String() != tt.body {
				t.Errorf("answer is %d %s, want %d %s", w.Code, w.Body, tt.status, tt.body)
			}
			header := http.Header{} // in the letter case that a client sees
			for name, values := range w.Header() {
				header[http.CanonicalHeaderKey(name)] = values
			}
			for name, pattern := range tt.header {
				got := header.Get(name)
				if pattern == "" && got != "" || !regexp.MustCompile(pattern).MatchString(got) {
					t.Errorf("%s is %q, want %q", name, got, pattern)
				}
			}
			if got := w.Header().Get("Content-Length"); got != strconv.Itoa(len(tt.body)) {
				t.Errorf("Content-Length is %s, want %d", got, len(tt.body))
			}
		})
	}
}

func TestWriteToKeepsARequestID(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	w.Header().Set("x-amzn-RequestId", "known")
	unexpected().WriteTo(w)
	if got := w.Header().Get("x-amzn-RequestId"); got != "known" {
		t.Errorf("x-amzn-RequestId is %q, want the one that was set", got)
	}
}

func TestMessageIsWrittenAsAWSWritesIt(t *testing.T) {
	t.Parallel()
	p := newAdmin(t)
	r := signedPost(t, p, "hello")
	r.RequestURI += "?a=1&b=<2>"
	_, refusal := newAuthority(t, p).Authenticate(r, []byte("hello"), sigv4.ServiceExecuteAPI)
	if refusal == nil {
		t.Fatal("Authenticate accepted a changed request")
	}
	w := httptest.NewRecorder()
	refusal.WriteTo(w)
	const want = `Consult the service documentation for details.\n\nThe Canonical String for this request should ` +
		`have been\n'POST\n/prod/%40connections/L0SM9cOFvHcCIhw%253D\na=1&b=%3C2%3E\n`
	if !strings.Contains(w.Body.String(), want) {
		t.Errorf("body is %s, want it to contain %s", w.Body, want)
	}
}

func TestMaskAccount(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		connectARN:                  "arn:aws:execute-api:us-east-1:********3333:chat/prod/$connect",
		"arn:aws:execute-api:r::x":  "arn:aws:execute-api:r::x",
		"*":                         "*",
		"arn:aws:execute-api:r:123": "arn:aws:execute-api:r:123",
	} {
		if got := maskAccount(in); got != want {
			t.Errorf("maskAccount(%q) = %q, want %q", in, got, want)
		}
	}
}

// The SDK's own clients sign, and must understand every answer.
func TestManagementAPIClient(t *testing.T) {
	t.Parallel()
	signURL, admin, stranger := newSignURL(t), newAdmin(t), newAdmin(t)
	authority := newAuthority(t, signURL, admin)
	server := guard(t, authority, sigv4.ServiceExecuteAPI, "execute-api:ManageConnections", postARN)
	for name, tt := range map[string]struct {
		principal *Principal
		code      string
	}{
		"allowed":     {admin, ""},
		"not allowed": {signURL, "AccessDeniedException"},
		"unknown key": {stranger, "UnrecognizedClientException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
				Region: testRegion, Credentials: sdkProvider(tt.principal),
				BaseEndpoint: aws.String(server.URL + "/prod"),
			})
			_, err := client.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{
				ConnectionId: aws.String("L0SM9cOFvHcCIhw="), Data: []byte("hello"),
			})
			checkAPIError(t, err, tt.code, http.StatusForbidden)
		})
	}
}

// checkAPIError checks the code and status of the error of an SDK call. An empty code stands for no error.
func checkAPIError(t *testing.T, err error, code string, status int) {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Errorf("call: %v", err)
		}
		return
	}
	var apiError smithy.APIError
	if !errors.As(err, &apiError) || apiError.ErrorCode() != code || apiError.ErrorMessage() == "" {
		t.Errorf("call = %v, want %s with a message", err, code)
	}
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != status {
		t.Errorf("call = %v, want status %d", err, status)
	}
}

func TestForbiddenIsTypedForTheSDK(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		unexpected().WriteTo(w)
	}))
	t.Cleanup(server.Close)
	client := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		Region: testRegion, Credentials: sdkProvider(newAdmin(t)), BaseEndpoint: aws.String(server.URL),
	})
	_, err := client.DeleteConnection(t.Context(),
		&apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: aws.String("x=")})
	var forbidden *types.ForbiddenException
	if !errors.As(err, &forbidden) {
		t.Errorf("DeleteConnection = %v, want a ForbiddenException", err)
	}
}
