// Package httpapi is one stage of an API Gateway HTTP API as an [http.Handler]. It selects the route and verifies the
// caller (JWT or IAM authorization). It passes an event in payload format 2.0 to the route's integration, and makes the
// HTTP answer of the result. CORS and throttling are those of API Gateway, too.
//
// Every emulated behaviour names its AWS page. Where AWS says nothing, the comment calls the choice inferred.
package httpapi

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/time/rate"
)

// DefaultStage is the name of the stage that puts no prefix before the path.
const DefaultStage = "$default"

// These are the limits of an HTTP API and of the Lambda functions behind it.
// Source: API Gateway developer guide, "Quotas for configuring and running an
// HTTP API" (10 MB, 30 s) and "Amazon API Gateway quotas" (throttle of an account);
// Lambda developer guide, "Lambda quotas" (6 MB both ways).
const (
	maxRequestBytes = 10 << 20
	maxPayloadBytes = 6 << 20
	defaultTimeout  = 30 * time.Second
	accountRate     = 10000 // requests per second
	accountBurst    = 5000
)

// Integration is a Lambda function behind a route. It takes one event and returns one JSON payload.
type Integration interface {
	Invoke(ctx context.Context, event []byte) ([]byte, error)
}

// Authorizer judges requests to routes with AWS_IAM authorization: it verifies the request's Signature Version 4 and
// evaluates whether the signer's policies allow action on resource. Any error refuses the request.
type Authorizer interface {
	Authorize(r *http.Request, body []byte, action, resource string) (Identity, error)
}

// Identity is the caller of a route with AWS_IAM authorization, as the event's requestContext.authorizer.iam names it.
type Identity struct {
	AccessKey string // access key id
	AccountID string
	CallerID  string // AROA…:session for a role, AIDA… for a user
	UserARN   string
	UserID    string
}

// Throttle is a token bucket of requests. A zero field stands for the account's limit.
type Throttle struct {
	RateLimit  float64 // requests per second
	BurstLimit int     // size of the bucket
}

// Route is one route of the API.
type Route struct {
	Key               string         // "POST /signurl", "ANY /files/{proxy+}" or "$default"
	AuthorizationType string         // NONE (also ""), AWS_IAM or JWT
	JWT               *JWTAuthorizer // needed when AuthorizationType is JWT
	Scopes            []string       // AuthorizationScopes; a token needs one of them
	Integration       Integration    // the function of the route
	Timeout           time.Duration  // integration timeout, 30 s when zero
	Throttle          *Throttle      // overrides the stage's; each route has its own bucket
}

// Config describes one stage of one HTTP API.
type Config struct {
	APIID      string
	Stage      string // "$default" when empty; any other name prefixes every path
	Region     string
	AccountID  string
	DomainName string // for the event; {APIID}.execute-api.{Region}.amazonaws.com when empty
	Routes     []Route
	CORS       *CORS // nil leaves OPTIONS requests to the routes
	Throttle   Throttle
	Authorizer Authorizer       // needed for AWS_IAM routes
	Client     *http.Client     // for OIDC discovery and keys; a client with a 5 s timeout when nil
	Now        func() time.Time // time.Now when nil
	Random     io.Reader        // of request ids; crypto/rand when nil
	Log        *slog.Logger     // discards when nil
}

// API is a stage that serves requests. Its methods may be called concurrently.
type API struct {
	config Config
	routes []*route
}

// New checks the configuration and builds the stage. It refuses a route key, an authorization type or an identity
// source that API Gateway would refuse.
func New(c Config) (*API, error) {
	c.setDefaults()
	if err := c.CORS.validate(); err != nil {
		return nil, fmt.Errorf("HTTP API %s: %w", c.APIID, err)
	}
	api := &API{config: c}
	seen := map[string]bool{}
	for _, r := range c.Routes {
		built, err := newRoute(c, r)
		if err == nil && seen[r.Key] {
			err = errors.New("is defined twice")
		}
		if err != nil {
			return nil, fmt.Errorf("HTTP API %s: route %q: %w", c.APIID, r.Key, err)
		}
		seen[r.Key] = true
		api.routes = append(api.routes, built)
	}
	return api, nil
}

