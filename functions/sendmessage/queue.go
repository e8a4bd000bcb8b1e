package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/shared/awsclient"
	"signedsocket/shared/segment"
)

// acceptTime is how long Lambda may take to accept an event. A segment that it does not accept is posted by this
// invocation.
const acceptTime = 3 * time.Second

// fanoutQueue hands segments to a function: Lambda's Invoke, as an event. The SDK's client for it would be a fifth of what
// this function takes to start, for the few who have rooms so large.
type fanoutQueue struct {
	target url.URL
	http   *awsclient.Client
}

// newFanoutQueue returns a queue before the function whose invocations have an address. endpoint, unless it is empty, is
// where Lambda is instead.
func newFanoutQueue(config aws.Config, address, endpoint string) (fanoutQueue, error) {
	function, err := url.Parse(address)
	if err != nil || function.Host == "" {
		return fanoutQueue{}, errors.New("FANOUT_URL is no address")
	}
	at := function
	if endpoint != "" {
		if at, err = url.Parse(endpoint); err != nil || at.Host == "" {
			return fanoutQueue{}, errors.New("AWS_ENDPOINT_URL_LAMBDA is no address")
		}
	}
	return fanoutQueue{
		target: url.URL{Scheme: at.Scheme, Host: at.Host, Opaque: function.EscapedPath()},
		http:   awsclient.New(config, "lambda", handOvers),
	}, nil
}

// Send hands a segment over. When it returns without error, Lambda has it, and invokes the function until
// that succeeds or has failed as often as the function's configuration says. A segment that arrives twice is
// delivered twice under the same message id.
func (q fanoutQueue) Send(ctx context.Context, s segment.Segment) error {
	payload, err := s.Encode()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, acceptTime)
	defer cancel()
	header := http.Header{"X-Amz-Invocation-Type": {"Event"}}
	response, err := q.http.Do(ctx, http.MethodPost, q.target, header, awsclient.NewPayload(payload))
	if err != nil {
		return fmt.Errorf("hand over segment: %w", err)
	}
	if response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("hand over segment: Lambda answered %d %s", response.StatusCode, response.Header.Get("X-Amzn-Errortype"))
	}
	return nil
}
