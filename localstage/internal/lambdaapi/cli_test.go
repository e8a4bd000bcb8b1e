package lambdaapi

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"signedsocket/localstage/internal/iamauth"
	"signedsocket/test/tool"
)

// TestAWSCommandLine signs requests and reads answers with AWS's own command line: a client by other authors.
func TestAWSCommandLine(t *testing.T) {
	t.Parallel()
	cli := tool.Path(t, "make venv installs it; without it no client that others wrote calls the Invoke API",
		filepath.Join("..", "..", "..", ".venv", "bin", "aws"))
	function := newScript(nil)
	f := serve(t, nil, Function{ARN: echoARN, Invoker: invokerFunc(echo)},
		Function{ARN: reaperARN, Invoker: function},
		Function{ARN: reaperARN + "Failing", Invoker: fails(`{"errorMessage":"no"}`)})
	for name, tt := range map[string]struct {
		signer  *iamauth.Principal
		args    []string
		result  map[string]any // nil: refused
		payload string
		refusal string
	}{
		"invoke": {
			f.admin,
			[]string{"Echo", "--payload", `{"a":1}`},
			map[string]any{"StatusCode": 200.0, "ExecutedVersion": "$LATEST"},
			`{"a":1}`,
			"",
		},
		"invoke ARN": {
			f.admin,
			[]string{echoARN, "--qualifier", "$LATEST"},
			map[string]any{"StatusCode": 200.0, "ExecutedVersion": "$LATEST"},
			`{}`,
			"",
		},
		"failure": {
			f.admin,
			[]string{"ReaperFailing"},
			map[string]any{"StatusCode": 200.0, "ExecutedVersion": "$LATEST", "FunctionError": "Unhandled"},
			`{"errorMessage":"no"}`,
			"",
		},
		"event": {
			f.operator,
			[]string{"Reaper", "--invocation-type", "Event", "--payload", `{"a":1}`},
			map[string]any{"StatusCode": 202.0},
			"",
			"",
		},
		"dry run": {
			f.operator, []string{"Reaper", "--invocation-type", "DryRun"}, map[string]any{"StatusCode": 204.0}, "", "",
		},
		"not there": {f.admin, []string{"Ghost"}, nil, "", "(ResourceNotFoundException) when calling the Invoke " +
			"operation: Function not found: arn:aws:lambda:us-east-1:111122223333:function:Ghost"},
		"not allowed": {f.operator, []string{"Echo"}, nil, "", "(AccessDeniedException) when calling the Invoke " +
			"operation: User: arn:aws:iam::111122223333:user/operator is not authorized"},
		"not readable": {f.admin, []string{"Echo", "--payload", "hello"}, nil, "", "(InvalidRequestContentException) " +
			"when calling the Invoke operation: Could not parse request body into json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			args := append([]string{
				"lambda", "invoke", "--endpoint-url", f.url, "--output", "json", out, "--function-name",
			}, tt.args...)
			command := exec.CommandContext(t.Context(), cli, args...)
			command.Env = commandEnvironment(tt.signer)
			var stderr strings.Builder
			command.Stderr = &stderr
			stdout, err := command.Output()
			if tt.result == nil {
				if err == nil || !strings.Contains(stderr.String(), tt.refusal) {
					t.Errorf("aws said %s (%v), want %s", stderr.String(), err, tt.refusal)
				}
				return
			}
			if err != nil {
				t.Fatalf("aws: %v: %s", err, stderr.String())
			}
			checkResult(t, stdout, tt.result)
			if payload, err := os.ReadFile(out); err != nil || string(payload) != tt.payload {
				t.Errorf("payload is %s (%v), want %s", payload, err, tt.payload)
			}
		})
	}
}

func checkResult(t *testing.T, stdout []byte, want map[string]any) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(stdout, &got); err != nil {
		t.Fatalf("aws printed %s: %v", stdout, err)
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %v, want %v", name, got[name], value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("aws printed %v, want %v", got, want)
	}
}

// commandEnvironment returns variables without any of the developer's settings.
func commandEnvironment(p *iamauth.Principal) []string {
	c := p.Credentials()
	return []string{
		"AWS_ACCESS_KEY_ID=" + c.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + c.SecretAccessKey, "AWS_REGION=" + testRegion,
		"AWS_DEFAULT_REGION=" + testRegion,
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_MAX_ATTEMPTS=1",
		"NO_PROXY=127.0.0.1", "PATH=" + os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1",
	}
}
