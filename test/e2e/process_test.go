package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

func contextThatEndsSoon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func TestKillingAFunctionsProcessFailsOneMessageOnly(t *testing.T) {
	t.Parallel()
	stage, client := startStage(t, stagetest.Options{Parameters: map[string]string{"MessagesPerWindow": "1000"}})
	alice := connect(t, client, "alice")
	send(t, alice, "before", "1")
	await[stageclient.Ack](t, alice)
	for _, environment := range stage.Function("SendMessageFunction").Environments() {
		environment.Kill()
	}
	send(t, alice, "after", "2")
	if got := await[stageclient.Ack](t, alice); got.ClientID != "2" {
		t.Errorf("acknowledged %+v, want message 2", got)
	}
}

func TestKillingAFunctionMidInvocationIsAnsweredAndTheStageGoesOn(t *testing.T) {
	t.Parallel()
	var kill atomic.Bool
	_, client := startStage(t, stagetest.Options{Configure: func(c *localstage.Config) {
		c.FunctionFault = func(string) localstage.InvocationFault {
			return localstage.InvocationFault{Kill: kill.CompareAndSwap(true, false)}
		}
	}})
	alice := connect(t, client, "alice")
	kill.Store(true)
	send(t, alice, "lost", "1")
	if got := await[stageclient.GatewayError](t, alice); got.Text != "Internal server error" {
		t.Errorf("alice was told %+v, want Internal server error", got)
	}
	send(t, alice, "and on it goes", "2")
	if got := await[stageclient.Ack](t, alice); got.ClientID != "2" {
		t.Errorf("acknowledged %+v, want message 2", got)
	}
}

// command builds the localstage command once per test that plays its process.
func command(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "localstage")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./localstage/cmd/localstage")
	build.Dir = stagetest.Root()
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build localstage/cmd/localstage: %v\n%s", err, output)
	}
	return binary
}

// process starts the localstage command in the repository and returns it when it is ready.
func process(t *testing.T, binary, state string) (*exec.Cmd, *stageclient.Client) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, "--listen", "127.0.0.1:0", "--state", state, "--without",
		stagetest.FrontendFunction, "--json")
	cmd.Dir = stagetest.Root()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	var line json.RawMessage
	if err := json.NewDecoder(stdout).Decode(&line); err != nil {
		t.Fatalf("the stage did not become ready: %v\n%s", err, stderr.String())
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
	outputs, err := stageclient.ReadOutputs(bytes.NewReader(line))
	if err != nil {
		t.Fatal(err)
	}
	return cmd, checked(t, &stageclient.Client{Outputs: outputs})
}

func TestKillingTheStageLeavesNoProcessAndLosesNoRecord(t *testing.T) {
	t.Parallel()
	localOnly(t, "is about the local stage itself")
	binary, state := command(t), t.TempDir()
	stage, client := process(t, binary, state)
	signed, proof := sign(t, client, "alice")
	conn, err := client.Dial(within(t), signed, stageclient.DialOptions{Verifier: proof.Verifier})
	if err != nil {
		t.Fatal(err)
	}
	send(t, conn, "hello", "1")
	await[stageclient.Ack](t, conn)

	children := processesBelow(t, state)
	if len(children) == 0 {
		t.Fatal("no function process runs although functions have answered")
	}
	if err := stage.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = stage.Wait()
	for deadline := within(t); len(processesBelow(t, state)) > 0; {
		if deadline.Err() != nil {
			t.Fatal("function processes outlived the stage")
		}
	}

	// The stage still knows the ticket of the URL that was used before the kill.
	_, client = process(t, binary, state)
	grant := stageclient.NewGrant(stageclient.User{Sub: "alice", Name: "Alice"}, []string{"lobby"}, "", time.Now())
	grant.Ticket = ticketOf(t, signed.URL)
	again, err := dialGrant(t, client, "SignUrlFunction", grant)
	wantRefused(t, again, err, 403)
}

