package webadapter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// runtimeAPI is a client of the Lambda Runtime API.
// Source: AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes".
type runtimeAPI struct {
	origin string
	client http.Client
}

func newRuntimeAPI(address string) *runtimeAPI { return &runtimeAPI{origin: "http://" + address} }

// invocation is one event, with Lambda's headers about it.
type invocation struct {
	event       []byte
	requestID   string
	traceID     string
	functionARN string
	deadlineMS  int64
}

// register asks for a SIGTERM before the end. The real adapter gets one as an extension. A server can then close its
// connections.
// Source: AWS Lambda Web Adapter, README, "Graceful shutdown".
func (a *runtimeAPI) register(ctx context.Context) error {
	_, _, err := a.call(ctx, http.MethodPost, "/2020-01-01/extension/register", []byte(`{"events":[]}`))
	return err
}

// next waits for an event.
func (a *runtimeAPI) next(ctx context.Context) (*invocation, error) {
	header, event, err := a.call(ctx, http.MethodGet, "/2018-06-01/runtime/invocation/next", nil)
	if err != nil {
		return nil, err
	}
	deadline, err := strconv.ParseInt(header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("deadline of an event: %w", err)
	}
	return &invocation{
		event:       event,
		requestID:   header.Get("Lambda-Runtime-Aws-Request-Id"),
		traceID:     header.Get("Lambda-Runtime-Trace-Id"),
		functionARN: header.Get("Lambda-Runtime-Invoked-Function-Arn"),
		deadlineMS:  deadline,
	}, nil
}

// respond answers an event. Lambda itself tells the caller of an answer that is too large: it does not end the adapter.
func (a *runtimeAPI) respond(ctx context.Context, i *invocation, answer []byte) error {
	_, _, err := a.call(ctx, http.MethodPost, "/2018-06-01/runtime/invocation/"+i.requestID+"/response", answer)
	return err
}

// fail reports that an event could not be handled.
func (a *runtimeAPI) fail(ctx context.Context, i *invocation, cause error) error {
	document, err := json.Marshal(map[string]string{"errorType": "WebAdapter.NoAnswer", "errorMessage": cause.Error()})
	if err != nil {
		return fmt.Errorf("encode an error: %w", err)
	}
	_, _, err = a.call(ctx, http.MethodPost, "/2018-06-01/runtime/invocation/"+i.requestID+"/error", document)
	return err
}

func (a *runtimeAPI) call(ctx context.Context, method, path string, body []byte) (http.Header, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, a.origin+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, fmt.Errorf("runtime API: %w", err)
	}
	if strings.HasPrefix(path, "/2020-01-01/") {
		request.Header.Set("Lambda-Extension-Name", "lambda-adapter")
	}
	response, err := a.client.Do(request)
	if err != nil {
		return nil, nil, fmt.Errorf("runtime API: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, fmt.Errorf("runtime API: %s %s: %w", method, path, err)
	}
	if response.StatusCode >= 300 && response.StatusCode != http.StatusRequestEntityTooLarge {
		return nil, nil, fmt.Errorf("runtime API: %s %s: %s", method, path, response.Status)
	}
	return response.Header, answer, nil
}
