package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

const headerOrigin = "Origin"

// origins are the sites whose pages may connect. A browser sends the true origin of a page, so this keeps other sites
// from using a visitor's browser. It does not stop programs, which can send any origin.
type origins map[string]bool

// newOrigins returns a set of origins, each as browsers write it: scheme, host in lower case, and port unless it is the
// scheme's own. The error names the entries that could never match; the set holds the others.
func newOrigins(list ...string) (origins, error) {
	set := make(origins)
	var problems []error
	for _, entry := range list {
		origin, ok := asBrowsersWriteIt(entry)
		if !ok {
			problems = append(problems, fmt.Errorf("%q is no origin: write it as https://chat.example.com", entry))
			continue
		}
		set[origin] = true
	}
	return set, errors.Join(problems...)
}

// asBrowsersWriteIt returns an origin without the scheme's own port, and whether it is an origin at all.
func asBrowsersWriteIt(origin string) (string, bool) {
	parsed, err := url.Parse(origin)
	if err != nil || parsed.Hostname() == "" || strings.Contains(origin, "*") ||
		origin != parsed.Scheme+"://"+strings.ToLower(parsed.Host) {
		return "", false
	}
	switch parsed.Scheme {
	case "https":
		return strings.TrimSuffix(origin, ":443"), true
	case "http":
		return strings.TrimSuffix(origin, ":80"), true
	}
	return "", false
}

// check returns why a handshake is not from an accepted page, or nil. A handshake without Origin is not from a browser.
// One with two is refused, because two readers could take different ones.
func (o origins) check(event events.APIGatewayWebsocketProxyRequest) error {
	values := headerValues(event, headerOrigin)
	switch {
	case len(values) == 0:
		return errNoOrigin // mutate:origin-none
	case len(values) > 1: // mutate:origin-several
		return errTwoOrigins
	case !o[values[0]]: // mutate:origin-any
		return errWrongOrigin
	}
	return nil
}

// headerValues returns the values of a header, one for each of its lines. API Gateway keeps the letter case in which
// the client wrote the name.
func headerValues(event events.APIGatewayWebsocketProxyRequest, name string) []string {
	var values []string
	for written, lines := range event.MultiValueHeaders {
		if strings.EqualFold(written, name) {
			values = append(values, lines...)
		}
	}
	return values
}