func (c *Config) setDefaults() {
	c.Stage = cmp.Or(c.Stage, DefaultStage)
	c.DomainName = cmp.Or(c.DomainName, c.APIID+".execute-api."+c.Region+".amazonaws.com")
	if c.Client == nil {
		c.Client = &http.Client{Timeout: 5 * time.Second}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
}

func newLimiter(stage Throttle, own *Throttle) *rate.Limiter {
	if own != nil {
		stage = *own
	}
	return rate.NewLimiter(rate.Limit(cmp.Or(stage.RateLimit, accountRate)), cmp.Or(stage.BurstLimit, accountBurst))
}

// ServeHTTP answers one request as the stage does.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	requestID := a.newRequestID()
	header := w.Header()
	header.Set("Apigw-Requestid", requestID)
	if a.config.CORS.isPreflight(r) {
		a.config.CORS.writePreflight(w, r.Header.Get("Origin"))
		return
	}
	answer := a.answer(r, requestID)
	answer.writeTo(w, func() { a.config.CORS.apply(header, r.Header.Get("Origin")) })
}

// answer takes the request through the steps of the stage. That the throttle comes before authorization is inferred.
func (a *API) answer(r *http.Request, requestID string) *response {
	match := a.match(r)
	if match == nil {
		return gatewayAnswer(http.StatusNotFound, "Not Found")
	}
	matched := match.route
	if !matched.limiter.AllowN(a.config.Now(), 1) {
		return gatewayAnswer(http.StatusTooManyRequests, "Too Many Requests")
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxRequestBytes))
	if err != nil {
		return unreadable(err)
	}
	authorizer, refusal := a.authorize(matched, r, body)
	if refusal != nil {
		return refusal
	}
	event, err := json.Marshal(a.newEvent(r, match, body, requestID, authorizer))
	if err != nil {
		return a.integrationFailed(matched, fmt.Errorf("encode event: %w", err))
	}
	if len(event) > maxPayloadBytes {
		return gatewayAnswer(http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	}
	return a.invoke(r.Context(), matched, event)
}

// unreadable returns the answer to a body that is over the limit or incomplete. The client of an incomplete one is
// gone.
func unreadable(err error) *response {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return gatewayAnswer(http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	}
	return gatewayAnswer(http.StatusBadRequest, "Bad Request")
}

// authorize calls the route's authorizer, and returns the caller for the event, or the answer that refuses the request.
func (a *API) authorize(matched *route, r *http.Request, body []byte) (*eventAuthorizer, *response) {
	switch {
	case matched.jwt != nil:
		granted, err := matched.jwt.authorize(r, matched.scopes)
		if err != nil {
			return nil, a.tokenRefused(matched, err)
		}
		return &eventAuthorizer{JWT: granted}, nil
	case matched.iam:
		identity, err := a.config.Authorizer.Authorize(r, body, "execute-api:Invoke", a.resource(r))
		if err != nil {
			// The error may repeat the canonical request, and with it a session token: it does not go to the log.
			a.config.Log.Info("HTTP API refused a caller", slog.String("routeKey", matched.key))
			return nil, gatewayAnswer(http.StatusForbidden, "Forbidden")
		}
		return &eventAuthorizer{IAM: newEventIAM(identity)}, nil
	}
	return nil, nil
}

// resource returns the ARN that a caller of an AWS_IAM route must be allowed to invoke.
// Source: API Gateway developer guide, "Control access to HTTP APIs with IAM authorization".
func (a *API) resource(r *http.Request) string {
	path, _ := a.stagePath(r)
	return "arn:aws:execute-api:" + a.config.Region + ":" + a.config.AccountID + ":" +
		a.config.APIID + "/" + a.config.Stage + "/" + r.Method + path
}

// invoke runs the integration. A client that hangs up does not stop it, as on AWS.
func (a *API) invoke(ctx context.Context, matched *route, event []byte) *response {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), matched.timeout)
	defer cancel()
	payload, err := matched.integration.Invoke(ctx, event)
	switch {
	case err != nil && ctx.Err() != nil:
		a.config.Log.Warn("HTTP API integration timed out", slog.String("routeKey", matched.key),
			slog.Duration("timeout", matched.timeout))
		return gatewayAnswer(http.StatusServiceUnavailable, "Service Unavailable")
	case err != nil:
		return a.integrationFailed(matched, err)
	}
	answer, err := decodeResponse(payload)
	if err != nil {
		return a.integrationFailed(matched, err)
	}
	return answer
}

func (a *API) integrationFailed(matched *route, err error) *response {
	a.config.Log.Error("HTTP API integration failed", slog.String("routeKey", matched.key), slog.Any("error", err))
	return gatewayAnswer(http.StatusInternalServerError, "Internal Server Error")
}
