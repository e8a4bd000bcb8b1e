package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"
)

// line runs log against a new logger and returns the members of the one line that it wrote.
func line(t *testing.T, log func(*slog.Logger)) map[string]any {
	t.Helper()
	var out bytes.Buffer
	log(New(&out))
	var members map[string]any
	if err := json.Unmarshal(out.Bytes(), &members); err != nil {
		t.Fatalf("line %q is not one JSON object: %v", out.String(), err)
	}
	delete(members, "timestamp")
	return members
}

func TestLineHasTheMembersOfLambda(t *testing.T) {
	t.Parallel()
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "request-1"})
	got := line(t, func(log *slog.Logger) {
		log.With(slog.String("routeKey", "$connect")).WarnContext(ctx, "refused", slog.String("reason", "expired"),
			slog.Int("ms", 3))
	})
	want := map[string]any{
		"level": "WARN", "message": "refused", "requestId": "request-1",
		"routeKey": "$connect", "reason": "expired", "ms": 3.0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}

func TestOnlyAllowedAttributesAppear(t *testing.T) {
	t.Parallel()
	got := line(t, func(log *slog.Logger) {
		log.Info("x", "body", "hello", "event", struct{ Token string }{"t"}, "room", struct{ Token string }{"t"},
			slog.Group("request", slog.String("url", "wss://x"), slog.String("reason", "kept")))
	})
	want := map[string]any{
		"level": "INFO", "message": "x", "body": "[redacted]", "event": "[redacted]", "room": "[redacted]",
		"request": map[string]any{"url": "[redacted]", "reason": "kept"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}

func TestValuesAreCut(t *testing.T) {
	t.Parallel()
	got := line(t, func(log *slog.Logger) {
		log.Info("x", "reason", strings.Repeat("é ", 200), "error", errors.New(strings.Repeat("a b ", 500)))
	})
	for key, limit := range map[string]int{"reason": maxValue, "error": maxError} {
		value, _ := got[key].(string)
		if len(value) > limit+len("…") || !strings.HasSuffix(value, "…") {
			t.Errorf("%s has %d bytes, want at most %d and an ellipsis", key, len(value), limit)
		}
	}
}

// Not TakeOver itself, which is for the whole process.
func TestLinesOfTheLambdaLibraryAreLinesToo(t *testing.T) {
	t.Parallel()
	got := line(t, func(log *slog.Logger) {
		_, _ = fmt.Fprintln(lines{log}, `{"errorMessage":"pop.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}`)
	})
	want := map[string]any{
		"level": "ERROR", "message": "from the Lambda library",
		"error": `{"errorMessage":"[redacted]"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}

func TestSDKWarningsAreLinesToo(t *testing.T) {
	t.Parallel()
	got := line(t, func(log *slog.Logger) { ForSDK(log).Logf("WARN", "no checksum in answer to %s", "GetItem") })
	want := map[string]any{"level": "WARN", "message": "AWS SDK", "error": "no checksum in answer to GetItem"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}
