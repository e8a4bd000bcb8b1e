//go:build unix && !linux

package lambda

import "syscall"

// processAttributes gives a bootstrap a process group. When the service is
// killed, the guardian ends it; and it loses its Runtime API, which ends a
// lambda-go function, too.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
