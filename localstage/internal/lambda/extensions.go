package lambda

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/google/uuid"
)

// serveRegister registers an extension that wants no events, as lambda-go does to get a SIGTERM before the end
// (lambda.WithEnableSIGTERM). Lambda sends its INVOKE and SHUTDOWN events to programs beside the runtime, which this
// service does not start. So it refuses a subscription.
// Source: AWS Lambda developer guide, "Using the Lambda Extensions API".
func (e *environment) serveRegister(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Lambda-Extension-Name") == "" {
		refuse(w, http.StatusForbidden, "Extension.InvalidExtensionName", "Empty extension name")
		return
	}
	var request struct {
		Events []string `json:"events"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64*1024))
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	if err != nil {
		refuse(w, http.StatusForbidden, "InvalidRequestFormat", err.Error())
		return
	}
	if len(request.Events) > 0 {
		refuse(w, http.StatusForbidden, "Extension.InvalidEventType",
			request.Events[0]+": the local stage sends no events to extensions")
		return
	}
	e.function.mu.Lock()
	e.sigterm = true
	e.function.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Lambda-Extension-Identifier", uuid.NewString())
	_ = json.NewEncoder(w).Encode(map[string]string{
		"functionName":    e.function.config.Name,
		"functionVersion": "$LATEST",
		"handler":         e.function.config.Handler,
	})
}

// serveExtensionNext blocks until the end, because there are no events.
func (e *environment) serveExtensionNext(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-e.done:
	case <-r.Context().Done():
	}
}
