// Command probe shows in seconds whether a stage works and keeps its doors shut: right after a deployment, or at any time. It
// connects as a user would, sends a message, and then tries what has to be refused. Each step that fails says what it means and
// what to look at.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"signedsocket/internal/stageclient"
)

// patience bounds the whole probe. A stage that needs longer with cold functions has a fault.
const patience = 10 * time.Second

// Exit codes, as description tells them.
const (
	exitGood  = 0
	exitBad   = 1
	exitUsage = 2
)

const description = `Shows whether a stage works and keeps its doors shut, in at most ten seconds.

Exit codes: 0 everything is as it should be; 1 something is not, and the lines that begin with FAIL say what; 2 wrong usage.`

// options are the command line.
type options struct {
	Outputs      string `default:"${outputs}" placeholder:"FILE" help:"Outputs of the stage, as JSON (${default})."`
	As           string `default:"probe" placeholder:"USER" help:"Who to be (${default}), except on a stage for guests. A stage whose AuthMode is iam is told so with this computer's AWS credentials."`
	TokenCommand string `env:"${tokenCommand}" placeholder:"COMMAND" help:"Shell command that prints an access token for the user in $$$${user}. By default the local stage's development issuer is asked."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	code, done := exitGood, false
	parser, err := kong.New(&o, kong.Name("probe"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Exit(func(c int) { code, done = c, true }),
		kong.Vars{"outputs": stageclient.DefaultOutputs, "tokenCommand": stageclient.TokenCommandVariable, "user": stageclient.UserVariable})
	if err == nil {
		_, err = parser.Parse(args)
	}
	switch {
	case done: // --help
		return code
	case err != nil:
		fmt.Fprintf(stderr, "%v; see probe --help\n", err)
		return exitUsage
	}
	outputs, err := stageclient.LoadOutputs(o.Outputs)
	if err != nil {
		fmt.Fprintf(stderr, "%v\nStart a local stage with `make run`, or name a deployed one: make probe STACK=…\n", err)
		return exitBad
	}
	p := &prober{client: &stageclient.Client{Outputs: outputs, TokenCommand: o.TokenCommand}, user: o.As}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return p.probe(ctx, stdout)
}

// probe takes every step and tells of each. When nobody gets in there is nothing more to learn, and it ends.
func (p *prober) probe(ctx context.Context, out io.Writer) int {
	defer p.close()
	began, failed := time.Now(), 0
	for i, step := range p.steps() {
		started := time.Now()
		found, wrong := step.take(ctx)
		if wrong == nil {
			fmt.Fprintf(out, "ok    %-10s %s (%d ms)\n", step.name, found, time.Since(started).Milliseconds())
			continue
		}
		failed++
		fmt.Fprintf(out, "FAIL  %-10s %s\n      %-10s What to do: %s\n", step.name, wrong.what, "", cmp.Or(wrong.todo, "look into the functions' logs: make logs"))
		if i == 0 || ctx.Err() != nil {
			break
		}
	}
	if failed > 0 {
		fmt.Fprintf(out, "\n%s is not as it should be.\n", p.client.Outputs.WebSocketURL)
		return exitBad
	}
	fmt.Fprintf(out, "\n%s works, and keeps its doors shut (%.1f s).\n", p.client.Outputs.WebSocketURL, time.Since(began).Seconds())
	return exitGood
}
