package lambdaapi

import (
	"encoding/json"
	"fmt"
	"net/http"

	"signedsocket/localstage/internal/awsrest"
)

const headerRequestID = "x-amzn-RequestId"

// apiError is an error of the API in its protocol (REST JSON).
type apiError struct {
	status    int
	errorType string // x-amzn-ErrorType: the name of the exception
	body      any    // errorBody, or one of the other spelling
	message   string
}

// errorBody is the body of most errors. Source: API model.
type errorBody struct {
	Reason  string `json:"Reason,omitempty"`
	Type    string `json:"Type,omitempty"`
	Message string `json:"message"`
}

// capitalBody is the body of ResourceNotFoundException and ServiceException,
// whose message has a capital letter. Source: API model.
type capitalBody struct {
	Type    string `json:"Type"`
	Message string `json:"Message"`
}

// These are the values of the member Type, which names the party at fault. Source: observed.
const (
	faultOfUser    = "User"
	faultOfService = "Service"
)

func newError(status int, errorType, message string) *apiError {
	return &apiError{status, errorType, errorBody{Type: faultOfUser, Message: message}, message}
}

// unknownOperation is the answer to every other path.
// Source: the type is observed for unknown paths, the rest assumed.
var unknownOperation = newError(http.StatusNotFound, "UnknownOperationException",
	"The local stage has one operation of the Lambda API, Invoke: POST "+Path+"functions/{FunctionName}/invocations")

// validation is the answer to a value that breaks a constraint of the API model.
// Source: observed.
func validation(value, member, constraint string) *apiError {
	message := fmt.Sprintf("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value,
		member, constraint)
	return &apiError{http.StatusBadRequest, "ValidationException", errorBody{Message: message}, message}
}

func invalidParameter(message string) *apiError {
	return newError(http.StatusBadRequest, "InvalidParameterValueException", message)
}

// notFound has a capital Message. Source: API model and observed.
func notFound(message string) *apiError {
	return &apiError{http.StatusNotFound, "ResourceNotFoundException", capitalBody{faultOfUser, message}, message}
}

// invalidContent is the answer to an event that is not JSON. Source: observed;
// what follows the second colon is the parser's.
func invalidContent(reason string) *apiError {
	return newError(http.StatusBadRequest, "InvalidRequestContentException",
		"Could not parse request body into json: Could not parse payload into json: "+reason)
}

// tooLarge is the answer to an event above the limit. The API model calls the
// exception RequestTooLargeException, the service answers with another name.
// Source: observed.
func tooLarge(message string) *apiError {
	return newError(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", message)
}

// tooManyRequests is the answer when the function has no room for an event.
// Source: API model, ThrottleReason; the message as observed.
func tooManyRequests(reserved bool) *apiError {
	reason := "ConcurrentInvocationLimitExceeded"
	if reserved {
		reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
	}
	const message = "Rate Exceeded."
	return &apiError{
		http.StatusTooManyRequests, "TooManyRequestsException", errorBody{reason, faultOfUser, message}, message,
	}
}

// serviceFailure is the answer when the stage, and not the function, failed.
// Source: API model, ServiceException.
func serviceFailure(message string) *apiError {
	return &apiError{http.StatusInternalServerError, "ServiceException", capitalBody{faultOfService, message}, message}
}

// Error returns the type and the message. The message may repeat the function
// name of the request, and a character of its body at most.
func (e *apiError) Error() string { return e.errorType + ": " + e.message }

// WriteTo writes the whole answer. w already has the request's id.
func (e *apiError) WriteTo(w http.ResponseWriter) {
	body, _ := json.Marshal(e.body) // strings always marshal
	awsrest.WriteError(w, e.status, e.errorType, body)
}
