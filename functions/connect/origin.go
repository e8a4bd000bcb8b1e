package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

const headerOrigin = "Origin"

// origins are the sites whose pages may connect. A browser says truthfully which page opens a socket, so
// this keeps other sites from using a visitor's browser. It keeps no program out, which can say anything.
type origins map[string]bool

// newOrigins returns a set of origins, each written as browsers do: scheme, host in lower case, and port
// unless it is the scheme's own. Anything else could never match, and is an error.
func newOrigins(list ...string) (origins, error) {
	set := make(origins)
	var problems []error
	for _, origin := range list {
		if !validOrigin(origin) {
			problems = append(problems, fmt.Errorf("%q is no origin: write it as https://chat.example.com", origin))
		}
		set[origin] = true
	}
	return set, errors.Join(problems...)
}

func validOrigin(origin string) bool {
	parsed, err := url.Parse(origin)
	if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Hostname() == "" || strings.Contains(origin, "*") {
		return false
	}
	ownPort := map[string]string{"https": "443", "http": "80"}[parsed.Scheme]
	return parsed.Port() != ownPort && origin == parsed.Scheme+"://"+strings.ToLower(parsed.Host)
}

// check returns why a handshake is not from an accepted page, or nil. A handshake without Origin is not
// from a browser, and one with two leaves open which of them others would believe.
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

// headerValues returns the values of a header, one for each of its lines. API Gateway keeps the letter
// case in which the client wrote the name.
func headerValues(event events.APIGatewayWebsocketProxyRequest, name string) []string {
	var values []string
	for written, lines := range event.MultiValueHeaders {
		if strings.EqualFold(written, name) {
			values = append(values, lines...)
		}
	}
	return values
}
