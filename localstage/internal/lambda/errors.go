package lambda

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// These are the errors of an invocation that never reached the function.
var (
	// ErrThrottled means that the function already handles as many events as its concurrency allows. Lambda answers its
	// callers TooManyRequestsException, 429.
	ErrThrottled = errors.New("TooManyRequestsException: rate exceeded")
	// ErrRequestTooLarge means that the event is larger than 6 MiB. Lambda answers its callers
	// RequestTooLargeException, 413.
	ErrRequestTooLarge = errors.New("RequestTooLargeException: event larger than 6291456 bytes")
	// ErrClosed means that the service was closed before the function answered.
	ErrClosed = errors.New("lambda service closed")
)

// These are the error types of failures that Lambda itself reports.
// Source: AWS Lambda developer guide, "Troubleshoot invocation issues in Lambda".
const (
	typeExit              = "Runtime.ExitError"
	typeInvalidEntrypoint = "Runtime.InvalidEntrypoint"
	typeTimeout           = "Sandbox.Timedout"
	typeResponseTooLarge  = "Function.ResponseSizeTooLarge"
	typeUnknown           = "Runtime.Unknown"
)

// FunctionError means that the function was invoked and failed. A caller of Lambda's Invoke sees it as
// "X-Amz-Function-Error: Unhandled".
type FunctionError struct {
	// Function is the function's name.
	Function string
	// RequestID is the invocation's id, as in the function's log.
	RequestID string
	// Type is the error's type: one of Lambda, such as Runtime.ExitError or Sandbox.Timedout, or the one that the
	// function reported.
	Type string
	// Payload is the JSON document that Lambda returns in place of a response: the function's own, or Lambda's
	// {"errorType":…,"errorMessage":…}.
	Payload []byte
}

// Error returns the function, the type and the request. It leaves out the payload, which may repeat parts of the event.
func (e *FunctionError) Error() string {
	return fmt.Sprintf("function %s failed: %s (request %s)", e.Function, e.Type, e.RequestID)
}

// failure is the reason of a failed invocation or init phase, without the request.
type failure struct {
	errorType string
	message   string
	payload   []byte // the function's own document; nil makes one of the message
}

// text returns the failure as Lambda writes it to the function's log.
func (f failure) text(requestID string) string {
	return fmt.Sprintf("RequestId: %s Error: %s", requestID, f.message)
}

// forRequest returns the failure as the error of one invocation.
func (f failure) forRequest(function, requestID string) *FunctionError {
	payload := f.payload
	if payload == nil {
		// two strings always marshal
		payload, _ = json.Marshal(errorDocument{Type: f.errorType, Message: f.text(requestID)})
	}
	return &FunctionError{Function: function, RequestID: requestID, Type: f.errorType, Payload: payload}
}

// errorDocument is the body of every error of Lambda, in both directions.
type errorDocument struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

// reported returns the failure that a runtime reports about its function. Lambda takes the type from the header, which
// Go functions leave out, or else from the document.
func reported(headerType string, payload []byte) failure {
	var document errorDocument
	_ = json.Unmarshal(payload, &document) // any payload is passed on unchanged
	errorType := cmp.Or(headerType, document.Type, typeUnknown)
	return failure{errorType: errorType, message: document.Message, payload: payload}
}

// timeoutFailure returns the failure of an invocation, or of an init phase, that took longer than the limit.
func timeoutFailure(limit time.Duration) failure {
	return failure{errorType: typeTimeout, message: fmt.Sprintf("Task timed out after %.2f seconds", limit.Seconds())}
}

// exitFailure returns the failure of a process that ended by itself or was killed. err is the result of the wait for
// it.
func exitFailure(err error) failure {
	if err == nil {
		return failure{errorType: typeExit, message: "Runtime exited without providing a reason"}
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return failure{errorType: typeExit, message: "Runtime exited with error: " + exit.Error()}
	}
	return failure{errorType: typeInvalidEntrypoint, message: err.Error()}
}
