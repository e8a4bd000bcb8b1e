package lambda

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient/clienttest"
)

const bootstrapVariable = "LAMBDA_TEST_BOOTSTRAP"

// TestNoProcessOutlivesAKilledStage starts this test binary as a stage, kills it with SIGKILL, and watches the
// processes of its function.
func TestNoProcessOutlivesAKilledStage(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"frozen":  "idle environment",
		"running": "environment with an event",
		"script":  "idle environment whose bootstrap is a script",
		"busy":    "environment with an event, whose bootstrap is a script",
	}
	for kind, name := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage, pids := startStage(t, kind)
			for _, pid := range pids {
				if processState(pid) == "" {
					t.Fatalf("process %d of %v is gone too early", pid, pids)
				}
			}
			if err := stage.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = stage.Wait() // it was killed
			for _, pid := range pids {
				what := fmt.Sprintf("process %d of %v is gone", pid, pids)
				clienttest.Eventually(t, what, func() bool { return processState(pid) == "" })
			}
		})
	}
}

// startStage returns a running stage and the processes of its function.
func startStage(t *testing.T, kind string) (*exec.Cmd, []int) {
	t.Helper()
	stage := exec.Command(os.Args[0])
	stage.Env = append(os.Environ(), stageVariable+"="+kind, bootstrapVariable+"="+builtFunction(t))
	stage.Stderr = t.Output()
	stdout, err := stage.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := stage.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stage.Process.Kill() }) // for a test that fails before it kills the stage
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("stage said %q: %v", line, err)
	}
	var pids []int
	if err := json.Unmarshal(line, &pids); err != nil {
		t.Fatalf("stage said %q: %v", line, err)
	}
	return stage, pids
}

// runStage is the main function of the stage: it prints the processes of its function, and waits to be killed.
func runStage(kind string) {
	c := Config{Name: "Orphan", ARN: testARN, Bootstrap: os.Getenv(bootstrapVariable), Timeout: time.Minute}
	script := kind == "script" || kind == "busy"
	if script {
		c.Environment = map[string]string{"FUNCTION": c.Bootstrap}
		c.Bootstrap = filepath.Join("testdata", "script", "bootstrap")
	}
	f, err := New(Options{Logs: os.Stderr}).Add(c)
	if err != nil {
		panic(err)
	}
	pids := []int{stageInvoke(f, `{"do":"pid"}`), stageInvoke(f, `{"do":"fork"}`)}
	pids = append(pids, f.Environments()[0].PID)
	want := StateReady
	if kind == "running" || kind == "busy" {
		want = StateRunning
		go stageInvoke(f, `{"do":"sleep","n":60000}`)
	}
	for f.Environments()[0].State != want {
		<-time.After(time.Millisecond)
	}
	_ = json.NewEncoder(os.Stdout).Encode(pids)
	select {}
}

func stageInvoke(f *Function, event string) int {
	response, err := f.Invoke(context.Background(), []byte(event))
	if err != nil {
		panic(err)
	}
	var n int
	if err := json.Unmarshal(response, &n); err != nil {
		panic(err)
	}
	return n
}

func TestProcessesOfAFunctionEndWithIt(t *testing.T) {
	t.Parallel()
	f := addFunction(t, startService(t, Options{}))
	tests := map[string]func(){
		"a kill":   func() { f.Environments()[0].Kill() },
		"an exit":  func() { invokeFailing(t, f, `{"do":"exit"}`) },
		"a closed": func() { f.service.Close() },
	}
	for _, name := range []string{"a kill", "an exit", "a closed"} {
		pid := invoke[int](t, f, `{"do":"fork"}`)
		tests[name]()
		clienttest.Eventually(t, "the process is gone after "+name, func() bool { return processState(pid) == "" })
	}
}

// TestGuardianKillsOnlyItsGroups runs the guardian's script alone.
func TestGuardianKillsOnlyItsGroups(t *testing.T) {
	t.Parallel()
	g, err := startGuardian()
	if err != nil {
		t.Fatal(err)
	}
	var groups []*exec.Cmd
	for range 3 {
		command := exec.Command("sleep", "600")
		command.SysProcAttr = processAttributes()
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		g.watch(command.Process.Pid)
		groups = append(groups, command)
	}
	g.forget(groups[1].Process.Pid)
	g.close()
	for i, command := range groups {
		if i == 1 {
			if state := processState(command.Process.Pid); state == "" {
				t.Error("the forgotten group is gone")
			}
			_ = command.Process.Kill()
		}
		if err := command.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
			t.Errorf("group %d ended with %v", i, err)
		}
	}
}
