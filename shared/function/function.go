// Package function has the code that all Lambda functions share: Start starts a function with its settings, and Before
// keeps time for the answer.
//
// Each value that a parameter of the template accepts works as a setting. If a setting cannot be read, the function
// does not start. An entry of a list that can have no effect is left out, and WarnLeftOut logs it.
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

// Start reads the settings, makes a handler with them, and serves invocations. The handler is a function as
// lambda.Start takes it. Start does not return.
func Start[C any](
	read func(environment map[string]string) (C, error),
	newHandler func(log *slog.Logger, sdk aws.Config, settings C) (any, error),
) {
	log := logging.New(os.Stdout)
	logging.TakeOver(log)
	settings, sdk, err := configure(log, env.ToMap(os.Environ()), read)
	if err != nil {
		fail(log, err)
	}
	handler, err := newHandler(log, sdk, settings)
	if err != nil {
		fail(log, err)
	}
	lambda.Start(handler)
}

func fail(log *slog.Logger, err error) {
	log.Error("init failed", slog.Any("error", err))
	os.Exit(1)
}

// configure returns the settings and the SDK's configuration of an environment. The SDK writes to log.
func configure[C any](
	log *slog.Logger, environment map[string]string, read func(map[string]string) (C, error),
) (settings C, sdk aws.Config, err error) {
	if settings, err = read(environment); err != nil {
		return settings, sdk, fmt.Errorf("read environment: %w", err)
	}
	if sdk, err = awsclient.Load(environment, logging.ForSDK(log)); err != nil {
		return settings, sdk, fmt.Errorf("load AWS config: %w", err)
	}
	return settings, sdk, nil
}

// WarnLeftOut logs the entries of settings that can have no effect, if there are any.
func WarnLeftOut(log *slog.Logger, leftOut error) {
	if leftOut != nil {
		log.Warn("settings left out", slog.Any("error", leftOut))
	}
}

// Before returns a context that ends by margin earlier than ctx, which on Lambda ends when the invocation is killed.
func Before(ctx context.Context, margin time.Duration) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-margin))
	}
	return context.WithCancel(ctx)
}
