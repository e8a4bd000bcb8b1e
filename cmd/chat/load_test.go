package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// The stage of these tests echoes to the sender only. With one client every message arrives, with two clients messages
// are lost.
func TestLoadJudgesTheStage(t *testing.T) {
	t.Parallel()
	_, outputs := startStage(t)
	tests := map[string]struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		"passed": {[]string{"--clients", "1"}, exitDone, "verdict          passed",
			"1 of 1 clients are connected"},
		"lost": {[]string{"--clients", "2", "--connect-rate", "100", "--drain", "1s"}, exitFailed,
			"verdict          FAILED", "goals not reached: 10 deliveries were lost"},
		"too slow": {[]string{"--clients", "1", "--p95", "1ns"}, exitFailed, "lost             0",
			"the p95 of the last receiver is"},
		"no plan":       {[]string{"--clients", "0"}, exitUsage, "", "at least one client"},
		"not a goal":    {[]string{"--p95", "soon"}, exitUsage, "", "--p95"},
		"no such stage": {[]string{"--outputs", outputs + "x"}, exitFailed, "", "start a stage with `make run` first"},
		"no token": {[]string{"--token-command", "echo nonsense; echo more"}, exitFailed, "",
			"must print one access token"},
		"refused": {[]string{"--token-command", "echo token-of-mallory"}, exitRefused, "",
			"does not take the access token (401)"},
		"guests":         {[]string{"--clients", "1", "--guest"}, exitDone, "verdict          passed", ""},
		"two ways in":    {[]string{"--guest", "--sign-locally"}, exitUsage, "", "instead of --guest"},
		"users not good": {[]string{"--sign-locally", "--trusted-caller"}, exitUsage, "", "can't be used together"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"load", "--outputs", outputs, "--rate", "100", "--duration", "100ms"}, test.args...)
			code, stdout, stderr := chatAs(t, "", args...)
			if code != test.code || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) {
				t.Errorf("exit code %d, printed\n%s\nnotes\n%s", code, stdout, stderr)
			}
		})
	}
}

func TestLoadPrintsItsReportAsJSON(t *testing.T) {
	t.Parallel()
	_, outputs := startStage(t)
	code, stdout, stderr := chatAs(t, "", "load", "--outputs", outputs, "--rate", "100", "--duration", "100ms",
		"--clients", "1", "--json")
	var report struct {
		Passed   bool
		Missed   []string
		Plan     struct{ Seed int }
		Messages struct{ Acknowledged int }
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != exitDone {
		t.Fatalf("exit code %d, %v: %s\n%s", code, err, stdout, stderr)
	}
	if !report.Passed || report.Missed == nil || report.Plan.Seed != 1 || report.Messages.Acknowledged != 10 {
		t.Errorf("report %s", stdout)
	}
}
