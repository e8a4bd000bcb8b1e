package lambdaapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/restjson"

	"signedsocket/localstage/internal/lambda"
)

func TestRequestResponse(t *testing.T) {
	t.Parallel()
	f := serve(t, nil, Function{ARN: echoARN, Invoker: invokerFunc(echo)},
		Function{ARN: reaperARN, Invoker: fails(`{"errorMessage":"no","errorType":"errorString"}`)})
	for name, tt := range map[string]struct {
		request request
		body    string
		failed  string // X-Amz-Function-Error
	}{
		"name":                {request{name: "Echo", body: `{"user":"alice"}`}, `{"user":"alice"}`, ""},
		"name with qualifier": {request{name: "Echo:$LATEST", body: `1`}, `1`, ""},
		"query qualifier":     {request{name: "Echo", query: "?Qualifier=%24LATEST", body: `1`}, `1`, ""},
		"both qualifiers":     {request{name: "Echo:$LATEST", query: "?Qualifier=%24LATEST", body: `1`}, `1`, ""},
		"ARN":                 {request{name: echoARN, body: `[]`}, `[]`, ""},
		"qualified ARN":       {request{name: echoARN + ":$LATEST", body: `[]`}, `[]`, ""},
		"partial ARN":         {request{name: testAccount + ":function:Echo", body: `"x"`}, `"x"`, ""},
		"partial with Region": {
			request{name: testRegion + ":" + testAccount + ":function:Echo", body: `"x"`}, `"x"`, "",
		},
		"named type": {request{
			name:   "Echo",
			header: map[string]string{"X-Amz-Invocation-Type": "RequestResponse", "X-Amz-Log-Type": "None"}, body: `{}`,
		}, `{}`, ""},
		"no event": {request{name: "Echo"}, `{}`, ""},
		"failed function": {
			request{name: "Reaper", body: `{}`}, `{"errorMessage":"no","errorType":"errorString"}`, "Unhandled",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.request.signer = f.admin
			got := f.send(t, tt.request)
			if got.status != http.StatusOK || got.body != tt.body {
				t.Errorf("answer is %d %s, want 200 %s", got.status, got.body, tt.body)
			}
			for header, want := range map[string]string{
				"X-Amz-Executed-Version": "$LATEST", "X-Amz-Function-Error": tt.failed,
				"Content-Type": "application/json", "Content-Length": strconv.Itoa(len(tt.body)),
				"X-Amz-Log-Result": "",
			} {
				if value := got.header.Get(header); value != want {
					t.Errorf("%s is %q, want %q", header, value, want)
				}
			}
			if id := got.header.Get(headerRequestID); !regexp.MustCompile(uuidForm).MatchString(id) {
				t.Errorf("%s is %q, want a UUID", headerRequestID, id)
			}
		})
	}
}

