//go:build unix

package lambda

import (
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
)

// guardianScript reads "+ group" and "- group" until the service is gone, for any reason, and kills the remaining
// groups.
const guardianScript = `trap '' HUP INT TERM
groups=
while read -r sign group; do
	case $sign in
	+) groups="$groups $group" ;;
	-)
		kept=
		for g in $groups; do [ "$g" = "$group" ] || kept="$kept $g"; done
		groups=$kept
		;;
	esac
done
for g in $groups; do kill -s KILL -- "-$g" 2>/dev/null; done
exit 0
`

// guardian is a shell process that outlives the service by a moment and kills the processes that the service could not.
// On Linux only, the kernel ends a bootstrap with the service. No kernel ends the processes that a bootstrap has
// started (a script starts everything). A nil guardian does nothing.
type guardian struct {
	command *exec.Cmd

	mu    sync.Mutex
	input io.WriteCloser
}

func startGuardian() (*guardian, error) {
	command := exec.Command("/bin/sh", "-c", guardianScript, "localstage-guardian")
	command.Dir = "/"
	command.Env = []string{}
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // no signal of the terminal reaches it
	input, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start guardian: %w", err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start guardian: %w", err)
	}
	return &guardian{command: command, input: input}, nil
}

// watch and forget add and remove a process group. They ignore errors: the service works without its guardian.
func (g *guardian) watch(group int)  { g.tell('+', group) }
func (g *guardian) forget(group int) { g.tell('-', group) }

func (g *guardian) tell(sign rune, group int) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	_, _ = fmt.Fprintf(g.input, "%c %d\n", sign, group)
}

// close lets the guardian end and waits for it.
func (g *guardian) close() {
	if g == nil {
		return
	}
	_ = g.input.Close()
	_ = g.command.Wait()
}