func TestTheCommandSaysInOneLineWhyItCannotStart(t *testing.T) {
	t.Parallel()
	localOnly(t, "is about the local stage itself")
	binary := command(t)
	busy := stagetest.Start(t, stagetest.Options{})
	taken := strings.TrimPrefix(strings.TrimSuffix(busy.Outputs().Template["FrontendUrl"], "/"), "http://")
	template, err := os.ReadFile(stagetest.Template())
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const cannotStart, badCommandLine = 1, 2
	cases := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no template", []string{"--template", "nowhere.yaml"}, cannotStart, "nowhere.yaml"},
		{"broken YAML", []string{"--template", write("broken.yaml", "Resources: [")}, cannotStart, "broken.yaml"},
		{"unknown property", []string{"--template", write("odd.yaml", strings.Replace(string(template), "BillingMode:",
			"Colour: red\n      BillingMode:", 1))}, cannotStart, "Colour"},
		{"a route without its function", []string{"--template", write("route.yaml", strings.ReplaceAll(string(template),
			"!GetAtt DisconnectFunction.Arn", "!GetAtt Missing.Arn"))}, cannotStart, "Missing"},
		{"unknown parameter", []string{"--param", "Colour=red"}, cannotStart, "Colour"},
		{"bad parameter", []string{"--param", "RoomShards=0"}, cannotStart, "RoomShards"},
		{"unknown fault", []string{"--fault", "gremlins=1"}, badCommandLine, "gremlins"},
		{"taken port", []string{"--listen", taken}, cannotStart, taken},
		{"no address", []string{"--listen", "3001"}, badCommandLine, "127.0.0.1:3001"},
		{"a share above 1", []string{"--fault", "gone-posts=7"}, badCommandLine, "gone-posts"},
		{"no idle time at all", []string{"--idle-timeout", "0s"}, badCommandLine, "--idle-timeout"},
		{"unknown order", []string{"--order", "random"}, badCommandLine, "shuffled"},
		{"no address of a DynamoDB", []string{"--dynamodb-endpoint", "there"}, badCommandLine, "http://127.0.0.1:8000"},
		{"a DynamoDB that is not there", []string{"--dynamodb-endpoint", "http://127.0.0.1:1"}, cannotStart,
			"http://127.0.0.1:1 does not answer"},
		{"not loopback", []string{"--listen", "0.0.0.0:3001"}, badCommandLine, "loopback"},
	}
	for _, c := range cases {
		args := append([]string{"--state", t.TempDir(), "--listen", "127.0.0.1:0"}, c.args...)
		cmd := exec.CommandContext(within(t), binary, args...)
		cmd.Dir = stagetest.Root()
		output, err := cmd.CombinedOutput()
		exit, ok := err.(*exec.ExitError)
		if !ok || exit.ExitCode() != c.code {
			t.Errorf("%s: %v, want exit code %d\n%s", c.name, err, c.code, output)
		}
		if !strings.Contains(string(output), c.want) || bytes.Count(output, []byte("\n")) != 1 {
			t.Errorf("%s: want one line with %q, got:\n%s", c.name, c.want, output)
		}
	}
}

// TestASecondStageInTheSameFolderBuildsNothing: a build would overwrite the functions that the first stage runs.
func TestASecondStageInTheSameFolderBuildsNothing(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	startStage(t, stagetest.Options{State: state})
	for _, endpoint := range []string{"", "http://127.0.0.1:1"} {
		second, err := localstage.New(within(t), localstage.Config{
			Template: stagetest.Template(), State: state, Artifacts: filepath.Join(state, "nothing is here"),
			Without: []string{stagetest.FrontendFunction}, DynamoDBEndpoint: endpoint,
		})
		if err == nil {
			_ = second.Close(within(t))
		}
		if err == nil || !strings.Contains(err.Error(), "another stage uses it") {
			t.Errorf("the second stage, with the DynamoDB %q: %v", endpoint, err)
		}
	}
}