func TestErrorsAreThoseOfTheService(t *testing.T) {
	t.Parallel()
	busy := func(context.Context, []byte) ([]byte, error) { return nil, lambda.ErrThrottled }
	broken := func(context.Context, []byte) ([]byte, error) { return nil, errors.New("the disk is full") }
	f := serve(t, nil,
		Function{ARN: echoARN, Invoker: invokerFunc(echo)},
		Function{ARN: echoARN + "Busy", Invoker: invokerFunc(busy)},
		Function{ARN: echoARN + "Reserved", Invoker: invokerFunc(busy), Reserved: true},
		Function{ARN: echoARN + "Broken", Invoker: invokerFunc(broken)},
	)
	tooMuch := `"` + strings.Repeat("x", maxEvent) + `"`
	event := map[string]string{"X-Amz-Invocation-Type": "Event"}
	for name, tt := range map[string]struct {
		request request
		status  int
		code    string
		body    string // the whole body, or its beginning
	}{
		"throttled": {
			request{name: "EchoBusy", body: `{}`}, 429, "TooManyRequestsException",
			`{"Reason":"ConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}`,
		},
		"throttled by its own limit": {
			request{name: "EchoReserved", body: `{}`}, 429, "TooManyRequestsException",
			`{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}`,
		},
		"no such function": {
			request{name: "Ghost", body: `{}`}, 404, "ResourceNotFoundException",
			`{"Type":"User","Message":"Function not found: arn:aws:lambda:us-east-1:111122223333:function:Ghost"}`,
		},
		"no such version": {
			request{name: "Echo:7", body: `{}`}, 404, "ResourceNotFoundException",
			`{"Type":"User","Message":"Function not found: ` + echoARN + `:7"}`,
		},
		"no such alias": {
			request{name: "Echo", query: "?Qualifier=live", body: `{}`}, 404, "ResourceNotFoundException",
			`{"Type":"User","Message":"Function not found: ` + echoARN + `:live"}`,
		},
		"another account": {
			request{name: "444455556666:function:Echo", body: `{}`}, 404, "ResourceNotFoundException",
			`{"Type":"User","Message":"Function not found: arn:aws:lambda:us-east-1:444455556666:function:Echo"}`,
		},
		"another Region": {
			request{name: "arn:aws:lambda:eu-west-3:111122223333:function:Echo", body: `{}`}, 404,
			"ResourceNotFoundException",
			`{"Type":"User","Message":"Functions from 'eu-west-3' are not reachable in this region ('us-east-1')"}`,
		},
		"another partition": {
			request{name: "arn:aws-cn:lambda:us-east-1:111122223333:function:Echo", body: `{}`}, 404,
			"ResourceNotFoundException", `{"Type":"User",`,
		},
		"two qualifiers": {
			request{name: "Echo:$LATEST", query: "?Qualifier=1", body: `{}`}, 400, "InvalidParameterValueException",
			`{"Type":"User",` +
				`"message":"The derived qualifier from the function name does not match the specified qualifier."}`,
		},
		"no name at all": {
			request{name: "a/b c", body: `{}`}, 400, "ValidationException",
			`{"message":"1 validation error detected: Value 'a/b c' at 'functionName' failed to satisfy constraint: ` +
				`Member must satisfy regular expression pattern: `,
		},
		"invocation type": {
			request{name: "Echo", header: map[string]string{"X-Amz-Invocation-Type": "event"}, body: `{}`}, 400,
			"ValidationException",
			`{"message":"1 validation error detected: Value 'event' at 'invocationType' failed to satisfy ` +
				`constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]"}`,
		},
		"not JSON": {
			request{name: "Echo", body: `hello`}, 400, "InvalidRequestContentException",
			`{"Type":"User","message":"Could not parse request body into json: Could not parse payload into json: `,
		},
		"not UTF-8": {
			request{name: "Echo", body: "\"\xff\""}, 400, "InvalidRequestContentException",
			`{"Type":"User","message":"Could not parse`,
		},
		"event not JSON": {
			request{name: "Echo", header: event, body: `{`}, 400, "InvalidRequestContentException",
			`{"Type":"User","message":"Could not parse`,
		},
		"too large": {
			request{name: "Echo", body: tooMuch}, 413, "RequestEntityTooLargeException",
			`{"Type":"User","message":"Request must be smaller than 6291456 bytes for the InvokeFunction operation"}`,
		},
		"event too large": {
			request{name: "Echo", header: event, body: tooMuch[:maxAsyncEvent] + `"`}, 413,
			"RequestEntityTooLargeException",
			`{"Type":"User",` +
				`"message":"1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"}`,
		},
		"log tail": {
			request{name: "Echo", header: map[string]string{"X-Amz-Log-Type": "Tail"}, body: `{}`}, 400,
			"InvalidParameterValueException",
			`{"Type":"User","message":"The local stage returns no log tail (X-Amz-Log-Type: Tail)`,
		},
		"log type": {
			request{name: "Echo", header: map[string]string{"X-Amz-Log-Type": "Head"}, body: `{}`}, 400,
			"ValidationException", `{"message":"1 validation error`,
		},
		"client context": {
			request{name: "Echo", header: map[string]string{"X-Amz-Client-Context": "e30="}, body: `{}`}, 400,
			"InvalidParameterValueException",
			`{"Type":"User","message":"The local stage does not support the header X-Amz-Client-Context`,
		},
		"the stage fails": {
			request{name: "EchoBroken", body: `{}`}, 500, "ServiceException",
			`{"Type":"Service","Message":"the disk is full"}`,
		},
		"another operation": {
			request{path: "/2015-03-31/functions/Echo", body: `{}`}, 404, "UnknownOperationException",
			`{"Type":"User","message":"The local stage has one operation`,
		},
		"another method": {
			request{method: http.MethodPut, name: "Echo", body: `{}`}, 404, "UnknownOperationException",
			`{"Type":"User",`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.request.signer = f.admin
			got := f.send(t, tt.request)
			checkError(t, got, tt.status, tt.code)
			if !strings.HasPrefix(got.body, tt.body) {
				t.Errorf("body is %s, want %s", got.body, tt.body)
			}
		})
	}
}

// checkError checks that the SDKs read an error as code.
func checkError(t *testing.T, got answer, status int, code string) {
	t.Helper()
	if got.status != status || got.header.Get("X-Amzn-Errortype") != code {
		t.Errorf("answer is %d %s, want %d %s", got.status, got.header.Get("X-Amzn-Errortype"), status, code)
	}
	if _, message, err := restjson.GetErrorInfo(json.NewDecoder(strings.NewReader(got.body))); err != nil ||
		message == "" {
		t.Errorf("the SDK reads message %q, error %v from %s", message, err, got.body)
	}
	if id := got.header.Get(headerRequestID); !regexp.MustCompile(uuidForm).MatchString(id) {
		t.Errorf("%s is %q, want a UUID", headerRequestID, id)
	}
}

