package lambdaapi

import (
	"encoding/json"
	"net/http"
	"time"

	"signedsocket/localstage/internal/lambda"
)

// These are Lambda's reasons for giving an event up.
// Source: Lambda developer guide, "Capturing records of Lambda asynchronous
// invocations", and observed.
const (
	retriesExhausted = "RetriesExhausted"
	eventAgeExceeded = "EventAgeExceeded"
)

// record is what Lambda sends to an on-failure destination.
// Source: the same page's example.
type record struct {
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	RequestContext  requestContext   `json:"requestContext"`
	RequestPayload  json.RawMessage  `json:"requestPayload"`
	ResponseContext *responseContext `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage  `json:"responsePayload,omitempty"`
}

type requestContext struct {
	RequestID              string `json:"requestId"`
	FunctionARN            string `json:"functionArn"`
	Condition              string `json:"condition"`
	ApproximateInvokeCount int    `json:"approximateInvokeCount"`
}

type responseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError"`
}

// invocationRecord returns the record of e, which was given up. failed is the failure of its last attempt, or nil when
// that did not reach the function; the record then has no response, which is assumed.
func invocationRecord(f *Function, e *event, condition string, failed *lambda.FunctionError, now time.Time) []byte {
	r := record{
		Version:   "1.0",
		Timestamp: now.UTC().Format("2006-01-02T15:04:05.000Z"),
		RequestContext: requestContext{
			RequestID:              e.requestID,
			FunctionARN:            f.ARN + ":" + latest,
			Condition:              condition,
			ApproximateInvokeCount: e.attempts,
		},
		RequestPayload: e.payload,
	}
	if failed != nil {
		r.ResponseContext = &responseContext{http.StatusOK, latest, functionError}
		r.ResponsePayload = failed.Payload
		if !json.Valid(failed.Payload) { // a custom runtime may report any bytes
			r.ResponsePayload, _ = json.Marshal(string(failed.Payload)) // strings always marshal
		}
	}
	data, _ := json.Marshal(r) // both payloads are valid JSON
	return data
}
