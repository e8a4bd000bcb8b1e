package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"signedsocket/localstage"
)

// TestTheReadyLinesCanBePastedIntoAShell asks a shell what it makes of them.
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
	for page, want := range map[string]string{"http://127.0.0.1:3001": "Open http://127.0.0.1:3001", "": "Ctrl-C stops the stage."} {
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

func TestAStageThatMisbehavesSaysSoAndFromWhichSeed(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"--template", "nowhere.yaml", "--listen", "127.0.0.1:0", "--state", t.TempDir(), "--fault", "gone-posts=0.1", "--seed", "7"}, &stdout, &stderr)
	if code != 1 || !strings.Contains(stderr.String(), "faults=map[gone-posts:0.1] seed=7") {
		t.Errorf("exit code %d and\n%s", code, stderr.String())
	}
}