func TestOnlyAllowedCallersInvoke(t *testing.T) {
	t.Parallel()
	invoked := make(chan string, 1)
	record := func(_ context.Context, event []byte) ([]byte, error) {
		invoked <- string(event)
		return event, nil
	}
	f := serve(t, nil, Function{ARN: echoARN, Invoker: invokerFunc(record)},
		Function{ARN: reaperARN, Invoker: invokerFunc(echo)})
	stranger := newPrincipal(t, "stranger", `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	for name, tt := range map[string]struct {
		request request
		status  int
		code    string
	}{
		"unsigned": {request{name: "Echo"}, 403, "MissingAuthenticationTokenException"},
		"unsigned dry run": {
			request{name: "Echo", header: map[string]string{"X-Amz-Invocation-Type": "DryRun"}},
			403,
			"MissingAuthenticationTokenException",
		},
		"unsigned event": {
			request{name: "Echo", header: map[string]string{"X-Amz-Invocation-Type": "Event"}},
			403,
			"MissingAuthenticationTokenException",
		},
		"unsigned nonsense": {request{name: "a b"}, 403, "MissingAuthenticationTokenException"},
		"a stranger": {
			request{name: "Echo", signer: stranger}, 403, "UnrecognizedClientException",
		},
		"without permission": {request{name: "Echo", signer: f.operator}, 403, "AccessDeniedException"},
		"dry run without permission": {
			request{name: "Echo", signer: f.operator, header: map[string]string{"X-Amz-Invocation-Type": "DryRun"}},
			403,
			"AccessDeniedException",
		},
		"event without permission": {
			request{name: "Echo", signer: f.operator, header: map[string]string{"X-Amz-Invocation-Type": "Event"}},
			403,
			"AccessDeniedException",
		},
		"is it there? without permission": {request{name: "Ghost", signer: f.operator}, 403, "AccessDeniedException"},
		"qualified, permitted without": {
			request{name: "Reaper:$LATEST", signer: f.operator}, 403, "AccessDeniedException",
		},
		"permitted":        {request{name: "Reaper", signer: f.operator}, 200, ""},
		"permitted by ARN": {request{name: reaperARN, signer: f.operator}, 200, ""},
		"permitted dry run": {
			request{name: "Reaper", signer: f.operator, header: map[string]string{"X-Amz-Invocation-Type": "DryRun"}},
			204,
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := f.send(t, tt.request)
			if got.status != tt.status || got.header.Get("X-Amzn-Errortype") != tt.code {
				t.Errorf("answer is %d %s %s, want %d %s", got.status, got.header.Get("X-Amzn-Errortype"), got.body,
					tt.status, tt.code)
			}
		})
	}
	t.Cleanup(func() {
		f.api.Close() // an event that was queued by mistake has run by then
		select {
		case event := <-invoked:
			t.Errorf("Echo was invoked with %s", event)
		default:
		}
	})
}

func TestAChangedBodyIsRefused(t *testing.T) {
	t.Parallel()
	f := serve(t, nil, Function{ARN: echoARN, Invoker: invokerFunc(echo)})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+"/2015-03-31/functions/Echo/invocations",
		strings.NewReader(`{"a":2}`))
	if err != nil {
		t.Fatal(err)
	}
	sign(t, r, f.admin, `{"a":1}`)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if code := response.Header.Get("X-Amzn-Errortype"); code != "InvalidSignatureException" {
		t.Errorf("answer is %d %s, want an InvalidSignatureException", response.StatusCode, code)
	}
}

func TestACallerThatHangsUpEndsTheWait(t *testing.T) {
	t.Parallel()
	started, ended := make(chan struct{}), make(chan error, 1)
	f := serve(t, nil, Function{ARN: echoARN, Invoker: invokerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		close(started)
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	})})
	ctx, hangUp := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url+"/2015-03-31/functions/Echo/invocations",
		strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	sign(t, r, f.admin, `{}`)
	go func() {
		<-started
		hangUp()
	}()
	if response, err := http.DefaultClient.Do(r); err == nil {
		response.Body.Close()
		t.Errorf("the call was answered with %d", response.StatusCode)
	}
	if err := receive(t, ended); !errors.Is(err, context.Canceled) {
		t.Errorf("the wait ended with %v, want %v", err, context.Canceled)
	}
}
