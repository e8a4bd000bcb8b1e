package function

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"signedsocket/shared/logging"
)

func TestBeforeKeepsTimeForTheAnswer(t *testing.T) {
	t.Parallel()
	end := time.Now().Add(time.Hour)
	invocation, cancel := context.WithDeadline(t.Context(), end)
	defer cancel()
	ctx, cancel := Before(invocation, time.Minute)
	defer cancel()
	if got, ok := ctx.Deadline(); !ok || !got.Equal(end.Add(-time.Minute)) {
		t.Errorf("ends at %v, want %v", got, end.Add(-time.Minute))
	}
	ctx, cancel = Before(context.Background(), time.Minute)
	if _, ends := ctx.Deadline(); ends {
		t.Error("a context without an end has one")
	}
	cancel()
	if !errors.Is(ctx.Err(), context.Canceled) {
		t.Errorf("canceled: %v", ctx.Err())
	}
}

func TestConfigureNamesThePartThatFailed(t *testing.T) {
	t.Parallel()
	log := logging.New(t.Output())
	for part, environment := range map[string]map[string]string{
		"read environment: ": {},
		"load AWS config: ":  {"NAME": "n"},
	} {
		_, _, err := configure(log, environment, Read[settings])
		if err == nil || !strings.HasPrefix(err.Error(), part) {
			t.Errorf("%v: err = %v, want one of %q", environment, err, part)
		}
	}
	complete := map[string]string{
		"NAME": "n", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example",
	}
	c, aws, err := configure(log, complete, Read[settings])
	if err != nil || c.Name != "n" || aws.Region != "us-east-1" {
		t.Errorf("configure = %+v, %+v, %v", c, aws, err)
	}
}
