package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/shared/awsclient"
	"signedsocket/shared/broadcast"
)

// acceptTime is how long Lambda may take to accept an event. A segment that it does not accept is posted by this
// invocation.
const acceptTime = 3 * time.Second

// fanoutQueue hands segments to the function fanout, as events.
type fanoutQueue struct{ fanout awsclient.Function }

func newFanoutQueue(sdk aws.Config, c config) (fanoutQueue, error) {
	fanout, err := awsclient.NewFunction(sdk, c.FanoutURL, c.LambdaEndpoint, handOvers)
	if err != nil {
		return fanoutQueue{}, fmt.Errorf("FANOUT_URL: %w", err)
	}
	return fanoutQueue{fanout}, nil
}

// Send hands a segment over. When it returns without error, Lambda has it. A segment that arrives twice is delivered
// twice under the same message id.
func (q fanoutQueue) Send(ctx context.Context, s broadcast.Segment) error {
	event, err := s.Encode()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, acceptTime)
	defer cancel()
	if err := q.fanout.Invoke(ctx, awsclient.LeaveEvent, event); err != nil {
		return fmt.Errorf("hand over segment: %w", err)
	}
	return nil
}
