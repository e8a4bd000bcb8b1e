package webadapter

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// httpEvent is the part of an event in payload format 2.0 that becomes the request.
// Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs".
type httpEvent struct {
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Cookies         []string          `json:"cookies"`
	Headers         map[string]string `json:"headers"`
	RequestContext  json.RawMessage   `json:"requestContext"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

// lambdaContext is the context of an invocation for the server.
// Source: AWS Lambda Web Adapter, documentation of features, "Lambda context".
type lambdaContext struct {
	RequestID   string        `json:"request_id"`
	DeadlineMS  int64         `json:"deadline"`
	FunctionARN string        `json:"invoked_function_arn"`
	TraceID     string        `json:"xray_trace_id"`
	Client      *string       `json:"client_context"` // always null: no call comes from a mobile app
	Identity    *string       `json:"identity"`       // always null: the stage has no Cognito identity pools
	Function    functionFacts `json:"env_config"`
}

// newRequest makes the server's request of an event.
func (a *adapter) newRequest(ctx context.Context, i *invocation) (*http.Request, error) {
	var e httpEvent
	if err := json.Unmarshal(i.event, &e); err != nil {
		return nil, fmt.Errorf("read an event: %w", err)
	}
	method, err := e.method()
	if err != nil {
		return nil, err
	}
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, fmt.Errorf("read an event: body: %w", err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+a.server.address, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	request.URL.Path, request.URL.RawPath = pathOf(e.RawPath)
	request.URL.RawQuery = e.RawQueryString
	e.setHeaders(request)
	request.Header.Set("X-Amzn-Trace-Id", i.traceID)
	context, err := json.Marshal(lambdaContext{
		RequestID: i.requestID, DeadlineMS: i.deadlineMS, FunctionARN: i.functionARN, TraceID: i.traceID,
		Function: a.settings.function,
	})
	if err != nil {
		return nil, fmt.Errorf("encode the Lambda context: %w", err)
	}
	request.Header.Set("X-Amzn-Lambda-Context", string(context))
	return request, nil
}

func (e httpEvent) method() (string, error) {
	var c struct {
		HTTP struct {
			Method string `json:"method"`
		} `json:"http"`
	}
	if err := json.Unmarshal(e.RequestContext, &c); err != nil || c.HTTP.Method == "" {
		return "", errors.New("the event is not one of an HTTP API: the web adapter of the local stage takes no other")
	}
	return c.HTTP.Method, nil
}

// setHeaders sets the client's headers, those that API Gateway has added, and the event's request context.
// Source: AWS Lambda Web Adapter, documentation of features, "Request context".
func (e httpEvent) setHeaders(request *http.Request) {
	// Without this, net/http adds a User-Agent of its own.
	request.Header.Set("User-Agent", "")
	for name, value := range e.Headers {
		switch strings.ToLower(name) {
		case "host":
			request.Host = value
		case "content-length", "transfer-encoding", "connection": // of another connection
		default:
			request.Header.Set(name, value)
		}
	}
	if len(e.Cookies) > 0 {
		request.Header.Set("Cookie", strings.Join(e.Cookies, ";"))
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, e.RequestContext); err == nil {
		request.Header.Set("X-Amzn-Request-Context", compact.String())
	}
}

// pathOf returns an event's path for a URL. rawPath arrives decoded. Characters that a URL may not hold are encoded
// again, while a percent sign stays as it is: a path that was encoded twice is decoded twice, as on Lambda.
// Source: URL standard, "path percent-encode set", which the real adapter follows.
func pathOf(rawPath string) (path, raw string) {
	var encoded strings.Builder
	for _, c := range []byte(rawPath) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"#<>?^`{}", c) >= 0 {
			fmt.Fprintf(&encoded, "%%%02X", c)
		} else {
			encoded.WriteByte(c)
		}
	}
	parsed, err := url.PathUnescape(encoded.String())
	if err != nil {
		return rawPath, "" // a percent sign of its own: net/url encodes it
	}
	return parsed, encoded.String()
}
