package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"signedsocket/localstage/internal/clock"
)

// These are the service's own values, which hold where a Config says nothing.
// Source: "Quotas for configuring and running a WebSocket API".
const (
	defaultTimeout     = 29 * time.Second
	defaultIdleTimeout = 10 * time.Minute
	defaultMaxAge      = 2 * time.Hour
	defaultRate        = 10_000 // requests a second
	defaultBurst       = 5_000  // requests
)

// Config describes a stage. APIID, Stage, Region, AccountID and Authorizer are required. Every other zero value stands
// for API Gateway's own value.
type Config struct {
	APIID     string // such as "abcd123"
	Stage     string // such as "prod"
	Region    string // such as "us-east-1"
	AccountID string // twelve digits

	// RouteSelectionExpression selects the route of a message. Default "$request.body.action".
	RouteSelectionExpression string
	StageVariables           map[string]string
	Routes                   []Route
	Throttle                 Throttle // of each route that has none of its own

	Authorizer Authorizer

	IdleTimeout time.Duration // without a message in either direction; default 10 minutes
	MaxAge      time.Duration // of a connection; default 2 hours
	Clock       clock.Clock   // drives idle, age and throttles; default the machine's

	// Now stamps events and answers. It is the machine's time even when a test has moved Clock, because the functions
	// live in the machine's time. Default time.Now.
	Now func() time.Time

	Ordering Ordering // of one connection's messages; default Concurrent
	Faults   Faults
	Log      *slog.Logger // default discards
}

// Route is one route of the API with its integration.
type Route struct {
	Key               string // "$connect", "$disconnect", "$default" or a custom key
	AuthorizationType string // "NONE" (also "") or, on $connect only, "AWS_IAM"
	Integration       Integration
	Timeout           time.Duration // of one invocation; default 29 s
	TwoWay            bool          // send the handler's body back to the client
	Throttle          *Throttle     // nil means the stage's
}

// Throttle is a token bucket. A zero member means the account's default:
// 10,000 requests a second, a burst of 5,000.
type Throttle struct {
	RateLimit  float64
	BurstLimit int
}

// Ordering says how the messages of one connection reach their integrations.
type Ordering int

const (
	// Concurrent starts each message's invocation at once, so that a later one may finish first. Source: assumed; no
	// page promises an order.
	Concurrent Ordering = iota
	// Serial starts a message's invocation when the previous one has returned.
	Serial
	// Shuffled starts each invocation after a random pause of up to 20 ms, so that code that relies on an order fails
	// soon.
	Shuffled
)

// UnmarshalText reads an ordering by its name: concurrent, serial or shuffled.
func (o *Ordering) UnmarshalText(name []byte) error {
	index := slices.Index([]string{"concurrent", "serial", "shuffled"}, string(name))
	if index < 0 {
		return fmt.Errorf("%q is no order of messages: choose concurrent, serial or shuffled", name)
	}
	*o = Ordering(index)
	return nil
}

// ErrNotPermitted is the error of an Integration, wrapped or not, when the API lacks the permission to invoke the
// function. A handshake then answers 500 and not 502.
var ErrNotPermitted = errors.New("the API may not invoke the function")

// Integration is the Lambda function behind a route.
type Integration interface {
	// Invoke passes one event as JSON to the function and returns the function's result as JSON. Any error means that
	// the function failed. Invoke returns soon after ctx has ended.
	Invoke(ctx context.Context, event []byte) ([]byte, error)
}

// Authorizer verifies the signature of a request and evaluates the signer's policies.
type Authorizer interface {
	// Authorize judges r. body is the whole body of r (nil for a handshake, which has none). Authorize returns the
	// signer's identity and a nil interface, or the answer that refuses the request.
	Authorize(r *http.Request, body []byte, access Access) (Identity, Refusal)
}

// Access is the permission that a request needs.
type Access struct {
	Action   string // "execute-api:Invoke" or "execute-api:ManageConnections"
	Resource string // ARN for the evaluation of policies

	// ResourceShown is the ARN in a refusal: for @connections the template "…/POST/@connections/{connectionId}",
	// literally. Source: observed.
	ResourceShown string
}

// Identity is the signer of a request, as $connect events show it.
// Source: observed, $connect events under IAM authorization.
type Identity struct {
	UserARN        string
	AccountID      string
	Caller         string
	AccessKey      string
	User           string
	PrincipalOrgID string // empty outside of an organization
}

// Refusal is an HTTP answer that refuses a request. If it is a slog.LogValuer,
// its value goes to the log, which must hold nothing secret.
type Refusal interface {
	// WriteTo writes the whole answer: status, headers, body.
	WriteTo(w http.ResponseWriter)
}

func (c Config) withDefaults() Config {
	c.RouteSelectionExpression = cmp.Or(c.RouteSelectionExpression, "$request.body.action")
	c.IdleTimeout = cmp.Or(c.IdleTimeout, defaultIdleTimeout)
	c.MaxAge = cmp.Or(c.MaxAge, defaultMaxAge)
	if c.Clock == nil {
		c.Clock = clock.Machine{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	return c
}

func (c Config) check() error {
	if c.APIID == "" || c.Stage == "" || c.Region == "" || c.AccountID == "" || c.Authorizer == nil {
		return errors.New("APIID, Stage, Region, AccountID and Authorizer are needed")
	}
	if c.IdleTimeout < 0 || c.MaxAge < 0 {
		return errors.New("IdleTimeout and MaxAge cannot be negative")
	}
	if c.Ordering < Concurrent || c.Ordering > Shuffled {
		return fmt.Errorf("ordering %d is unknown", c.Ordering)
	}
	var keys []string
	for _, r := range c.Routes {
		if slices.Contains(keys, r.Key) {
			return fmt.Errorf("route %q is defined twice", r.Key)
		}
		keys = append(keys, r.Key)
		if err := r.check(); err != nil {
			return fmt.Errorf("route %q: %w", r.Key, err)
		}
	}
	return c.Faults.check()
}

func (r Route) check() error {
	switch {
	case r.Key == "":
		return errors.New("a route needs a key")
	case r.Integration == nil:
		return errors.New("a route needs an integration")
	case r.AuthorizationType == "AWS_IAM" && r.Key != routeConnect:
		// Source: "Control and manage access to WebSocket APIs": only $connect is authorized.
		return errors.New("authorization is possible on $connect only")
	case !slices.Contains([]string{"", "NONE", "AWS_IAM"}, r.AuthorizationType):
		return fmt.Errorf("AuthorizationType %q is not supported; use NONE or AWS_IAM", r.AuthorizationType)
	}
	return nil
}

// route is a Route ready for use.
type route struct {
	Route
	limiter *rate.Limiter
}

func newRoute(r Route, stage Throttle) *route {
	r.Timeout = cmp.Or(r.Timeout, defaultTimeout)
	if r.Throttle != nil {
		stage = *r.Throttle
	}
	limit, burst := cmp.Or(stage.RateLimit, defaultRate), cmp.Or(stage.BurstLimit, defaultBurst)
	return &route{Route: r, limiter: rate.NewLimiter(rate.Limit(limit), burst)}
}

func (r *route) signed() bool { return r.AuthorizationType == "AWS_IAM" }
