package e2e_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/stagetest"
	"signedsocket/test/tool"
)

func clientsFolder() string { return filepath.Join(stagetest.Root(), "test", "e2e", "clients") }

func wscat(t *testing.T) string {
	t.Helper()
	return tool.Path(t, "make test installs it", filepath.Join(clientsFolder(), "node_modules", ".bin", "wscat"))
}

// commandLine returns the AWS CLI of the project's virtual environment.
func commandLine(t *testing.T) string {
	t.Helper()
	return tool.Path(t, "make venv installs it", filepath.Join(stagetest.Root(), ".venv", "bin", "aws"))
}

func TestWscatWithoutASignatureIsRefused(t *testing.T) {
	t.Parallel()
	binary := wscat(t)
	client := anyStage(t)
	cmd := exec.CommandContext(within(t), binary, "--connect", client.Outputs.WebSocketURL)
	keepStdin(t, cmd)
	output, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "Unexpected server response: 403") {
		t.Errorf("wscat ended with %v and said:\n%s", err, output)
	}
}

func TestAGrantPresignedByAWSsJavaScriptSignerOpensASocketForWscat(t *testing.T) {
	t.Parallel()
	binary, node := wscat(t), tool.Node(t)
	client := anyStage(t)
	proof := stageclient.NewProof()
	grant := stageclient.NewGrant(stageclient.User{Sub: "carol", Name: "Carol"}, []string{"lobby"}, proof.Challenge,
		time.Now())
	url := presignWithSmithy(t, client, node, grant)

	watcher := connect(t, client, "alice")
	cmd := exec.CommandContext(within(t), binary, "--connect", url, "--origin", client.Origin(),
		"--subprotocol", stageclient.Protocol, "--subprotocol", "pop."+proof.Verifier, "--wait", "5",
		"--execute", `{"action":"sendmessage","message":"hello from wscat"}`)
	keepStdin(t, cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if got := await[stageclient.Message](t, watcher); got.From.Sub != "carol" || got.Text != "hello from wscat" {
		t.Errorf("alice received %+v", got)
	}
}

// keepStdin leaves the standard input of the command open, because wscat ends with it.
func keepStdin(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stdin.Close() })
}

// presignWithSmithy signs a grant with @smithy/signature-v4 and the keys of signurl's role.
func presignWithSmithy(t *testing.T, client *stageclient.Client, node string, grant stageclient.Grant) string {
	t.Helper()
	keys, err := clienttest.Keys(t, client, "SignUrlFunction").Retrieve(within(t))
	if err != nil {
		t.Fatal(err)
	}
	single := map[string]string{}
	for name := range grant.Values() {
		single[name] = grant.Values().Get(name)
	}
	query, err := json.Marshal(single)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(within(t), node, "presign.mjs", client.Outputs.Region, client.Outputs.WebSocketURL,
		string(query))
	cmd.Dir = clientsFolder()
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+keys.SecretAccessKey,
		"AWS_SESSION_TOKEN="+keys.SessionToken)
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("presign.mjs: %v", err)
	}
	return strings.TrimSpace(string(output))
}

func TestTheAWSCLIPostsToALiveConnection(t *testing.T) {
	t.Parallel()
	aws := commandLine(t)
	stage, client := startStage(t, stagetest.Options{})
	alice := connect(t, client, "alice")
	connections := stage.Gateway().Connections()
	if len(connections) != 1 {
		t.Fatalf("the stage holds %d connections, want alice's", len(connections))
	}
	// Every version of the CLI sends the bytes of a file unchanged.
	data := filepath.Join(t.TempDir(), "frame.json")
	if err := os.WriteFile(data, []byte(`{"type":"pong"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	post := func(ctx context.Context, profile string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, aws, "apigatewaymanagementapi", "post-to-connection",
			"--endpoint-url", client.Outputs.CallbackURL, "--profile", profile, "--region", client.Outputs.Region,
			"--connection-id", connections[0].ConnectionID, "--data", "fileb://"+data)
		cmd.Env = append(os.Environ(), "AWS_SHARED_CREDENTIALS_FILE="+client.Outputs.Local.CredentialsFile,
			"AWS_PAGER=")
		return cmd.CombinedOutput()
	}
	if output, err := post(within(t), "DisconnectFunction"); err == nil ||
		!strings.Contains(string(output), "AccessDeniedException") {
		t.Errorf("a role without ManageConnections posted: %v\n%s", err, output)
	}
	if output, err := post(within(t), "admin"); err != nil {
		t.Fatalf("aws apigatewaymanagementapi post-to-connection: %v\n%s", err, output)
	}
	await[stageclient.Pong](t, alice)
}
