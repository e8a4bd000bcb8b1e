package localstage

import (
	"strings"

	"signedsocket/localstage/internal/template"
)

// rewriter replaces the addresses of the template's APIs on AWS by those of this stage. It changes only values that
// begin with such an address.
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

// apiHost returns the host of an API on AWS.
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
