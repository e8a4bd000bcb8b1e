package lambda

import "syscall"

// processAttributes gives a bootstrap a process group, and makes the kernel kill it when the thread that starts it
// ends: see spawner.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
