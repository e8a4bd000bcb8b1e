// Command probe shows in seconds whether a stage works and refuses what it must refuse, for example after a deployment.
// It connects as a user does, sends a message, and then tries what must be refused. Each failed step says what it means
// and what to check.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"signedsocket/internal/stageclient"
)

// patience bounds the steps of the probe. A stage that needs longer, even with cold functions, has a fault. The token
// is fetched before, because its command can be slow and is no part of the stage.
const (
	patience      = 10 * time.Second
	tokenPatience = time.Minute
)

// Exit codes; description explains them.
const (
	exitGood  = 0
	exitBad   = 1
	exitUsage = 2
)

const description = `Shows whether a stage works and refuses what it must refuse, in at most ten seconds.

Without a token it leaves out the steps that need one, and names them.

Exit codes: 0 every step that was tried passed; 1 a step failed, and the lines that begin
with FAIL name it; 2 wrong usage.`

const tokenHelp = "Shell command that prints an access token for the user in $" + stageclient.UserVariable +
	". By default the development issuer of the local stage gives the token."

const asHelp = "User of the steps (probe), except on a stage for guests. " +
	"On a stage whose AuthMode is iam this computer's AWS credentials name the user."

// options are the command line.
type options struct {
	Outputs      string `default:"${outputs}" placeholder:"FILE" help:"Outputs of the stage, as JSON (${default})."`
	As           string `default:"probe" placeholder:"USER" help:"${asHelp}"`
	TokenCommand string `env:"${tokenCommand}" placeholder:"COMMAND" help:"${tokenHelp}"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	code, done := exitGood, false
	parser, err := kong.New(&o, kong.Name("probe"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Exit(func(c int) { code, done = c, true }),
		kong.Vars{
			"outputs": stageclient.DefaultOutputs, "tokenCommand": stageclient.TokenCommandVariable,
			"asHelp": asHelp, "tokenHelp": tokenHelp,
		})
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
		fmt.Fprintf(stderr, "%v\nStart a local stage with `make run`, or name a deployed one: make probe STACK=…\n",
			err)
		return exitBad
	}
	p := &prober{
		client:   &stageclient.Client{Outputs: outputs, TokenCommand: o.TokenCommand},
		user:     o.As,
		patience: patience,
	}
	return p.probe(ctx, stdout)
}

// probe runs and reports every step. It ends when the stage refuses the user.
func (p *prober) probe(ctx context.Context, out io.Writer) int {
	defer p.close()
	p.prepare(ctx)
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	began, failed, untried := time.Now(), 0, []string(nil)
	for i, step := range p.steps() {
		if step.needsUser && len(untried) > 0 {
			untried = append(untried, step.name)
			continue
		}
		started := time.Now()
		found, wrong := step.take(ctx)
		if wrong == nil {
			fmt.Fprintf(out, "ok    %-10s %s (%d ms)\n", step.name, found, time.Since(started).Milliseconds())
			continue
		}
		if wrong.untried {
			untried = append(untried, step.name)
			printTrouble(out, "----", step.name, "not tried: "+wrong.what, wrong.todo)
			continue
		}
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			wrong.what = fmt.Sprintf("no answer before the %s of the probe were over", p.patience)
		}
		failed++
		printTrouble(out, "FAIL", step.name, wrong.what, cmp.Or(wrong.todo, "look into the functions' logs: make logs"))
		if i == 0 || ctx.Err() != nil {
			break
		}
	}
	switch socket := p.client.Outputs.WebSocketURL; {
	case failed > 0:
		fmt.Fprintf(out, "\n%s failed the probe.\n", socket)
		return exitBad
	case len(untried) > 0:
		fmt.Fprintf(out, "\n%s passed every step that needs no user. Not tried: %s.\n",
			socket, strings.Join(untried, ", "))
	default:
		fmt.Fprintf(out, "\n%s works, and refuses what it must refuse (%.1f s).\n", socket, time.Since(began).Seconds())
	}
	return exitGood
}

// printTrouble prints a failed step and its remedy.
func printTrouble(out io.Writer, verdict, name, what, todo string) {
	fmt.Fprintf(out, "%-4s  %-10s %s\n      %-10s What to do: %s\n", verdict, name, what, "", todo)
}
