// Package function is what all Lambda functions do alike: they start (Start), read their settings (Configure) and keep
// time for their answer (Before).
//
// The settings have one rule: what a parameter of the template takes works. A setting that cannot be read at all is an
// error, and the function does not start. An entry of a list that can have no effect is left out, and the function says
// so in its log.
package function

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/caarlos0/env/v11"

	"signedsocket/shared/awsclient"
	"signedsocket/shared/logging"
)

// Start makes a handler, which is the work of a cold start, and serves invocations with its method. It does not return.
func Start[H any](newHandler func(*slog.Logger, map[string]string) (H, error), method func(H) any) {
	log := logging.New(os.Stdout)
	logging.TakeOver(log)
	h, err := newHandler(log, env.ToMap(os.Environ()))
	if err != nil {
		log.Error("init failed", slog.Any("error", err))
		os.Exit(1)
	}
	lambda.Start(method(h))
}

// Configure returns the settings and the SDK's configuration of an environment. The SDK writes to log.
func Configure[C any](
	log *slog.Logger, environment map[string]string, read func(map[string]string) (C, error),
) (settings C, config aws.Config, err error) {
	if settings, err = read(environment); err != nil {
		return settings, config, fmt.Errorf("read environment: %w", err)
	}
	if config, err = awsclient.Load(environment, logging.ForSDK(log)); err != nil {
		return settings, config, fmt.Errorf("load AWS config: %w", err)
	}
	return settings, config, nil
}

// Before returns a context that ends by margin earlier than ctx, which on Lambda ends when the invocation is killed.
func Before(ctx context.Context, margin time.Duration) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-margin))
	}
	return context.WithCancel(ctx)
}
