package lambda

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// newRuntimeAPI returns the handler behind AWS_LAMBDA_RUNTIME_API of the environment's process.
// Source: AWS Lambda developer guide, "Using the Lambda runtime API for custom
// runtimes" and "Using the Lambda Extensions API".
func (e *environment) newRuntimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.serveNext)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", e.serveResponse)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", e.serveError)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", e.serveInitError)
	mux.HandleFunc("POST /2020-01-01/extension/register", e.serveRegister)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", e.serveExtensionNext)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A page in the developer's browser must not fetch or answer events.
		if r.Host != e.address || r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
			refuse(w, http.StatusForbidden, "Forbidden", "not the runtime of this environment")
			return
		}
		select {
		case <-e.spawned: // a process may be faster than the goroutine that started it
			mux.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
}

// serveNext blocks until the next event, without a limit.
func (e *environment) serveNext(w http.ResponseWriter, r *http.Request) {
	if !e.release() {
		e.refuseTransition(w, StateReady)
		return
	}
	select {
	case inv := <-e.work:
		e.writeInvocation(w, inv)
	case <-e.done:
	case <-r.Context().Done():
	}
}

func (e *environment) writeInvocation(w http.ResponseWriter, inv *invocation) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(inv.event)))
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.requestID)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", e.function.config.ARN)
	h.Set("Lambda-Runtime-Trace-Id", inv.traceID)
	_, _ = w.Write(inv.event) // run sees that a process is gone
}

// serveResponse takes the function's response and passes it on at once. The invocation ends only with the next request
// for an event.
func (e *environment) serveResponse(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(w, r)
	if err != nil {
		e.serveTooLarge(w, r, err)
		return
	}
	e.respond(w, r, "InvocationResponse", outcome{payload: body})
}

// serveTooLarge fails the invocation whose response exceeds the limit.
func (e *environment) serveTooLarge(w http.ResponseWriter, r *http.Request, err error) {
	if _, ok := errors.AsType[*http.MaxBytesError](err); !ok {
		refuse(w, http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
		return
	}
	id := r.PathValue("id")
	cause := failure{
		errorType: typeResponseTooLarge,
		message: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).",
			maxResponseBytes),
	}
	// two strings always marshal
	document, _ := json.Marshal(errorDocument{Type: cause.errorType, Message: cause.message})
	cause.payload = document
	if !e.settle(w, id, "InvocationResponse", outcome{err: cause.forRequest(e.function.config.Name, id)}) {
		return
	}
	refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
		fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", maxResponseBytes))
}

// serveError takes the function's error: that of its handler, after which the process goes on, or a panic, after which
// it exits.
func (e *environment) serveError(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(w, r)
	if err != nil {
		e.serveTooLarge(w, r, err)
		return
	}
	cause := reported(r.Header.Get("Lambda-Runtime-Function-Error-Type"), body)
	e.respond(w, r, "InvocationErrorResponse",
		outcome{err: cause.forRequest(e.function.config.Name, r.PathValue("id"))})
}

func (e *environment) respond(w http.ResponseWriter, r *http.Request, target string, o outcome) {
	if e.settle(w, r.PathValue("id"), target, o) {
		accept(w)
	}
}

// settle answers the current invocation, or refuses the request and returns false: 400 for the id of another
// invocation, 403 for a second answer.
func (e *environment) settle(w http.ResponseWriter, id, target string, o outcome) bool {
	f := e.function
	f.mu.Lock()
	inv, state := e.current, e.state
	valid := inv != nil && inv.requestID == id
	if valid && state == StateRunning {
		f.answer(inv, o)
		e.state = StateResponseSent
		f.mu.Unlock()
		return true
	}
	f.mu.Unlock()
	if !valid {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return false
	}
	e.refuseTransition(w, State(target))
	return false
}

// serveInitError records the reason of a failed init phase. The process should exit next.
func (e *environment) serveInitError(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(w, r)
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", err.Error())
		return
	}
	cause := reported(r.Header.Get("Lambda-Runtime-Function-Error-Type"), body)
	e.function.mu.Lock()
	valid := e.state == StateStarted
	if valid {
		e.state = StateInitError
		e.initFailure = &cause
	}
	e.function.mu.Unlock()
	if !valid {
		e.refuseTransition(w, StateInitError)
		return
	}
	accept(w)
}

// readBody reads at most the size of a response.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(w, r.Body, maxResponseBytes))
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`+"\n")
}

func (e *environment) refuseTransition(w http.ResponseWriter, target State) {
	e.function.mu.Lock()
	state := e.state
	e.function.mu.Unlock()
	refuse(w, http.StatusForbidden, "InvalidStateTransition",
		fmt.Sprintf("State transition from %s to %s failed for runtime. Error: State transition is "+
			"not allowed", state, target))
}

// refuse writes an error answer.
// Source: aws-lambda-runtime-interface-emulator, rendering of errors.
func refuse(w http.ResponseWriter, status int, errorType, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(errorDocument{Type: errorType, Message: message})
}
