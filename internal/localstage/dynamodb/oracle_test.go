package dynamodb

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestMoto runs the suite and the differential test against moto, which others wrote: an independent opinion on what
// DynamoDB does.
func TestMoto(t *testing.T) {
	t.Parallel()
	client := newClient(startMoto(t))
	t.Run("suite", func(t *testing.T) {
		runSuite(t, target{client: client, serial: true, known: motoDifferences()})
	})
	t.Run("random operations", func(t *testing.T) {
		compareRandomly(t, client, engineClient(t))
	})
}

// startMoto starts moto's server from the project's virtual environment, or the one that SIGNEDSOCKET_MOTO_SERVER
// names, and returns its address.
func startMoto(t *testing.T) string {
	t.Helper()
	path := motoServer(t)
	address := freeAddress(t)
	host, port, _ := net.SplitHostPort(address)
	var output bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, path, "-H", host, "-p", port)
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait() // killed: its status says nothing
	})
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		response, err := http.Get("http://" + address + "/moto-api/")
		if err == nil {
			response.Body.Close()
			return "http://" + address
		}
		<-time.After(20 * time.Millisecond)
	}
	cancel()
	_ = command.Wait()
	t.Fatalf("moto does not answer:\n%s", output.String())
	return ""
}

func motoServer(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("SIGNEDSOCKET_MOTO_SERVER"); path != "" {
		return path
	}
	path, err := filepath.Abs(filepath.Join("..", "..", "..", ".venv", "bin", "moto_server"))
	if err == nil {
		_, err = os.Stat(path)
	}
	switch {
	case err == nil:
		return path
	case !errors.Is(err, fs.ErrNotExist):
		t.Fatal(err)
	case os.Getenv("CI") == "true":
		t.Fatalf("moto is missing: %s does not exist; the make target that prepares the tests installs it", path)
	}
	t.Skipf("THE ORACLE IS MISSING: %s does not exist, so the DynamoDB engine was compared with no other one", path)
	return ""
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
