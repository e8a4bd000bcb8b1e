// Package logging makes the one logger of all functions. Every line is one JSON object with the member names that
// Lambda itself uses (timestamp, level, message, requestId). A line holds only attributes of an allow-list. Their
// values are shortened and secrets in them are masked, because an error text can carry text of another party.
package logging

import (
	"context"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"strings"
	"sync"

	"github.com/aws/aws-lambda-go/lambdacontext"
	smithylogging "github.com/aws/smithy-go/logging"
)

const (
	redacted = "[redacted]"

	maxValue = 128 // bytes of an ordinary value
	maxError = 512 // bytes of an error's text
	maxARN   = 256 // bytes of an ARN: that of an operator or a trusted caller
	// minSecret is the length of the shortest secret: shorter values are not searched.
	minSecret = 16
)

// New returns a logger that writes JSON lines to w, from level Info up. Attributes whose key is not on the list appear
// as "[redacted]". The Lambda request id is taken from the context, so the methods that end in Context should be used
// wherever one is in scope.
func New(w io.Writer) *slog.Logger {
	secrets := &redactor{rules: sync.OnceValue(rules)}
	return slog.New(handler{slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: secrets.replace})})
}

// ForSDK returns a logger for the AWS SDK, whose own writes lines that are no JSON. The SDK's lines appear as warnings
// on log.
func ForSDK(log *slog.Logger) smithylogging.Logger {
	return smithylogging.LoggerFunc(func(_ smithylogging.Classification, format string, values ...any) {
		log.Warn("AWS SDK", slog.String("error", fmt.Sprintf(format, values...)))
	})
}

// TakeOver logs each line that the process writes with package log as an error on log. The Lambda library writes each
// error of a handler in that way: not as JSON, and with secrets unmasked.
func TakeOver(log *slog.Logger) {
	stdlog.SetFlags(0)
	stdlog.SetOutput(lines{log})
}

// lines is an io.Writer that logs each line as the text of an error.
type lines struct{ log *slog.Logger }

func (l lines) Write(line []byte) (int, error) {
	l.log.Error("from the Lambda library", slog.String("error", strings.TrimSpace(string(line))))
	return len(line), nil
}

// handler adds the request id of the current invocation to each record.
type handler struct{ slog.Handler }

func (h handler) Handle(ctx context.Context, record slog.Record) error {
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		record.AddAttrs(slog.String("requestId", invocation.AwsRequestID))
	}
	return h.Handler.Handle(ctx, record)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name)}
}

// allowed reports whether a line may hold an attribute with this key. None of them is for text that a client chose, and
// none for a token, a signature, a ticket or a message.
func allowed(key string) bool {
	switch key {
	case "requestId", "connectionId", "routeKey", "eventType", "room", "reason", "code", "status", "error",
		"ms", "bytes", "recipients", "delivered", "gone", "failed", "removed", "evicted",
		"due", "closed", "pending", "connections", "panic", "stack", "subHash", "broadcastId", "young", "pages",
		"queued", "moderator", "watched", "pushed", "posts", "missed", "left",
		"action", "by", "why",
		Dimension, "_aws":
		return true
	}
	return isMetric(key)
}

type redactor struct {
	// rules compiles on first use: most lines hold no value that is long enough to be searched, so most cold starts do
	// not pay for it.
	rules func() []rule
}

// replace is the ReplaceAttr of the JSON handler.
func (r *redactor) replace(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) == 0 {
		switch attr.Key {
		case slog.TimeKey, slog.LevelKey, slog.MessageKey:
			return lambdacontext.ReplaceAttr(groups, attr)
		}
	}
	if !allowed(attr.Key) { // mutate:log-attributes
		return slog.String(attr.Key, redacted)
	}
	switch attr.Value.Kind() {
	case slog.KindString:
		limit := maxValue
		switch attr.Key {
		case "error":
			limit = maxError
		case "by": // an ARN is longer than other values
			limit = maxARN
		}
		return slog.String(attr.Key, r.scrub(attr.Value.String(), limit))
	case slog.KindAny:
		switch value := attr.Value.Any().(type) {
		case error:
			return slog.String(attr.Key, r.scrub(value.Error(), maxError))
		case trace, Directive: // names in the program, and no secrets
			return attr
		}
		return slog.String(attr.Key, redacted)
	default:
		return attr
	}
}
