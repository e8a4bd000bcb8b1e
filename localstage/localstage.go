// Package localstage runs a SAM template on this machine: an HTTP API, a
// WebSocket API with its @connections, DynamoDB, and the functions' own binaries
// behind them, with the template's routes, roles and policies.
//
// It judges the functions and shares no code with them. FIDELITY.md lists where it behaves otherwise than AWS.
package localstage

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"signedsocket/localstage/internal/clock"
	"signedsocket/localstage/internal/dynamodb"
	"signedsocket/localstage/internal/gateway"
	"signedsocket/localstage/internal/lambda"
	"signedsocket/localstage/internal/lambdaapi"
	"signedsocket/localstage/internal/schedule"
	"signedsocket/localstage/internal/template"
)

// These are the account and Region of every local stage.
const (
	AccountID = "111122223333"
	Region    = "us-east-1"
)

// Config configures a stage. Template and State are required.
type Config struct {
	Template         string            // path of the SAM template; its folder holds the Makefile
	Listen           string            // host:port of the HTTP API; default three free ports
	Parameters       map[string]string // template parameters
	State            string            // folder for the table, outputs.json and credentials; made if missing
	Artifacts        string            // folder with <LogicalId>/<handler>; empty builds them into State
	Without          []string          // logical ids of functions not to run; their routes answer 503
	Adapter          string            // program that runs webadapter.Main, given webadapter.Command
	DynamoDBEndpoint string            // another DynamoDB instead of the built-in engine
	TimeToLive       TimeToLive        // of items in the built-in engine; the default deletes none
	IdleTimeout      time.Duration     // default 10 minutes
	MaxAge           time.Duration     // default 2 hours
	EnforceExpires   bool              // refuse a signature after its X-Amz-Expires
	Ordering         Ordering          // of the messages of one connection; default concurrent
	Faults           Faults
	FunctionFault    func(function string) InvocationFault // called before every invocation; default no fault
	IssuerKey        *rsa.PrivateKey                       // of the tokens; default a new one
	Clock            Clock                                 // of timers, retries, schedules and time to live
	Logs             io.Writer                             // the functions' output; default none
	Log              *slog.Logger                          // the stage's own log; default none
}

// Stage is a running local stage. A process may have several.
type Stage struct {
	config      Config
	listeners   *listeners
	template    *template.Template
	outputs     Outputs
	engine      *dynamodb.Engine
	functions   *lambda.Service
	byLogicalID map[string]*lambda.Function // the functions that run
	leftOut     map[string]string           // reason of every function that does not run, by logical id
	lambdaAPI   *lambdaapi.API
	schedules   *schedule.Scheduler
	gateway     *gateway.Gateway
	servers     []*http.Server
	serving     sync.WaitGroup
	written     []string // files to remove at the end

	dynamoDBFaults *dynamodb.Injector
}

// New builds the functions, starts the stage and returns when it is ready. The caller must Close it. The error says
// what to do when the template is broken, a function does not build or a port is taken.
func New(ctx context.Context, c Config) (*Stage, error) {
	s := &Stage{config: c.withDefaults()}
	if err := s.config.Validate(); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close(context.WithoutCancel(ctx)))
	}
	return s, nil
}

// Validate returns an error for a value that no stage can start with.
func (c Config) Validate() error {
	if c.Listen != "" {
		if _, err := loopbackAddress(c.Listen); err != nil {
			return err
		}
	}
	if c.DynamoDBEndpoint != "" {
		if _, err := dynamodb.ParseEndpoint(c.DynamoDBEndpoint); err != nil {
			return err
		}
	}
	if c.IdleTimeout < 0 || c.MaxAge < 0 {
		return errors.New("IdleTimeout and MaxAge cannot be negative")
	}
	return c.Faults.check(c.TimeToLive, c.DynamoDBEndpoint)
}

func (c Config) withDefaults() Config {
	c.Listen = cmp.Or(c.Listen, "127.0.0.1:0")
	if c.Clock == nil {
		c.Clock = clock.Machine{}
	}
	if c.Logs == nil {
		c.Logs = io.Discard
	}
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	return c
}

// Outputs returns the template's outputs with local values, as in outputs.json.
func (s *Stage) Outputs() Outputs { return s.outputs }

// OutputsFile returns the path of outputs.json, which exists while the stage runs.
func (s *Stage) OutputsFile() string { return filepath.Join(s.config.State, "outputs.json") }

// Function returns a function by its logical id, for tests that look at its processes or kill them. It returns nil when
// the template has no such function.
func (s *Stage) Function(logicalID string) *lambda.Function { return s.byLogicalID[logicalID] }

// Gateway returns the WebSocket API, for tests that look at its connections.
func (s *Stage) Gateway() *gateway.Gateway { return s.gateway }

// ThrottleDynamoDB makes DynamoDB throttle that share, from 0 to 1, of the requests about items from now on.
// Faults.DynamoDBThrottle does so from the start.
func (s *Stage) ThrottleDynamoDB(share float64) { s.dynamoDBFaults.SetThrottle(share) }

// ExpiredItems returns the items that Faults.ExpireBlocks has deleted so far.
func (s *Stage) ExpiredItems() []ItemKey { return s.engine.ExpiredItems() }

// Close closes every connection, runs their $disconnect until ctx ends, stops the
// functions' processes and removes outputs.json. The table stays in State.
func (s *Stage) Close(ctx context.Context) error {
	var errs []error
	if s.gateway != nil {
		errs = append(errs, s.gateway.Close(ctx))
	}
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	if s.listeners != nil {
		_ = s.listeners.Close() // the servers have closed their listeners already
	}
	if s.schedules != nil {
		s.schedules.Close()
	}
	if s.lambdaAPI != nil {
		s.lambdaAPI.Close()
	}
	if s.functions != nil {
		s.functions.Close()
	}
	s.serving.Wait()
	if s.engine != nil {
		errs = append(errs, s.engine.Close())
	}
	for _, file := range s.written {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove %s: %w", file, err))
		}
	}
	s.written = nil
	return errors.Join(errs...)
}
