package e2e_test

import (
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"signedsocket/localstage/stagetest"
)

// terminal is the command chat of a user, whose lines the test writes.
type terminal struct {
	t        *testing.T
	cmd      *exec.Cmd
	stdin    io.WriteCloser
	messages *printed
	notes    *printed
}

// printed is what a command has printed so far.
type printed struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{} // closed when there is more
}

func (p *printed) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.more)
	p.more = make(chan struct{})
	return p.text.Write(text)
}

// now returns what was printed so far, and a channel that is closed when there is more.
func (p *printed) now() (string, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String(), p.more
}

// await waits until a text was printed.
func (p *printed) await(t *testing.T, want string) {
	t.Helper()
	ends := within(t)
	for {
		text, more := p.now()
		if strings.Contains(text, want) {
			return
		}
		select {
		case <-more:
		case <-ends.Done():
			t.Fatalf("no %q in:\n%s", want, text)
		}
	}
}

// chatCommand builds the command chat.
func chatCommand(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "chat")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/chat")
	build.Dir = stagetest.Root()
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build cmd/chat: %v\n%s", err, output)
	}
	return binary
}

// openTerminal starts the chat of a user.
func openTerminal(t *testing.T, binary string, stage *stagetest.Stage, user string, args ...string) *terminal {
	t.Helper()
	args = append([]string{"--outputs", stage.OutputsFile(), "--as", user}, args...)
	term := &terminal{
		t: t, cmd: exec.CommandContext(t.Context(), binary, args...),
		messages: &printed{more: make(chan struct{})}, notes: &printed{more: make(chan struct{})},
	}
	term.cmd.Stdout, term.cmd.Stderr = term.messages, term.notes
	var err error
	if term.stdin, err = term.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := term.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = term.cmd.Process.Kill(); _ = term.cmd.Wait() })
	return term
}

// write types a line.
func (term *terminal) write(line string) {
	term.t.Helper()
	if _, err := io.WriteString(term.stdin, line+"\n"); err != nil {
		term.t.Fatal(err)
	}
}

// leave ends the input, and returns the exit code.
func (term *terminal) leave() int {
	term.t.Helper()
	_ = term.stdin.Close()
	_ = term.cmd.Wait()
	return term.cmd.ProcessState.ExitCode()
}

func TestTwoTerminalsDeleteMessagesAndListUsers(t *testing.T) {
	t.Parallel()
	localOnly(t, "starts commands that sign in at the stage's own issuer")
	stage, _ := startStage(t, stagetest.Options{})
	binary := chatCommand(t)
	alice := openTerminal(t, binary, stage, "alice")
	alice.notes.await(t, "connected as")
	bob := openTerminal(t, binary, stage, "bob")
	bob.notes.await(t, "connected as")

	alice.write("hello")
	bob.messages.await(t, "  hello\n")
	alice.write("oops")
	alice.write("/delete")
	alice.notes.await(t, `deleting "oops"`)
	alice.notes.await(t, "(message deleted)")
	bob.notes.await(t, "(message deleted)")
	bob.write("/delete")
	bob.notes.await(t, "nothing was deleted: the terminal shows 0 messages of yours in lobby")

	alice.write("/here")
	alice.notes.await(t, "2 users are in lobby: ")
	text, _ := alice.notes.now()
	if here := text[strings.Index(text, "2 users are in lobby"):]; !strings.Contains(here, " (you)") {
		t.Errorf("alice is told %q", here)
	}
	if code := alice.leave(); code != 0 {
		t.Errorf("alice left with %d", code)
	}
	if code := bob.leave(); code != 1 {
		t.Errorf("bob left with %d, but one deletion failed", code)
	}

	carol := openTerminal(t, binary, stage, "carol", "--last", "20")
	if code := carol.leave(); code != 0 {
		t.Errorf("carol left with %d", code)
	}
	shown, _ := carol.messages.now()
	noted, _ := carol.notes.now()
	if !strings.Contains(shown, "hello") || strings.Contains(shown+noted, "oops") ||
		strings.Count(noted, "(message deleted)") != 1 {
		t.Errorf("carol is shown %q, and notes:\n%s", shown, noted)
	}
}

func TestATerminalInARoomForReading(t *testing.T) {
	t.Parallel()
	localOnly(t, "starts commands that sign in at the stage's own issuer")
	stage, _ := startStage(t, stagetest.Options{Parameters: map[string]string{
		"DefaultRooms": "lobby:r", "PresenceLimit": "0",
	}})
	alice := openTerminal(t, chatCommand(t), stage, "alice")
	alice.write("hello")
	if code := alice.leave(); code != 1 {
		t.Errorf("left with %d", code)
	}
	for _, want := range []string{"in lobby (read only) until", `not sent: "hello": you may only read in lobby`} {
		alice.notes.await(t, want)
	}
}
