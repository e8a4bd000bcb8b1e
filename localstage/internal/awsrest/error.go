// Package awsrest writes errors in the form that API Gateway and Lambda share: a body of JSON, and headers that name
// the error and the request. AWS calls the protocol REST JSON. The package also makes API Gateway's identifiers.
package awsrest

import (
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// WriteError writes an error as Lambda does. It keeps a request id that w already has. An empty errorType or body is
// left out.
func WriteError(w http.ResponseWriter, status int, errorType string, body []byte) {
	h := w.Header()
	if h.Get("x-amzn-RequestId") == "" {
		SetRequestID(h)
	}
	if errorType != "" {
		h["x-amzn-ErrorType"] = []string{errorType}
	}
	if len(body) > 0 {
		h.Set("Content-Type", "application/json")
	}
	if status != http.StatusNoContent && status != http.StatusNotModified {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller that hung up needs no answer
}

// WriteGatewayError writes an error as API Gateway does: it adds the header of the service's front end.
// Source: observed on REST APIs and @connections.
func WriteGatewayError(w http.ResponseWriter, status int, errorType string, body []byte) {
	w.Header()["x-amz-apigw-id"] = []string{NewID(time.Now())}
	WriteError(w, status, errorType, body)
}

// SetRequestID sets the request id that every answer of the services has. The header keeps the services' letter case.
func SetRequestID(h http.Header) {
	h["x-amzn-RequestId"] = []string{uuid.NewString()}
}
