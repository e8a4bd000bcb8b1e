package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/go-json-experiment/json"

	"signedsocket/shared/awsclient"
)

// reaperFunction is the function reaper, which is invoked.
type reaperFunction struct{ awsclient.Function }

// newReaper returns the function reaper, or nil in a mode without it.
func newReaper(sdk aws.Config, c config) (reaper, error) {
	if c.ReaperURL == "" {
		return nil, nil
	}
	function, err := awsclient.NewFunction(sdk, c.ReaperURL, c.LambdaEndpoint, 1)
	if err != nil {
		return nil, fmt.Errorf("REAPER_URL: %w", err)
	}
	return reaperFunction{function}, nil
}

// SignOut has the reaper end a sign-in, and returns after it has. The order may be given twice.
func (r reaperFunction) SignOut(ctx context.Context, order signOut) error {
	event, err := json.Marshal(map[string]signOut{"signOut": order})
	if err != nil {
		return fmt.Errorf("encode order: %w", err)
	}
	if err := r.Invoke(ctx, awsclient.AwaitAnswer, event); err != nil {
		return fmt.Errorf("invoke reaper: %w", err)
	}
	return nil
}
