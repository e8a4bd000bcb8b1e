package awsclient

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Function is a Lambda function that another function invokes. The SDK's client would add a fifth to each cold start,
// and few requests make this call.
type Function struct {
	target url.URL
	http   *Client
}

// The ways to invoke a function. With AwaitAnswer, Lambda answers after the function. With LeaveEvent, Lambda answers
// as soon as it has the event. It invokes the function until one invocation succeeds or the configured retries are used
// up.
const (
	AwaitAnswer = "RequestResponse"
	LeaveEvent  = "Event"
)

// NewFunction returns the function that is invoked at an address. If endpoint is not empty, it replaces the address's
// scheme and host. Up to connections callers invoke the function at the same time.
func NewFunction(config aws.Config, address, endpoint string, connections int) (Function, error) {
	function, err := url.Parse(address)
	if err != nil || function.Host == "" {
		return Function{}, fmt.Errorf("%q is no address of a function's invocations", address)
	}
	at := function
	if endpoint != "" {
		if at, err = url.Parse(endpoint); err != nil || at.Host == "" {
			return Function{}, fmt.Errorf("AWS_ENDPOINT_URL_LAMBDA: %q is no address", endpoint)
		}
	}
	return Function{
		target: url.URL{Scheme: at.Scheme, Host: at.Host, Opaque: function.EscapedPath()},
		http:   New(config, "lambda", connections),
	}, nil
}

// Invoke invokes the function with an event, in one of the two ways. It returns an error if Lambda did not accept the
// event, or if the function failed with AwaitAnswer.
func (f Function) Invoke(ctx context.Context, way string, event []byte) error {
	header := http.Header{"X-Amz-Invocation-Type": {way}}
	response, err := f.http.Do(ctx, http.MethodPost, f.target, header, NewPayload(event))
	if err != nil {
		return err
	}
	want := http.StatusOK
	if way == LeaveEvent {
		want = http.StatusAccepted
	}
	if failure := response.Header.Get("X-Amz-Function-Error"); response.StatusCode != want || failure != "" {
		return fmt.Errorf("Lambda answered %d %s%s",
			response.StatusCode, response.Header.Get("X-Amzn-Errortype"), failure)
	}
	return nil
}
