package awsclient

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Function is a Lambda function that another function invokes. The SDK's client for it would add a fifth to each cold
// start, for a call that few requests make.
type Function struct {
	target url.URL
	http   *Client
}

// The ways to invoke a function: Lambda answers when the function has, or as soon as it has the event. Then it invokes
// the function until that succeeds or has failed as often as the function's configuration says.
const (
	AwaitAnswer = "RequestResponse"
	LeaveEvent  = "Event"
)

// NewFunction returns the function whose invocations have an address. endpoint, unless it is empty, is where Lambda is
// instead. It is invoked by up to connections callers at the same time.
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

// Invoke invokes the function with an event, in one of the two ways. The error says that Lambda has not accepted the
// event, or that the function has failed while its answer was awaited.
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
