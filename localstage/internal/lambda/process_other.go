//go:build unix && !linux

package lambda

import "syscall"

// processAttributes gives a bootstrap a process group. When the service is killed, the guardian ends the bootstrap. The
// bootstrap also loses its Runtime API, which ends a lambda-go function.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
