package callback

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

const (
	// retryTokens is the SDK's quota of retries: each takes 5 of them (10 after a timeout) until it succeeds, and each
	// post that needs none gives one back. The SDK's own 500 are for a client with a few calls at a time; a broadcast
	// to a thousand, of which a tenth is throttled, would spend them at once.
	retryTokens = 5000

	// The pauses before a post is repeated are random up to a limit, which begins with firstPause and doubles up to
	// longestPause. The SDK's own begin at two seconds.
	firstPause   = 50 * time.Millisecond
	longestPause = 400 * time.Millisecond
)

// newRetryer returns the retryer of a configuration, or the SDK's with a quota for broadcasts.
func newRetryer(config aws.Config) aws.RetryerV2 {
	if config.Retryer != nil {
		if retryer, ok := config.Retryer().(aws.RetryerV2); ok {
			return retryer
		}
	}
	return retry.NewStandard(func(options *retry.StandardOptions) {
		options.RateLimiter = ratelimit.NewTokenRateLimit(retryTokens)
	})
}

// Pause returns how long to wait before a post is repeated for the nth time, the first being 1: a random time, so that
// posts that failed together are not repeated together.
func Pause(n int) time.Duration {
	longest := longestPause
	if n < 4 {
		longest = min(longest, firstPause<<(n-1))
	}
	return rand.N(longest) //nolint:gosec // jitter is no secret
}

// Try sends a frame to a connection once. The error is ErrGone, ErrTooLarge, ErrThrottled, ErrUnavailable, or a fault,
// each with the SDK's error in its chain. The caller bounds it with the context, see AnswerTime.
func (c *Client) Try(ctx context.Context, connectionID string, frame Frame) error {
	return c.tryOnce(ctx, "post to connection", http.MethodPost, connectionID, frame, nil)
}

// TryAgain is Try after an attempt that ended in previous, ErrThrottled or ErrUnavailable, if the SDK's quota of
// retries allows it. If not, it returns ErrNoRetry and previous in one error.
func (c *Client) TryAgain(ctx context.Context, connectionID string, frame Frame, previous error) error {
	return c.tryOnce(ctx, "post to connection", http.MethodPost, connectionID, frame, previous)
}

// Post sends data as one text frame to a connection, and again as often as the SDK would. The error is that of the last
// attempt, see Try.
func (c *Client) Post(ctx context.Context, connectionID string, data []byte) error {
	frame := NewFrame(data)
	return c.withRetries(ctx, func(ctx context.Context, previous error) error {
		return c.tryOnce(ctx, "post to connection", http.MethodPost, connectionID, frame, previous)
	})
}

// withRetries makes a call, and repeats it as often as the SDK would. Each attempt ends after AnswerTime. call is given
// the error of the attempt before.
func (c *Client) withRetries(ctx context.Context, call func(ctx context.Context, previous error) error) error {
	err := attempt(ctx, call, nil)
	for n := 1; Repeatable(err) && n < c.retryer.MaxAttempts(); n++ {
		select {
		case <-ctx.Done():
			return err
		case <-time.After(Pause(n)):
		}
		err = attempt(ctx, call, err)
	}
	return err
}

func attempt(ctx context.Context, call func(ctx context.Context, previous error) error, previous error) error {
	ctx, cancel := context.WithTimeout(ctx, AnswerTime)
	defer cancel()
	return call(ctx, previous)
}

// tryOnce makes one call. It is the first one when previous is nil. Each further call takes a token from the SDK's
// quota. A call that succeeds gives its token back.
func (c *Client) tryOnce(
	ctx context.Context, operation, method, connectionID string, frame Frame, previous error,
) error {
	giveBack := func(error) error { return nil }
	if previous != nil {
		var err error
		if giveBack, err = c.retryer.GetRetryToken(ctx, previous); err != nil {
			return fmt.Errorf("%w: %w: %w", ErrNoRetry, err, previous)
		}
	}
	release, err := c.retryer.GetAttemptToken(ctx)
	if err == nil {
		err = c.call(ctx, method, connectionID, frame)
		err = errors.Join(err, release(err), giveBack(err))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}
