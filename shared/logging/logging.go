// Package logging makes the one logger of all functions. Every line is one JSON object with the
// member names that Lambda itself uses (timestamp, level, message, requestId). What a line may hold
// is an allow-list of attribute keys, and even an allowed value is cut short and searched for
// secrets, because an error text can carry what somebody else put into it.
package logging

import (
	"context"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

const (
	redacted = "[redacted]"

	maxValue = 128 // bytes of an ordinary value
	maxError = 512 // bytes of an error's text
	// No secret of ours is shorter than this, so shorter values are not searched.
	minSecret = 16
)

// New returns a logger that writes JSON lines to w, from level Info up. Attributes whose key is not
// on the list appear as "[redacted]". The Lambda request id is taken from the context, so the
// methods that end in Context should be used wherever one is in scope.
func New(w io.Writer) *slog.Logger {
	redactor := &redactor{secrets: sync.OnceValue(secretPattern)}
	return slog.New(handler{slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: redactor.replace})})
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

// allowed reports whether a line may hold an attribute with this key. None of them is for text that
// a client chose, and none for a token, a signature, a ticket or a message.
func allowed(key string) bool {
	switch key {
	case "requestId", "connectionId", "routeKey", "eventType", "room", "reason", "code", "status", "error",
		"ms", "bytes", "recipients", "delivered", "gone", "failed", "forgotten", "evicted":
		return true
	}
	return false
}

type redactor struct {
	// secrets compiles on first use: most lines hold nothing long enough to be searched, and a cold
	// start should not pay for it.
	secrets func() *regexp.Regexp
}

// replace is the ReplaceAttr of the JSON handler.
func (r *redactor) replace(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) == 0 {
		switch attr.Key {
		case slog.TimeKey, slog.LevelKey, slog.MessageKey:
			return lambdacontext.ReplaceAttr(groups, attr)
		}
	}
	if !allowed(attr.Key) {
		return slog.String(attr.Key, redacted)
	}
	switch attr.Value.Kind() {
	case slog.KindString:
		return slog.String(attr.Key, r.scrub(attr.Value.String(), maxValue))
	case slog.KindAny:
		if err, ok := attr.Value.Any().(error); ok {
			return slog.String(attr.Key, r.scrub(err.Error(), maxError))
		}
		return slog.String(attr.Key, redacted)
	default:
		return attr
	}
}

// scrub masks what looks like a secret, then cuts the text. In this order: a cut secret would no
// longer look like one.
func (r *redactor) scrub(s string, limit int) string {
	if len(s) >= minSecret {
		s = r.secrets().ReplaceAllStringFunc(s, mask)
	}
	if len(s) <= limit {
		return s
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// mask keeps the name in front of a secret, and the request ids of AWS services: runs of capital
// letters and digits, which an operator needs when asking AWS for help.
func mask(match string) string {
	if name, _, ok := strings.Cut(match, "="); ok && len(name) < 32 {
		return name + "=" + redacted
	}
	if !strings.ContainsFunc(match, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) {
		return match
	}
	return redacted
}

// secretPattern matches signed parameters, the query of any URL, bearer tokens (three base64url
// parts), verifiers offered as a subprotocol, and long runs of base64 or hexadecimal digits.
func secretPattern() *regexp.Regexp {
	return regexp.MustCompile(strings.Join([]string{
		`(?i:x-amz-[a-z-]+|jti|cc|authorization|cookie)=[^&\s"]+`,
		`(?:wss?|https?)://[^\s"?]+\?[^\s"]*`,
		`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`,
		`pop\.[A-Za-z0-9_-]+`,
		`[A-Za-z0-9+/_-]{40,}={0,2}`,
	}, "|"))
}
