package logging

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
		log.With(slog.String("routeKey", "$connect")).WarnContext(ctx, "refused", slog.String("reason", "expired"), slog.Int("ms", 3))
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

// secrets are texts in which the part after the last space may not survive.
func secrets() map[string]string {
	return map[string]string{
		"signature":      "GET https://h/prod X-Amz-Signature=6274cda040cab0a8d797f67f82286919",
		"lower case":     "said x-amz-security-token=tok%2Fen",
		"URL":            "dial wss://abc.execute-api.us-east-1.amazonaws.com/prod?v=1&sub=alice",
		"ticket":         "parameter jti=AAECAwQFBgcICQoLDA0ODw",
		"token":          "bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln",
		"verifier":       "offered pop.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
		"bare signature": "expected 6274cda040cab0a8d797f67f82286919729ecfe81ff85efcf66ad954b19cb3ca",
		"long base64":    "token IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQ==",
	}
}

func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	for name, text := range secrets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secret := text[strings.LastIndexByte(text, ' ')+1:]
			if _, value, ok := strings.Cut(secret, "="); ok && value != "" && value != "=" {
				secret = value
			}
			got := line(t, func(log *slog.Logger) { log.Info("x", "error", errors.New(text)) })
			if value, _ := got["error"].(string); strings.Contains(value, secret) || !strings.Contains(value, redacted) {
				t.Errorf("%q was logged as %q", text, value)
			}
		})
	}
}

func TestWhatOperatorsNeedStays(t *testing.T) {
	t.Parallel()
	const text = "operation error DynamoDB: GetItem, StatusCode: 400, RequestID: VJ4HGR2D5Q0F6CQ2V9C2FKJ4QBVV4KQNSO5AEMVJF66Q9ASUAAJG, ThrottlingException"
	got := line(t, func(log *slog.Logger) { log.Info("x", "error", errors.New(text)) })
	if got["error"] != text {
		t.Errorf("error = %q, want it unchanged", got["error"])
	}
}

func FuzzSecretsNeverSurvive(f *testing.F) {
	f.Add("", "")
	f.Add("a ", " b")
	f.Add("\"", "\x00")
	f.Fuzz(func(t *testing.T, before, after string) {
		for name, text := range secrets() {
			secret := text[strings.LastIndexByte(text, ' ')+1:]
			var out bytes.Buffer
			New(&out).InfoContext(context.Background(), "x", "reason", before+" "+secret+" "+after)
			if strings.Contains(out.String(), secret) {
				t.Errorf("%s survived in %q", name, out.String())
			}
		}
	})
}
