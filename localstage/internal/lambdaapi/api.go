package lambdaapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"signedsocket/localstage/internal/clock"
)

// Path begins the paths of all requests to the API.
// Source: API model, Invoke.
const Path = "/2015-03-31/"

// ErrClosed means that the API was closed before it took the event.
var ErrClosed = errors.New("lambda API closed")

// Invoker runs a function. *lambda.Function of package lambda implements it.
type Invoker interface {
	// Invoke passes one event as JSON to the function and returns the function's result as JSON. It returns a
	// *lambda.FunctionError when the function failed, and lambda.ErrThrottled when it has no room for the event. It
	// returns soon after ctx has ended.
	Invoke(ctx context.Context, event []byte) ([]byte, error)
}

// Authorizer judges whether the signer of a request may make it.
type Authorizer interface {
	// Authorize judges r, whose whole body is body: its signature for the service lambda, and then the signer's
	// permission for action ("lambda:InvokeFunction") on resource, the ARN of the function. It returns a nil interface,
	// or the answer that refuses the request.
	Authorize(r *http.Request, body []byte, action, resource string) Refusal
}

// Refusal is a complete answer that refuses a request.
type Refusal interface {
	// WriteTo writes the whole answer: status, headers, body. It keeps an
	// x-amzn-RequestId that w already has.
	WriteTo(w http.ResponseWriter)
}

// Function is a function that the API can invoke.
type Function struct {
	// ARN is the function's own, unqualified; it ends in the function's name. Required.
	ARN string
	// Invoker runs it. Required.
	Invoker Invoker
	// Reserved means that the function has reserved concurrency. A throttled caller gets it as the reason.
	Reserved bool
	// Event configures its asynchronous invocations.
	Event EventInvokeConfig
}

// EventInvokeConfig is AWS::Lambda::EventInvokeConfig for one function. The zero value stands for Lambda's defaults.
type EventInvokeConfig struct {
	// MaximumRetryAttempts is the number of further attempts after the function failed, 0 to 2. Nil means 2.
	MaximumRetryAttempts *int
	// MaximumEventAge is the longest time for which an event may wait for an attempt, one minute to six hours. Zero
	// means six hours.
	MaximumEventAge time.Duration
	// OnFailure gets the invocation record, a JSON document, of every event that Lambda gave up. The event's goroutine
	// calls it. It must not wait for the API. Nil discards the records.
	OnFailure func(record []byte)
}

// Config describes an API. Region, AccountID and Authorizer are required.
type Config struct {
	Region     string // such as "us-east-1"
	AccountID  string // twelve digits
	Functions  []Function
	Authorizer Authorizer

	Clock clock.Clock      // drives the retries and the age of events; default the machine's
	Now   func() time.Time // stamps invocation records; default time.Now
	Log   *slog.Logger     // default discards
}

// API is the Invoke API. Make it with New, end it with Close. Several goroutines may call its methods.
type API struct {
	region, account string
	functions       map[string]*Function // by unqualified ARN
	authorizer      Authorizer
	queue           *queue
	log             *slog.Logger
	mux             *http.ServeMux
}

// New returns an API, or an error that names a missing or invalid value.
func New(c Config) (*API, error) {
	if c.Region == "" || c.AccountID == "" || c.Authorizer == nil {
		return nil, errors.New("new Lambda API: Region, AccountID and Authorizer are required")
	}
	if c.Clock == nil {
		c.Clock = clock.Machine{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	a := &API{
		region:     c.Region,
		account:    c.AccountID,
		functions:  make(map[string]*Function, len(c.Functions)),
		authorizer: c.Authorizer,
		queue:      newQueue(c),
		log:        c.Log,
		mux:        http.NewServeMux(),
	}
	for _, f := range c.Functions {
		if err := a.add(f); err != nil {
			return nil, fmt.Errorf("new Lambda API: %w", err)
		}
	}
	a.mux.HandleFunc("POST "+Path+"functions/{FunctionName}/invocations", a.invoke)
	a.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { unknownOperation.WriteTo(w) })
	return a, nil
}

func (a *API) add(f Function) error {
	ref, err := a.resolve(f.ARN, "")
	switch {
	case err != nil || ref.qualifier != "" || ref.arn() != f.ARN:
		return fmt.Errorf("function %q: its ARN must be arn:aws:lambda:<region>:<account>:function:<name>", f.ARN)
	case f.Invoker == nil:
		return fmt.Errorf("function %s: Invoker is required", f.ARN)
	case a.functions[f.ARN] != nil:
		return fmt.Errorf("function %s is given twice", f.ARN)
	}
	if err := f.Event.check(); err != nil {
		return fmt.Errorf("function %s: %w", f.ARN, err)
	}
	a.functions[f.ARN] = &f
	return nil
}

// ServeHTTP answers one request. It knows Invoke only; every other path is an UnknownOperationException.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(headerRequestID, uuid.NewString())
	a.mux.ServeHTTP(w, r)
}

// InvokeAsync queues an event for a function, named or by ARN, as other services of AWS do. There is no signature and
// no policy: the caller has checked its permission. InvokeAsync returns at once. An error means that it did not queue
// the event: there is no such function, the event is not JSON or larger than 1 MiB, or the API is closed. The event
// must not change after the call.
func (a *API) InvokeAsync(function string, event []byte) error {
	ref, refusal := a.resolve(function, "")
	if refusal != nil {
		return fmt.Errorf("invoke %s: %w", function, refusal)
	}
	f, refusal := a.find(ref)
	if refusal == nil {
		refusal = checkEvent(event, invocationEvent)
	}
	if refusal != nil {
		return fmt.Errorf("invoke %s: %w", function, refusal)
	}
	if err := a.queue.send(f, event, uuid.NewString()); err != nil {
		return fmt.Errorf("invoke %s: %w", function, err)
	}
	return nil
}

// Close drops the events that wait for another attempt, stops waiting for the events that functions handle, and returns
// when nothing runs in the background. The API then refuses events. A second Close does nothing.
func (a *API) Close() { a.queue.close() }
