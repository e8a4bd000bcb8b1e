// Command suite runs test/e2e and test/attack against a running stage, deployed or local, which it knows by its
// outputs. It prints the rows of the divergence table in localstage/FIDELITY.md that the answers confirm or contradict.
//
// With --local it starts a local stage and offers of it only what a deployed one has: the outputs of the template, a
// command that prints tokens, keys in AWS's default chain. Tests that pass there need nothing that a deployed stage
// lacks.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"signedsocket/internal/stageclient"
)

// page holds the divergence table, in the folder that the command runs in.
const page = "localstage/FIDELITY.md"

type flags struct {
	Outputs    string `required:"" xor:"stage" type:"path" placeholder:"FILE" help:"${outputs}"`
	Local      bool   `required:"" xor:"stage" help:"Start a local stage that shows only what a deployed one has."`
	Recordings string `type:"path" placeholder:"DIR" help:"Keep what was sent and answered here, masked, by test."`
	Run        string `placeholder:"PATTERN" help:"Run only the tests whose names match, as go test -run does."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var f flags
	const outputs = "Outputs of the stage to play. Its AuthMode has to be jwt and its StageName prod, " +
		"and no other user should be on it."
	parsed := kong.Parse(&f, kong.Name("suite"), kong.Description("Plays the suites against a running stage."),
		kong.Vars{"outputs": outputs})
	passed, err := play(ctx, f, os.Stdout)
	parsed.FatalIfErrorf(err)
	if !passed {
		os.Exit(1)
	}
}

// play runs the suites and reports to out. It returns whether everything that ran has passed.
func play(ctx context.Context, f flags, out io.Writer) (passed bool, err error) {
	known, err := readRows(page)
	if err != nil {
		return false, err
	}
	const command, user = stageclient.TokenCommandVariable, stageclient.UserVariable
	environment := []string{stageclient.OutputsVariable + "=" + f.Outputs}
	if f.Local {
		var end func() error
		if environment, end, err = startLocal(ctx); err != nil {
			return false, err
		}
		defer func() { err = errors.Join(err, end()) }()
	} else if os.Getenv(command) == "" {
		return false, fmt.Errorf("set %s to a command that prints an access token for the user in $%s; "+
			"see docs/testing.md", command, user)
	}
	if f.Recordings != "" {
		if err := os.MkdirAll(f.Recordings, 0o700); err != nil {
			return false, err
		}
		environment = append(environment, stageclient.RecordingsVariable+"="+f.Recordings)
	}
	results, err := runTests(ctx, f.Run, environment, out)
	if err != nil {
		return false, err
	}
	results.report(out, known)
	return len(results.failed) == 0 && len(results.passed) > 0, nil
}

// runTests runs the suites one test after the other, as the tests of a shared stage have to, and shows what fails.
func runTests(ctx context.Context, pattern string, environment []string, out io.Writer) (*results, error) {
	// -parallel 1: all tests are in the same lobby.
	command := exec.CommandContext(ctx, "go", "test", "-json", "-count=1", "-p=1", "-parallel=1", "-timeout=60m",
		"-run", pattern, "./test/e2e", "./test/attack")
	command.Env, command.Stderr = append(os.Environ(), environment...), os.Stderr
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	events, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("run go test: %w", err)
	}
	found, err := collect(events, out)
	ended := command.Wait()
	if err != nil {
		return nil, err
	}
	if ended != nil && len(found.failed) == 0 {
		return nil, fmt.Errorf("go test did not get to the end: %w", ended)
	}
	return found, nil
}
