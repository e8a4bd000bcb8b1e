package lambdaapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"unicode/utf8"

	"signedsocket/localstage/internal/lambda"
)

// actionInvoke is the permission that Invoke needs, also for a dry run.
// Source: API model, Invoke.
const actionInvoke = "lambda:InvokeFunction"

// These are the invocation types. Source: API model, InvocationType.
const (
	invocationRequestResponse = "RequestResponse"
	invocationEvent           = "Event"
	invocationDryRun          = "DryRun"
)

// These are the limits of an event in bytes.
// Source: Lambda developer guide, "Lambda quotas", invocation payload; the exact
// numbers as observed in messages.
const (
	maxEvent      = 6 << 20
	maxAsyncEvent = 1 << 20
)

// maxDiscard is the number of bytes beyond the limit that are read of an event that is too large.
const maxDiscard = 16 << 20

// functionError tells callers about every failure of a function. The payload tells the rest. Source: observed; Lambda
// once knew Handled, too.
const functionError = "Unhandled"

// errTooLarge is the error for an event above the limit of every invocation.
var errTooLarge = errors.New("event is too large")

// invoke answers one Invoke. Size comes first, because the signature covers the whole body. Permission comes before
// everything that shows whether the function exists. The rest of the order is assumed.
func (a *API) invoke(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	switch {
	case errors.Is(err, errTooLarge):
		a.refuse(w,
			tooLarge(fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", maxEvent)))
		return
	case err != nil:
		return // the caller hung up while sending
	}
	ref, refusal := a.resolve(r.PathValue("FunctionName"), r.URL.Query().Get("Qualifier"))
	if denied := a.authorizer.Authorize(r, body, actionInvoke, ref.qualifiedARN()); denied != nil {
		denied.WriteTo(w)
		return
	}
	if refusal != nil {
		a.refuse(w, refusal)
		return
	}
	c, refusal := a.decode(r.Header, ref, body)
	if refusal == nil {
		refusal = a.perform(r.Context(), w, c)
	}
	if refusal != nil {
		a.refuse(w, refusal)
	}
}

// call is a request to invoke an existing function with a valid event.
type call struct {
	function       *Function
	invocationType string
	event          []byte
}

func (a *API) decode(h http.Header, ref reference, body []byte) (call, *apiError) {
	c := call{invocationType: cmp.Or(h.Get("X-Amz-Invocation-Type"), invocationRequestResponse), event: body}
	switch c.invocationType {
	case invocationRequestResponse, invocationEvent, invocationDryRun:
	default:
		return call{}, validation(c.invocationType, "invocationType",
			"Member must satisfy enum value set: [Event, RequestResponse, DryRun]")
	}
	if refusal := checkHeaders(h); refusal != nil {
		return call{}, refusal
	}
	var refusal *apiError
	if c.function, refusal = a.find(ref); refusal != nil {
		return call{}, refusal
	}
	if len(c.event) == 0 {
		c.event = []byte("{}") // the function gets this. Source: observed
	}
	return c, checkEvent(c.event, c.invocationType)
}

// checkHeaders refuses headers for features that the stage does not have.
func checkHeaders(h http.Header) *apiError {
	switch logType := h.Get("X-Amz-Log-Type"); logType {
	case "", "None":
	case "Tail":
		return invalidParameter("The local stage returns no log tail (X-Amz-Log-Type: Tail): leave the log type out, " +
			"and read the function's log in the output of the stage.")
	default:
		return validation(logType, "logType", "Member must satisfy enum value set: [Tail, None]")
	}
	for _, name := range []string{"X-Amz-Client-Context", "X-Amz-Tenant-Id", "X-Amz-Durable-Execution-Name"} {
		if h.Get(name) != "" {
			return invalidParameter("The local stage does not support the header " + name +
				": invoke the function without it.")
		}
	}
	return nil
}

// checkEvent refuses events that Lambda refuses.
func checkEvent(event []byte, invocationType string) *apiError {
	if invocationType == invocationEvent && len(event) > maxAsyncEvent {
		return tooLarge(fmt.Sprintf("%d byte payload is too large for the Event invocation type (limit %d bytes)",
			len(event), maxAsyncEvent))
	}
	if !utf8.Valid(event) {
		return invalidContent("Invalid UTF-8")
	}
	if json.Valid(event) {
		return nil
	}
	return invalidContent(json.Unmarshal(event, new(json.RawMessage)).Error())
}

// perform does an allowed request and writes its success, or returns the error to write.
func (a *API) perform(ctx context.Context, w http.ResponseWriter, c call) *apiError {
	switch c.invocationType {
	case invocationDryRun:
		w.WriteHeader(http.StatusNoContent)
		return nil
	case invocationEvent:
		if err := a.queue.send(c.function, c.event, w.Header().Get(headerRequestID)); err != nil {
			return serviceFailure(err.Error())
		}
		w.WriteHeader(http.StatusAccepted)
		return nil
	}
	payload, err := c.function.Invoker.Invoke(ctx, c.event)
	if failed, ok := errors.AsType[*lambda.FunctionError](err); ok {
		w.Header().Set("X-Amz-Function-Error", functionError)
		payload, err = failed.Payload, nil
	}
	switch {
	case ctx.Err() != nil:
		return nil // the caller is gone; the function runs on, as on Lambda
	case errors.Is(err, lambda.ErrThrottled):
		return tooManyRequests(c.function.Reserved)
	case err != nil:
		return serviceFailure(err.Error())
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(payload)))
	h.Set("X-Amz-Executed-Version", latest)
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(payload) // a caller that hung up needs no answer
	return nil
}

func (a *API) refuse(w http.ResponseWriter, e *apiError) {
	a.log.Info("Lambda API refused a request", slog.Int("status", e.status), slog.String("errorType", e.errorType),
		slog.String("requestId", w.Header().Get(headerRequestID)))
	e.WriteTo(w)
}

// readBody reads the body of r. For more than an event may have it returns errTooLarge, and reads on for a while: a
// caller that is still sending would otherwise see a reset connection and not the answer.
func readBody(r *http.Request) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(max(r.ContentLength, 0), maxEvent)) + bytes.MinRead)
	n, err := b.ReadFrom(io.LimitReader(r.Body, maxEvent+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read event: %w", err)
	case n > maxEvent:
		_, _ = io.CopyN(io.Discard, r.Body, maxDiscard)
		return nil, errTooLarge
	}
	return b.Bytes(), nil
}
