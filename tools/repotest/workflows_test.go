package repotest

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// workflow is a GitHub Actions workflow, as far as these rules look at it.
type workflow struct {
	Permissions map[string]string
	On          yaml.Node
	Jobs        map[string]struct {
		Permissions    map[string]string
		TimeoutMinutes int `yaml:"timeout-minutes"`
		Steps          []struct {
			Uses, Run string
			With      map[string]any
			Env       map[string]string
		}
	}
}

// TestWorkflowsHaveOnlyTheRightsThatTheyNeed: a tag of an action can be moved to other code, and every step can use a
// token. The text of a stranger in a title is a shell command once it is pasted into one.
func TestWorkflowsHaveOnlyTheRightsThatTheyNeed(t *testing.T) {
	t.Parallel()
	pinned := regexp.MustCompile(`(?m)^\s*-?\s*uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	every := regexp.MustCompile(`(?m)^\s*-?\s*uses:.*$`)
	for _, name := range trackedFiles(t, ".github/workflows/*") {
		text := readFile(t, name)
		for _, line := range every.FindAllString(text, -1) {
			if !pinned.MatchString(line) {
				t.Errorf("%s: %q is not pinned by commit, with its version as a comment", name, strings.TrimSpace(line))
			}
		}
		var w workflow
		if err := yaml.Unmarshal([]byte(text), &w); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
			t.Errorf("%s: its token may %v, want reading the contents and nothing else", name, w.Permissions)
		}
		if strings.Contains(text, "pull_request_target") {
			t.Errorf("%s: pull_request_target runs a stranger's code with this repository's secrets", name)
		}
		w.check(t, filepath.Base(name))
	}
}

// TestNoBuildRunsWhereCredentialsAre: any step of a job with id-token: write can ask for the deploy role's credentials,
// and building runs what others wrote.
func TestNoBuildRunsWhereCredentialsAre(t *testing.T) {
	t.Parallel()
	steps := []string{ // all that such a job may run
		"make venv",
		`python3 -m tarfile --filter data --extract handed-over/functions.tar handed-over/functions`,
		`make deploy STAGE="$STAGE" BUILT=handed-over/functions PARAMETERS="$PARAMETERS ` +
			`PermissionsBoundaryArn=${BOUNDARY:?give the environment the variable AWS_BOUNDARY_ARN}"`,
		`make --silent outputs STAGE="$STAGE" > outputs.json`,
	}
	actions := []string{
		"actions/checkout",
		"actions/setup-python",
		"actions/download-artifact",
		"actions/upload-artifact",
		"aws-actions/configure-aws-credentials",
	}
	trusted := 0
	for _, name := range trackedFiles(t, ".github/workflows/*") {
		var w workflow
		if err := yaml.Unmarshal([]byte(readFile(t, name)), &w); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for id, job := range w.Jobs {
			if job.Permissions["id-token"] == "" && w.Permissions["id-token"] == "" {
				continue
			}
			trusted++
			for _, step := range job.Steps {
				action, _, _ := strings.Cut(step.Uses, "@")
				if step.Run != "" && !slices.Contains(steps, strings.TrimSpace(step.Run)) ||
					step.Uses != "" && !slices.Contains(actions, action) {
					t.Errorf("%s: job %s has credentials within reach and runs %s%s", name, id, step.Run, step.Uses)
				}
				if step.Run == "make venv" && step.Env["PIP_ONLY_BINARY"] != ":all:" {
					t.Errorf("%s: job %s lets packages build themselves", name, id)
				}
			}
		}
	}
	if trusted != 1 {
		t.Errorf("%d jobs may have credentials, want the one that deploys", trusted)
	}
}

func (w workflow) check(t *testing.T, name string) {
	t.Helper()
	if len(w.Jobs) == 0 {
		t.Errorf("%s has no jobs: its form has changed", name)
	}
	for id, job := range w.Jobs {
		if job.TimeoutMinutes == 0 {
			t.Errorf("%s: job %s may run for six hours: give it timeout-minutes", name, id)
		}
		for permission, level := range job.Permissions {
			deploys := name == "deploy.yml" && permission == "id-token"
			if level != "read" && !deploys {
				t.Errorf("%s: job %s may %s: %s", name, id, permission, level)
			}
		}
		for _, step := range job.Steps {
			if strings.Contains(step.Run, "${{") {
				t.Errorf("%s: job %s pastes an expression into a shell command: pass it in env", name, id)
			}
			if strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != false {
				t.Errorf("%s: job %s leaves the token in .git/config: set persist-credentials: false", name, id)
			}
			for input := range step.With {
				if strings.Contains(input, "access-key") {
					t.Errorf("%s: job %s has a long-lived key", name, id)
				}
			}
		}
	}
}
