package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"signedsocket/localstage"
)

// TestTheReadyLinesCanBePastedIntoAShell lets a shell split them into words.
func TestTheReadyLinesCanBePastedIntoAShell(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ state, want string }{
		{".localstage", ""},
		{"/tmp/stage-1", "--outputs /tmp/stage-1/outputs.json"},
		{"/tmp/my stage's", "--outputs /tmp/my stage's/outputs.json"},
		{"/tmp/$HOME", "--outputs /tmp/$HOME/outputs.json"},
	} {
		var ready bytes.Buffer
		if err := announce(&ready, flags{State: test.state}, localstage.Outputs{}, ""); err != nil {
			t.Fatal(err)
		}
		var line string
		for printed := range strings.Lines(ready.String()) {
			if strings.Contains(printed, "--as alice") {
				line = printed
			}
		}
		output, err := exec.CommandContext(t.Context(), "sh", "-c", "echo "+line).Output()
		want := strings.Join(strings.Fields("go run ./cmd/chat "+test.want+" --as alice"), " ")
		if got := strings.TrimSpace(string(output)); err != nil || got != want {
			t.Errorf("state %q: a shell reads %q, %v, want %q", test.state, got, err, want)
		}
	}
}

func TestTheReadyLinesEndWithTheChat(t *testing.T) {
	t.Parallel()
	for page, want := range map[string]string{
		"http://127.0.0.1:3001": "Open http://127.0.0.1:3001", "": "Ctrl-C stops the stage.",
	} {
		var ready bytes.Buffer
		if err := announce(&ready, flags{State: ".localstage"}, localstage.Outputs{}, page); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(ready.String()), "\n")
		if got := lines[len(lines)-1]; got != want {
			t.Errorf("page %q: the last line is %q, want %q", page, got, want)
		}
	}
}

func TestTheLogNamesTheFaultsAndTheirSeed(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{
		"--template", "nowhere.yaml", "--listen", "127.0.0.1:0", "--state", t.TempDir(), "--fault", "gone-posts=0.1",
		"--seed", "7",
	}, &stdout, &stderr)
	if code != 1 || !strings.Contains(stderr.String(), "faults=map[gone-posts:0.1] seed=7") {
		t.Errorf("exit code %d and\n%s", code, stderr.String())
	}
}

func TestDynamoDBAloneServesUnsignedRequests(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	stdout, ready := io.Pipe()
	var stderr bytes.Buffer
	state, code := t.TempDir(), make(chan int, 1)
	alone := []string{"--dynamodb-only", "--json", "--listen", "127.0.0.1:0", "--state", state}
	go func() { code <- run(ctx, alone, ready, &stderr) }()
	var outputs struct{ DynamoDBUrl string }
	if err := json.NewDecoder(stdout).Decode(&outputs); err != nil {
		t.Fatalf("read the address: %v", err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, outputs.DynamoDBUrl, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || string(body) != `{"TableNames":[]}` {
		t.Errorf("answered %d %s, %v", answer.StatusCode, body, err)
	}

	var second bytes.Buffer
	if code := run(t.Context(), alone, io.Discard, &second); code != 1 ||
		!strings.Contains(second.String(), "choose another state directory") {
		t.Errorf("a second engine on the same state ended with %d:\n%s", code, second.String())
	}
	stop()
	if code := <-code; code != 0 {
		t.Errorf("exit code %d:\n%s", code, stderr.String())
	}
}
