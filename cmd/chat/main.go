// Command chat is a chat on a terminal, against a local or a deployed stage. It prints messages on standard output, one
// or more lines each, and everything else on standard error. It works in a pipe, too. Its command load plays many
// clients.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"signedsocket/internal/stageclient"
)

// Exit codes; description explains them.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3
)

// commandLine holds the commands of the program.
type commandLine struct {
	Talk options     `cmd:"" default:"withargs" help:"Chat. This is the default command."`
	Load loadOptions `cmd:"" help:"${load}"`
}

// stageOptions name the stage and the way to get a URL.
type stageOptions struct {
	Room          string `placeholder:"ROOM" help:"${room}"`
	Outputs       string `default:"${outputs}" placeholder:"FILE" help:"Outputs of the stage, as JSON (${default})."`
	SignLocally   bool   `xor:"how" help:"${signLocally}"`
	TrustedCaller bool   `xor:"how" help:"${trustedCaller}"`
	TokenCommand  string `env:"${tokenCommand}" placeholder:"COMMAND" help:"${token}"`
}

// options are those of the chat itself.
type options struct {
	As    string   `required:"" xor:"who" placeholder:"USER" help:"${as}"`
	Guest bool     `required:"" xor:"who" help:"${guest}"`
	Name  string   `placeholder:"NAME" help:"${name}"`
	Once  []string `sep:"none" placeholder:"TEXT" help:"${once}"`
	Last  *int     `placeholder:"N" help:"${last}"`
	stageOptions
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	os.Exit(code)
}

// run is the program. It returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c, command, code, done := parse(args, stdout, stderr)
	if done {
		return code
	}
	out := &screen{messages: stdout, notes: stderr, local: time.Local}
	path := c.Talk.Outputs
	if command == "load" {
		path = c.Load.Outputs
	}
	outputs, err := loadOutputs(path, stdin)
	if err != nil {
		out.note(explainOutputs(path, err))
		return exitFailed
	}
	if command == "load" {
		err = putLoad(ctx, c.Load, outputs, out)
	} else {
		l := newLink(c.Talk.stageOptions, outputs, c.Talk.As, c.Talk.Name)
		out.prompting = len(c.Talk.Once) == 0 && isTerminal(stdin) && isTerminal(stdout) && isTerminal(stderr)
		talk := newChat(l, out, input(ctx, c.Talk.Once, stdin), c.Talk.firstMessages(out.prompting))
		talk.past.plain, talk.reading.person = len(c.Talk.Once) > 0, out.prompting
		err = talk.run(ctx)
		out.leave()
	}
	return exitCode(err, out)
}

// firstMessages returns how many of the last messages are shown first: to a person a screen of them, in a pipe none.
func (o options) firstMessages(person bool) int {
	switch {
	case o.Last != nil:
		return *o.Last
	case person:
		return lastForPeople
	}
	return 0
}

// isTerminal reports whether a stream is a terminal, or another device that a person may use.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// exitCode prints why the program ends, and returns its exit code.
func exitCode(err error, out *screen) int {
	if err == nil {
		return exitDone
	}
	out.note(err.Error())
	if stopped, ok := errors.AsType[*stopError](err); ok {
		return stopped.code
	}
	return exitFailed
}

func loadOutputs(path string, stdin io.Reader) (stageclient.Outputs, error) {
	if path == "-" {
		return stageclient.ReadOutputs(stdin)
	}
	return stageclient.LoadOutputs(path)
}

// parse reads the command line. done says that the program has to end.
func parse(args []string, stdout, stderr io.Writer) (c commandLine, command string, code int, done bool) {
	parser, err := kong.New(&c, kong.Name("chat"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Exit(func(c int) { code, done = c, true }), helpTexts)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return c, "", exitUsage, true
	}
	parsed, err := parser.Parse(args)
	if done { // --help
		return c, "", code, true
	}
	if err == nil {
		command, err = parsed.Command(), c.check(parsed.Command())
	}
	if err != nil {
		fmt.Fprintf(stderr, "%v; see chat --help\n", err)
		return c, "", exitUsage, true
	}
	return c, command, exitDone, false
}

// check finds options that contradict each other.
func (c commandLine) check(command string) error {
	talk, load := c.Talk, c.Load
	switch {
	case talk.Guest && (talk.SignLocally || talk.TrustedCaller), load.Guest && (load.SignLocally || load.TrustedCaller):
		return errors.New("--sign-locally and --trusted-caller need a user: name one with --as " +
			"instead of --guest")
	case command == "load":
		return load.plan().Check()
	case talk.Last != nil && (*talk.Last < 0 || *talk.Last > mostAtOnce):
		return fmt.Errorf("--last shows %d messages at most, and none with 0", mostAtOnce)
	case talk.Outputs == "-" && len(talk.Once) == 0:
		return errors.New("--outputs - reads standard input, so give the texts with --once")
	}
	return nil
}
