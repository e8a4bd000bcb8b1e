package localstage

import (
	"strings"

	"signedsocket/localstage/internal/template"
)

// rewriter turns the addresses that the template's APIs would have on AWS into
// those of this stage. It touches only values that begin with such an address.
type rewriter struct {
	local map[string]string // by scheme and host on AWS
}

func newRewriter(t *template.Template, at addresses) rewriter {
	local := make(map[string]string)
	for _, api := range t.WebSocketAPIs {
		local["wss://"+apiHost(api.ID)] = "ws://" + strings.TrimPrefix(at.webSocket, "http://")
		local["https://"+apiHost(api.ID)] = at.webSocket
	}
	for _, api := range t.HTTPAPIs {
		local["https://"+apiHost(api.ID)] = at.httpAPI
	}
	return rewriter{local: local}
}

// apiHost is the host of an API on AWS.
// Source: API Gateway developer guide, "Invoke WebSocket APIs".
func apiHost(apiID string) string {
	return apiID + ".execute-api." + Region + ".amazonaws.com"
}

func (r rewriter) value(value string) string {
	for origin, local := range r.local {
		rest, found := strings.CutPrefix(value, origin)
		if found && (rest == "" || rest[0] == '/' || rest[0] == '?') {
			return local + rest
		}
	}
	return value
}
