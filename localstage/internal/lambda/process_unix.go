//go:build unix

package lambda

import "syscall"

// signalGroup sends a signal to all processes of an environment: to the group
// that its bootstrap leads. Errors are ignored; the only one is that nobody is
// left. Zero is an environment without a process, for kill(2) the own group.
func signalGroup(pid int, signal syscall.Signal) {
	if pid > 1 {
		_ = syscall.Kill(-pid, signal)
	}
}

// freezeGroup stops the processes where they are, as Lambda freezes an
// environment: without their knowledge.
func freezeGroup(pid int) { signalGroup(pid, syscall.SIGSTOP) }

func thawGroup(pid int) { signalGroup(pid, syscall.SIGCONT) }

// killGroup also ends processes that are stopped.
func killGroup(pid int) { signalGroup(pid, syscall.SIGKILL) }

// terminateGroup asks the processes to end; they must be running to hear it.
func terminateGroup(pid int) {
	signalGroup(pid, syscall.SIGTERM)
	thawGroup(pid)
}
