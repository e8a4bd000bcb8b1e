package httpapi

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// route is a Route ready for use: its key parsed, its authorizer and its bucket built.
type route struct {
	key         string
	method      string   // "ANY" for every method; empty for $default
	segments    []string // of the path, without the leading slash; nil for $default
	iam         bool
	jwt         *jwtAuthorizer
	scopes      []string
	integration Integration
	timeout     time.Duration
	limiter     *rate.Limiter
}

// matched is a route for a request, and the values of its path variables.
type matched struct {
	route      *route
	parameters map[string]string
}

const defaultRouteKey = "$default"

var (
	routeKey     = regexp.MustCompile(`^(ANY|GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/\S*)$`)
	pathVariable = regexp.MustCompile(`^\{[A-Za-z0-9._-]+\+?\}$`)
)

func newRoute(c Config, r Route) (*route, error) {
	built := &route{
		key: r.Key, scopes: r.Scopes, integration: r.Integration, timeout: r.Timeout,
		limiter: newLimiter(c.Throttle, r.Throttle),
	}
	built.timeout = cmp.Or(built.timeout, defaultTimeout)
	if r.Integration == nil {
		return nil, errors.New("has no integration")
	}
	if err := built.parseKey(); err != nil {
		return nil, err
	}
	switch r.AuthorizationType {
	case "", "NONE":
	case "AWS_IAM":
		if c.Authorizer == nil {
			return nil, errors.New("AWS_IAM needs an Authorizer in the configuration")
		}
		built.iam = true
	case "JWT":
		authorizer, err := newJWTAuthorizer(r.JWT, c)
		if err != nil {
			return nil, err
		}
		built.jwt = authorizer
	default:
		return nil, fmt.Errorf("authorization type %q: this stage knows NONE, AWS_IAM and JWT", r.AuthorizationType)
	}
	return built, nil
}

func (r *route) parseKey() error {
	if r.key == defaultRouteKey {
		return nil
	}
	parts := routeKey.FindStringSubmatch(r.key)
	if parts == nil {
		return errors.New(`the key must be "METHOD /path" or "$default"`)
	}
	r.method, r.segments = parts[1], strings.Split(parts[2][1:], "/")
	for i, s := range r.segments {
		variable := strings.ContainsAny(s, "{}")
		if variable && !pathVariable.MatchString(s) {
			return fmt.Errorf("path variable %q: it must fill its segment, as in {name} or {name+}", s)
		}
		if isGreedy(s) && i != len(r.segments)-1 {
			return fmt.Errorf("path variable %q must be the last segment", s)
		}
	}
	return nil
}

// match returns the most specific route for the request, or nil.
func (a *API) match(r *http.Request) *matched {
	path, ok := a.stagePath(r)
	if !ok {
		return nil
	}
	var best *matched
	for _, candidate := range a.routes {
		parameters, ok := candidate.matches(r.Method, path)
		if ok && (best == nil || candidate.moreSpecific(best.route)) {
			best = &matched{candidate, parameters}
		}
	}
	return best
}

// stagePath returns the decoded path without the stage's name, which every stage except $default puts before it.
// Source: API Gateway developer guide, "Stages for HTTP APIs in API Gateway".
func (a *API) stagePath(r *http.Request) (string, bool) {
	path := decodedPath(r)
	if a.config.Stage == DefaultStage {
		return path, true
	}
	rest, ok := strings.CutPrefix(path, "/"+a.config.Stage)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	rest = cmp.Or(rest, "/")
	return rest, true
}

// matches reports whether the route takes the method and path, and returns the values of its path variables.
func (r *route) matches(method, path string) (map[string]string, bool) {
	if r.key == defaultRouteKey {
		return nil, true
	}
	if r.method != "ANY" && r.method != method {
		return nil, false
	}
	var parameters map[string]string
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, want := range r.segments {
		if i >= len(segments) {
			return nil, false
		}
		got := segments[i]
		greedy := isGreedy(want)
		if greedy {
			got = strings.Join(segments[i:], "/")
		}
		if !isVariable(want) && want != got || isVariable(want) && got == "" {
			return nil, false
		}
		if isVariable(want) {
			if parameters == nil {
				parameters = map[string]string{}
			}
			parameters[strings.Trim(want, "{+}")] = got
		}
		if greedy {
			return parameters, true
		}
	}
	return parameters, len(segments) == len(r.segments)
}

// moreSpecific orders two routes that both take a request: a full match before a
// greedy one, $default last; a literal segment before a variable; a method before ANY.
// Source: API Gateway developer guide, "Create routes for HTTP APIs", Routing API requests.
func (r *route) moreSpecific(than *route) bool {
	if r.key == defaultRouteKey || than.key == defaultRouteKey {
		return than.key == defaultRouteKey
	}
	for i := range min(len(r.segments), len(than.segments)) {
		mine, theirs := specificity(r.segments[i]), specificity(than.segments[i])
		if mine != theirs {
			return mine > theirs
		}
	}
	return r.method != "ANY" && than.method == "ANY"
}

func specificity(segment string) int {
	switch {
	case isGreedy(segment):
		return 0
	case isVariable(segment):
		return 1
	}
	return 2
}

func isVariable(segment string) bool { return strings.HasPrefix(segment, "{") }
func isGreedy(segment string) bool   { return strings.HasSuffix(segment, "+}") }
