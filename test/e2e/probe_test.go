package e2e_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"signedsocket/localstage/stagetest"
)

// probe runs the probe against a stage, and returns its output and whether it passed.
func probe(t *testing.T, stage *stagetest.Stage, args ...string) (said string, content bool) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "probe")
	build := exec.CommandContext(within(t), "go", "build", "-o", binary, "./cmd/probe")
	build.Dir = stagetest.Root()
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the probe: %v\n%s", err, output)
	}
	output, err := exec.CommandContext(within(t), binary,
		append(args, "--outputs", stage.OutputsFile())...).CombinedOutput()
	return string(output), err == nil
}

func TestTheProbePassesOnAGoodStage(t *testing.T) {
	t.Parallel()
	stage, _ := startStage(t, stagetest.Options{Parameters: map[string]string{"DeployFrontend": "false"}})
	said, content := probe(t, stage)
	first, _, _ := strings.Cut(said, "\n")
	if !content || strings.Contains(said, "FAIL") || !strings.HasPrefix(first, "ok    connect") ||
		strings.Count(said, "\nok ") != 9 {
		t.Errorf("content is %t, want a real connection first and nine more steps:\n%s", content, said)
	}
	for _, secret := range []string{"X-Amz-", "eyJ", "pop."} {
		if strings.Contains(said, secret) {
			t.Errorf("the probe prints %s…", secret)
		}
	}
}

func TestTheProbeOfAStageForGuests(t *testing.T) {
	t.Parallel()
	stage, _ := startGuests(t, map[string]string{"DeployFrontend": "false"})
	if said, content := probe(t, stage); !content || !strings.Contains(said, "guests get a URL") {
		t.Errorf("content is %t, want it to be as a guest:\n%s", content, said)
	}
}

// TestTheProbeNamesTheFaultAndTheRemedy breaks a stage in one place at a time.
func TestTheProbeNamesTheFaultAndTheRemedy(t *testing.T) {
	t.Parallel()
	replaced := func(from, to string) func(string) string {
		return func(template string) string { return strings.Replace(template, from, to, 1) }
	}
	for name, broken := range map[string]struct {
		options stagetest.Options
		said    []string
	}{
		"the signer may not sign": {stagetest.Options{Edit: withoutStatement("OpenConnections")},
			[]string{"FAIL  connect", "403", "SignUrlRole"}},
		"no authorization": {stagetest.Options{Edit: replaced("AuthType: AWS_IAM", "AuthType: NONE")},
			[]string{"FAIL  connect", "no_identity"}},
		"the table is out of reach": {stagetest.Options{Edit: withoutStatement("RecordConnection")},
			[]string{"FAIL  connect", "503", "ConnectFunction"}},
		"nothing can be posted": {stagetest.Options{Edit: withoutStatement("PostToConnections")},
			[]string{"ok    connect", "FAIL  message", "Internal server error"}},
		"signurl may not be invoked": {stagetest.Options{Edit: replaced("/*/POST/signurl", "/*/GET/signurl")},
			[]string{"FAIL  connect", "500", "may not invoke SignUrlFunction"}},
		"users of another issuer": {
			stagetest.Options{Parameters: map[string]string{"OidcIssuer": "https://id.example"}},
			[]string{"FAIL  connect", "401", "OidcIssuer"},
		},
		"another page than the stack": {stagetest.Options{Edit: replaced("FRONTEND_ORIGIN: !Sub https://${HttpApi}",
			"FRONTEND_ORIGIN: !Sub https://x${HttpApi}")}, []string{"FAIL  connect", "403", "wrong_origin"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage, _ := startStage(t, broken.options)
			said, content := probe(t, stage)
			for _, want := range append(broken.said, "What to do:") {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not in what the probe says:\n%s", want, said)
				}
			}
			if content {
				t.Error("the probe is content")
			}
		})
	}
}
