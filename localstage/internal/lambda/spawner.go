package lambda

import (
	"log/slog"
	"os/exec"
	"runtime"
)

// spawner starts all processes of a service from one operating system thread. Linux kills a process with its parent
// (Pdeathsig), but takes the thread that made it for the parent. The Go runtime may end any other thread.
type spawner struct {
	log      *slog.Logger
	requests chan spawnRequest
	stopped  chan struct{}
	guardian *guardian // nil without a shell; set before the first start returns
}

type spawnRequest struct {
	command *exec.Cmd
	result  chan error
}

func newSpawner(log *slog.Logger) *spawner {
	s := &spawner{log: log, requests: make(chan spawnRequest), stopped: make(chan struct{})}
	go s.run()
	return s
}

func (s *spawner) run() {
	defer close(s.stopped)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	first := true
	for request := range s.requests {
		if first {
			first = false
			s.startGuardian()
		}
		err := request.command.Start()
		if err == nil {
			s.guardian.watch(request.command.Process.Pid)
		}
		request.result <- err
	}
}

func (s *spawner) startGuardian() {
	g, err := startGuardian()
	if err != nil {
		s.log.Warn("processes that a function starts may outlive a kill -9 of the stage", "error", err)
		return
	}
	s.guardian = g
}

// start starts the command.
func (s *spawner) start(command *exec.Cmd) error {
	result := make(chan error, 1)
	s.requests <- spawnRequest{command, result}
	return <-result
}

// end kills the remaining group of a process that has been waited for: processes that a bootstrap leaves behind end
// with it, as with Lambda's sandbox. The group's number belongs to no other group while it has a process, and the
// kernel does not use process numbers again at once.
func (s *spawner) end(pid int) {
	killGroup(pid)
	s.guardian.forget(pid)
}

// close ends the thread. No process may be started any more.
func (s *spawner) close() {
	close(s.requests)
	<-s.stopped
	s.guardian.close()
}
