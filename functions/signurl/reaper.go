package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/go-json-experiment/json"

	"signedsocket/shared/awsclient"
)

// reaperFunction is the function reaper, invoked through Lambda's Invoke. The SDK's client for it would add a fifth to
// each cold start of this function, for a call that few requests make.
type reaperFunction struct {
	target url.URL
	http   *awsclient.Client
}

// newReaperFunction returns the function whose invocations have an address. endpoint, unless it is empty, is where
// Lambda is instead.
func newReaperFunction(config aws.Config, address, endpoint string) (reaperFunction, error) {
	function, err := url.Parse(address)
	if err != nil || function.Host == "" {
		return reaperFunction{}, errors.New("REAPER_URL is no address")
	}
	at := function
	if endpoint != "" {
		if at, err = url.Parse(endpoint); err != nil || at.Host == "" {
			return reaperFunction{}, errors.New("AWS_ENDPOINT_URL_LAMBDA is no address")
		}
	}
	return reaperFunction{
		target: url.URL{Scheme: at.Scheme, Host: at.Host, Opaque: function.EscapedPath()},
		http:   awsclient.New(config, "lambda", 1),
	}, nil
}

// SignOut has the reaper end a sign-in, and returns after it has. The order may be given twice.
func (r reaperFunction) SignOut(ctx context.Context, order signOut) error {
	payload, err := json.Marshal(map[string]signOut{"signOut": order})
	if err != nil {
		return fmt.Errorf("encode order: %w", err)
	}
	header := http.Header{"X-Amz-Invocation-Type": {"RequestResponse"}}
	response, err := r.http.Do(ctx, http.MethodPost, r.target, header, awsclient.NewPayload(payload))
	if err != nil {
		return fmt.Errorf("invoke reaper: %w", err)
	}
	if failure := response.Header.Get("X-Amz-Function-Error"); response.StatusCode != http.StatusOK || failure != "" {
		return fmt.Errorf("invoke reaper: Lambda answered %d %s%s",
			response.StatusCode, response.Header.Get("X-Amzn-Errortype"), failure)
	}
	return nil
}
