package dynamodb

import (
	"bufio"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// serverFile is the variable that makes the test binary the server of TestAcknowledgedWritesSurviveKill. Its value is
// the engine's file.
const serverFile = "SIGNEDSOCKET_TEST_DYNAMODB_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(serverFile); path != "" {
		if err := runServer(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// runServer serves an engine until the process is killed, and prints its address.
func runServer(path string) error {
	e, err := Open(Options{Path: path})
	if err != nil {
		return err
	}
	server := httptest.NewServer(e)
	fmt.Println(server.URL)
	<-make(chan struct{})
	return nil
}

// TestAcknowledgedWritesSurviveKill writes from several goroutines to a server in another process and kills that
// process in the midst of it. The file must open and hold every acknowledged write. The test does that several times
// over.
func TestAcknowledgedWritesSurviveKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dynamodb.db")
	acknowledged := map[string]int{}
	for round := range 3 {
		server, url := startServer(t, path)
		client := newClient(url)
		if round == 0 {
			makeTable(t, client, "simple", "")
		}
		for writer, n := range writeUntilKilled(t, server, url, round) {
			acknowledged[writer] = n
		}
		checkAcknowledged(t, path, acknowledged)
	}
}

func startServer(t *testing.T, path string) (*exec.Cmd, string) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.CommandContext(t.Context(), executable)
	server.Env = append(os.Environ(), serverFile+"="+path)
	server.Stderr = os.Stderr
	output, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return server, strings.TrimSpace(url)
}

// writeUntilKilled lets writers count, each in an item of its own and in transactions with a shared one. Then it kills
// the server, and returns the last acknowledged number of each writer.
func writeUntilKilled(t *testing.T, server *exec.Cmd, url string, round int) map[string]int {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	acknowledged := map[string]int{}
	enough := make(chan struct{})
	var once sync.Once
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			name := fmt.Sprintf("writer-%d-%d", round, i)
			f := &fixture{ctx: ctx, target: target{client: newClient(url)}, table: "simple"}
			for n := 1; ; n++ {
				err := f.transact(f.txPut(name, m{"n": n}, ""),
					f.txUpdate("total of "+name, "ADD n :1", "", m{":1": 1}))
				if err != nil {
					return // the server is gone; this write may be in the file or not
				}
				mu.Lock()
				acknowledged[name] = n
				mu.Unlock()
				if n == 100 {
					once.Do(func() { close(enough) })
				}
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(30 * time.Second):
		t.Error("the server is too slow")
	}
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait()
	writers.Wait()
	return acknowledged
}

func checkAcknowledged(t *testing.T, path string, acknowledged map[string]int) {
	t.Helper()
	e, err := Open(Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	server := httptest.NewServer(e)
	defer server.Close()
	for name, n := range acknowledged {
		f := &fixture{ctx: t.Context(), target: target{client: newClient(server.URL)}, table: "simple", pk: name}
		output, err := f.get()
		if err != nil {
			t.Fatal(err)
		}
		f.pk = "total of " + name
		total, err := f.get()
		if err != nil {
			t.Fatal(err)
		}
		// One write more may be in the file without an acknowledgement: both of its items, or none.
		got := show(output.Item)
		if got != fmt.Sprintf("{n:%d}", n) && got != fmt.Sprintf("{n:%d}", n+1) || got != show(total.Item) {
			t.Errorf("%s: %d writes were acknowledged, found %s and %s", name, n, got, show(total.Item))
		}
	}
}

func TestTablesAndItemsSurviveARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dynamodb.db")
	for round := range 3 {
		e, err := Open(Options{Path: path, Sync: round == 1})
		if err != nil {
			t.Fatal(err)
		}
		client := newClient(serve(t, e))
		if round == 0 {
			makeTable(t, client, "byN", "N")
		}
		f := &fixture{ctx: t.Context(), target: target{client: client}, table: "byN", pk: "x", sk: round}
		f.given(m{"a": "b"})
		f.finds("0 1 2"[:2*round+1], "pk = :p", values(m{":p": "x"}))
		f.report(t)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOneFileHasOneEngine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dynamodb.db")
	openEngine(t, Options{Path: path})
	if e, err := Open(Options{Path: path}); err == nil || !strings.Contains(err.Error(), "another stage uses it") {
		t.Errorf("got %v, %v", e, err)
	}
}

func TestBrokenFileIsNamed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dynamodb.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database", 4096)), 0o600); err != nil {
		t.Fatal(err)
	}
	if e, err := Open(Options{Path: path}); err == nil || !strings.Contains(err.Error(), path) ||
		!strings.Contains(err.Error(), "remove it") {
		t.Errorf("got %v, %v", e, err)
	}
}
