//go:build unix

package lambda

import "syscall"

// signalGroup sends a signal to all processes of an environment: to the group that its bootstrap leads. It ignores
// errors, which only say that no process is left. Zero stands for an environment without a process; for kill(2) it
// would be the own group.
func signalGroup(pid int, signal syscall.Signal) {
	if pid > 1 {
		_ = syscall.Kill(-pid, signal)
	}
}

// freezeGroup stops the processes without their knowledge, as Lambda freezes an environment.
func freezeGroup(pid int) { signalGroup(pid, syscall.SIGSTOP) }

func thawGroup(pid int) { signalGroup(pid, syscall.SIGCONT) }

// killGroup kills the processes, stopped ones included.
func killGroup(pid int) { signalGroup(pid, syscall.SIGKILL) }

// terminateGroup sends SIGTERM to the processes. Stopped processes would not see it.
func terminateGroup(pid int) {
	signalGroup(pid, syscall.SIGTERM)
	thawGroup(pid)
}
