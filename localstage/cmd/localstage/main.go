// Command localstage runs template.yaml on this machine: the HTTP API, the WebSocket API with its @connections,
// DynamoDB and a development issuer. The functions run from their own binaries.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"signedsocket/localstage"
	"signedsocket/localstage/internal/dynamodb"
	"signedsocket/localstage/internal/gateway"
	"signedsocket/localstage/internal/webadapter"
)

const listenDefault = "127.0.0.1:3001"

// helps are the texts of --help by option.
var helps = kong.Vars{
	"listen_default": listenDefault,
	"listen": "Address of the HTTP API (" + listenDefault + "). The WebSocket API takes the next port and " +
		"development the one after; port 0 picks three free ones.",
	"param": "Sets a parameter of the template. Repeatable.",
	"state": "Folder for the table, outputs.json, credentials and built functions",
	"without": "Leaves a function out, by its name in the template: the stage neither builds nor runs it, and its " +
		"routes answer 503. Repeatable.",
	"dynamodb_endpoint": "Uses this DynamoDB instead of the built-in engine, for example DynamoDB Local.",
	"dynamodb_only": "Serves the built-in DynamoDB alone at --listen, without a template and without policies: any " +
		"signature is good. Of the other options --state, --delete-expired, --json and DynamoDB's faults apply.",
	"delete_expired": "Lets the built-in DynamoDB delete items so long after their time to live is over. By default " +
		"it never does. AWS may take days, so a reader of an item must look at its time.",
	"idle":    "Closes a connection that was silent for so long",
	"max_age": "Closes a connection that is so old",
	"order": "Order in which the messages of one connection reach their function: concurrent (as on AWS: a later " +
		"one may overtake), serial, or shuffled, which finds code that relies on an order.",
	"expires": "Refuses a signed URL after its X-Amz-Expires. The default ignores it, as API Gateway is believed to.",
	"faults": "Injects a fault: hold-101=500ms delays every accepted handshake, delay-functions=500ms every event, " +
		"delay-dynamodb=20ms every request about items by up to that time, before and after it is done; " +
		"issuer-ahead=3s sets the issuer's clock ahead; lose-disconnects, gone-posts, limit-posts, lose-posts, " +
		"hold-readers, drop-tcp, kill-functions, dynamodb-throttle, transaction-conflicts, unprocessed-items, " +
		"lose-answers, torn-queries, late-deletions take a share of 0 to 1; expire-blocks a share, or a share and " +
		"the beginning of partition keys: 0.05,LOG#. README.md has a line for each. Repeatable.",
	"seed": "Seeds the random numbers of the faults: the same seed gives the same faults",
	"json": "Prints the outputs as one line of JSON when ready.",
}

const description = `Runs template.yaml on this machine, without an AWS account and without Docker.

The stage builds the functions with the make targets that "sam build" uses and listens on
three loopback addresses, as on AWS: the HTTP API, the WebSocket API with @connections, and,
for development only, an OIDC issuer with DynamoDB. Its addresses are in outputs.json in
the state folder. Exit codes: 0 stopped, 1 cannot start, 2 bad command line.`

// flags is the command line.
type flags struct {
	Template         string            `default:"template.yaml" placeholder:"FILE" help:"Template to run (${default})."`
	Listen           string            `default:"${listen_default}" placeholder:"HOST:PORT" help:"${listen}"`
	Param            map[string]string `mapsep:"none" placeholder:"KEY=VALUE" help:"${param}"`
	State            string            `default:".localstage" placeholder:"DIR" help:"${state} (${default})."`
	Without          []string          `sep:"none" placeholder:"FUNCTION" help:"${without}"`
	DynamoDBEndpoint string            `name:"dynamodb-endpoint" placeholder:"URL" help:"${dynamodb_endpoint}"`
	DynamoDBOnly     bool              `name:"dynamodb-only" help:"${dynamodb_only}"`
	DeleteExpired    *time.Duration    `name:"delete-expired" placeholder:"TIME" help:"${delete_expired}"`
	IdleTimeout      time.Duration     `default:"10m" placeholder:"TIME" help:"${idle} (${default}, as on AWS)."`
	MaxAge           time.Duration     `default:"2h" placeholder:"TIME" help:"${max_age} (${default}, as on AWS)."`
	Order            gateway.Ordering  `default:"concurrent" placeholder:"ORDER" help:"${order}"`
	EnforceExpires   bool              `name:"enforce-amz-expires" help:"${expires}"`
	Fault            map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"${faults}"`
	Seed             uint64            `default:"1" placeholder:"N" help:"${seed} (${default})."`
	JSON             bool              `name:"json" help:"${json}"`
}

// Validate implements kong's Validatable: a value that no stage can start with is a bad command line.
func (f flags) Validate() error {
	if f.IdleTimeout <= 0 || f.MaxAge <= 0 {
		return errors.New("--idle-timeout and --max-age must be longer than nothing")
	}
	if f.DeleteExpired != nil && *f.DeleteExpired < 0 {
		return errors.New("--delete-expired cannot be negative")
	}
	config, err := f.config()
	if err != nil {
		return err
	}
	return config.Validate()
}

// config returns the configuration of the stage.
func (f flags) config() (localstage.Config, error) {
	faults, err := localstage.ParseFaults(f.Fault, f.Seed)
	var timeToLive dynamodb.TTL
	if f.DeleteExpired != nil {
		timeToLive = dynamodb.TTL{Delete: true, Lag: *f.DeleteExpired}
	}
	return localstage.Config{
		Template:         f.Template,
		Listen:           f.Listen,
		Parameters:       f.Param,
		State:            f.State,
		Without:          f.Without,
		DynamoDBEndpoint: f.DynamoDBEndpoint,
		TimeToLive:       timeToLive,
		IdleTimeout:      f.IdleTimeout,
		MaxAge:           f.MaxAge,
		Ordering:         f.Order,
		EnforceExpires:   f.EnforceExpires,
		Faults:           faults,
	}, err
}

// ballast is unused memory, so the machine assigns no pages to it. The garbage collector counts it as the stage's and
// collects only when as much garbage has gathered. A broadcast makes much short-lived garbage.
const ballast = 32 << 20 // bytes

func main() {
	// The stage starts this program once more for each process of a web function.
	if len(os.Args) == 2 && os.Args[1] == webadapter.Command {
		os.Exit(webadapter.Main(os.Environ(), os.Stderr))
	}
	weight := make([]byte, ballast)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	runtime.KeepAlive(weight)
	os.Exit(code)
}

// run parses args and runs a stage until ctx ends. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var f flags
	helped := false
	parser, err := kong.New(&f, kong.Name("localstage"), kong.Description(description), helps,
		kong.Writers(stdout, stderr), kong.Exit(func(int) { helped = true }))
	if err != nil {
		fmt.Fprintln(stderr, "localstage:", err)
		return 2
	}
	_, err = parser.Parse(args)
	switch {
	case helped:
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "localstage: %v (see localstage --help)\n", err)
		return 2
	}
	if err := serve(ctx, f, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "localstage:", err)
		return 1
	}
	return 0
}
