package connections

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"signedsocket/test/tool"
)

// endpointVariable names the environment variable with the address of the DynamoDB that judges the Store's expressions.
// Without it the tests start the local stage's engine, over the wire: tests of shared import nothing of the stage.
const endpointVariable = "SIGNEDSOCKET_DYNAMODB_ENDPOINT"

var endpoint string // of the DynamoDB

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "DynamoDB for the tests:", err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	if endpoint = os.Getenv(endpointVariable); endpoint != "" {
		return m.Run(), nil
	}
	folder, err := os.MkdirTemp("", "connections-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	stop, err := startEngine(folder)
	if err != nil {
		return 0, err
	}
	defer stop()
	return m.Run(), nil
}

// startEngine builds the local stage into folder, starts its DynamoDB and returns how to end that.
func startEngine(folder string) (stop func(), err error) {
	program := filepath.Join(folder, "localstage")
	output, err := exec.Command("go", "build", "-o", program, "signedsocket/localstage/cmd/localstage").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("build the local stage: %w: %s", err, output)
	}
	state := filepath.Join(folder, "state")
	engine := exec.Command(program, "--dynamodb-only", "--json", "--listen", "127.0.0.1:0", "--state", state)
	engine.Stderr = os.Stderr
	ready, err := engine.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := engine.Start(); err != nil {
		return nil, err
	}
	stop = func() { _ = engine.Process.Kill(); _ = engine.Wait() }
	var outputs struct {
		DynamoDBURL string `json:"DynamoDBUrl"`
	}
	if err := json.NewDecoder(ready).Decode(&outputs); err != nil {
		stop()
		return nil, fmt.Errorf("the local stage ended before it was ready: %w", err)
	}
	endpoint = outputs.DynamoDBURL
	return stop, nil
}

// TestMotoAgrees runs the package's tests once more, judged by moto: an independent implementation of DynamoDB that
// comes with the project's Python environment.
func TestMotoAgrees(t *testing.T) {
	t.Parallel()
	server := exec.CommandContext(t.Context(), motoServer(t), "-H", "127.0.0.1", "-p", "0")
	address, err := startMoto(server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	tests := exec.CommandContext(t.Context(), os.Args[0], "-test.skip=^TestMotoAgrees$", "-test.count=1",
		"-test.timeout=10m")
	tests.Env = append(os.Environ(), endpointVariable+"="+address)
	if output, err := tests.CombinedOutput(); err != nil {
		t.Errorf("judged by moto: %v\n%s", err, output)
	}
}

// motoServer returns the program of moto's server.
func motoServer(t *testing.T) string {
	t.Helper()
	program := os.Getenv("SIGNEDSOCKET_MOTO_SERVER")
	if program == "" {
		program = filepath.Join("..", "..", ".venv", "bin", "moto_server")
	}
	return tool.Path(t, "make venv installs moto; without it only the stage's own engine judges the table", program)
}

// startMoto starts moto's server and returns its address.
func startMoto(server *exec.Cmd) (address string, err error) {
	output, err := server.StderrPipe()
	if err != nil {
		return "", err
	}
	if err := server.Start(); err != nil {
		return "", err
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "Running on "); ok {
			go func() { _, _ = io.Copy(io.Discard, output) }()
			return strings.TrimSpace(address), nil
		}
	}
	return "", errors.New("moto's server ended without saying where it listens")
}
