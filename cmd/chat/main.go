// Command chat is the chat on a terminal, against a local or a deployed stage. It
// prints messages on standard output, one or more lines each, and everything else on
// standard error; it works in a pipe as well.
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

// Exit codes, as description tells them.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3
)

const description = `Chat on a terminal. Lines of standard input are sent, messages come on standard output.

In a pipe it leaves when every line has been acknowledged. It reconnects by itself, with a new signed URL each time.

Exit codes: 0 everything was acknowledged; 1 something failed, and the last line on standard error says what;
2 wrong usage; 3 the stage refused this user or the signed URL.`

// options are the command line.
type options struct {
	As            string   `required:"" xor:"who" placeholder:"USER" help:"Who to be. On a local stage any name of a-z, 0-9 and -, up to 32 characters."`
	Guest         bool     `required:"" xor:"who" help:"Be a guest, whom the stage gives a name. For a stage whose AuthMode is guest."`
	Room          string   `placeholder:"ROOM" help:"Room to be in. By default the stage decides; lobby with --sign-locally."`
	Outputs       string   `default:"${outputs}" placeholder:"FILE" help:"Outputs of the stage, as JSON (${default})."`
	Once          []string `sep:"none" placeholder:"TEXT" help:"Send this and leave when it is acknowledged, instead of reading standard input. May be repeated."`
	SignLocally   bool     `xor:"how" help:"Sign with this computer's AWS credentials instead of asking signurl. The stage takes it from a principal of its parameter ExtraSignerArns."`
	TrustedCaller bool     `xor:"how" help:"Ask signurl with this computer's AWS credentials, and name the user to it. For a stage whose AuthMode is iam and whose TrustedCallerArns has their principal."`
	Name          string   `placeholder:"NAME" help:"Display name for --sign-locally and --trusted-caller. By default the user."`
	TokenCommand  string   `env:"${tokenCommand}" placeholder:"COMMAND" help:"Shell command that prints an access token for the user in $$${user}. By default the local stage's development issuer is asked."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	os.Exit(code)
}

// run is the program: it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, code, done := parse(args, stdout, stderr)
	if done {
		return code
	}
	out := &screen{messages: stdout, notes: stderr, local: time.Local}
	outputs, err := loadOutputs(o.Outputs, stdin)
	if err != nil {
		out.note(explainOutputs(o.Outputs, err))
		return exitFailed
	}
	l := newLink(o, outputs)
	err = newChat(l, out, input(ctx, o.Once, stdin)).run(ctx)
	var stopped *stopError
	switch {
	case errors.As(err, &stopped):
		out.note(stopped.text)
		return stopped.code
	case err != nil:
		out.note(err.Error())
		return exitFailed
	}
	return exitDone
}

func loadOutputs(path string, stdin io.Reader) (stageclient.Outputs, error) {
	if path == "-" {
		return stageclient.ReadOutputs(stdin)
	}
	return stageclient.LoadOutputs(path)
}

// parse reads the command line; done says that the program is over already.
func parse(args []string, stdout, stderr io.Writer) (o options, code int, done bool) {
	parser, err := kong.New(&o, kong.Name("chat"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Exit(func(c int) { code, done = c, true }),
		kong.Vars{"outputs": stageclient.DefaultOutputs, "tokenCommand": stageclient.TokenCommandVariable, "user": stageclient.UserVariable})
	if err != nil {
		fmt.Fprintln(stderr, err)
		return o, exitUsage, true
	}
	_, err = parser.Parse(args)
	switch {
	case done: // --help
	case err != nil:
		fmt.Fprintf(stderr, "%v; see chat --help\n", err)
		return o, exitUsage, true
	case o.Guest && (o.SignLocally || o.TrustedCaller):
		fmt.Fprintln(stderr, "--sign-locally and --trusted-caller need a user: say with --as who to be, instead of --guest")
		return o, exitUsage, true
	case o.Outputs == "-" && len(o.Once) == 0:
		fmt.Fprintln(stderr, "--outputs - reads standard input, so say with --once what to send")
		return o, exitUsage, true
	}
	return o, code, done
}
