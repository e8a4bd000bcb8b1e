package clienttest

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/internal/stageclient"
	"signedsocket/internal/stageclient/recording"
)

// Running returns a client of the running stage that [stageclient.OutputsVariable] names. Without that variable it
// returns nil, and a test starts its own stage. The outputs leave out what only a local stage has. Requests wait while
// the stage throttles them, see [Waiting]. The default chain of AWS keys has to belong to a principal in
// ExtraSignerArns that may use the table and the reaper.
func Running(t testing.TB) *stageclient.Client {
	t.Helper()
	path := os.Getenv(stageclient.OutputsVariable)
	if path == "" {
		return nil
	}
	outputs, err := stageclient.LoadOutputs(path)
	if err != nil {
		t.Fatal(err)
	}
	outputs.Local = stageclient.Local{}
	client := &stageclient.Client{Outputs: outputs, TokenCommand: tokenCommand(t), HTTP: &http.Client{}}
	if folder := os.Getenv(stageclient.RecordingsVariable); folder != "" {
		record(t, client, filepath.Join(folder, strings.ReplaceAll(t.Name(), "/", ",")+".jsonl"))
	}
	client.HTTP.Transport = Waiting(cmp.Or(client.HTTP.Transport, http.DefaultTransport))
	return client
}

// tokenCommand returns the command for tokens, with users of this test only, because limits and kicks follow a user
// from test to test.
func tokenCommand(t testing.TB) string {
	t.Helper()
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(t.Name())) // hash.Hash never returns an error
	const user = stageclient.UserVariable
	command := os.Getenv(stageclient.TokenCommandVariable)
	return fmt.Sprintf("export %s=\"$%s-%x\"; %s", user, user, hash.Sum32(), command)
}

// record makes a client record what it sends and receives.
func record(t testing.TB, client *stageclient.Client, path string) {
	t.Helper()
	//nolint:gosec // a developer names the file
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	recorder := recording.New(file)
	client.HTTP, client.Trace = recorder.Client(nil), recorder.Trace
}

// LocalOnly skips a test when the suite plays a stage that is running already. The reason says what such a stage cannot
// do, as in "sets a parameter" or "injects a fault".
func LocalOnly(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv(stageclient.OutputsVariable) != "" {
		t.Skipf("LOCAL ONLY: it %s", reason)
	}
}

// Keys returns the keys of a profile of the local stage's credentials file. On a stage without that file they come from
// the default chain, which serves as two profiles: SignUrlFunction, because it is an extra signer, and admin, the
// operator. Other roles have keys on a local stage only.
func Keys(t testing.TB, c *stageclient.Client, profile string) aws.CredentialsProvider {
	t.Helper()
	if c.Outputs.Local.CredentialsFile == "" {
		if profile != "SignUrlFunction" && profile != "admin" {
			LocalOnly(t, "needs the keys of "+profile)
		}
		profile = ""
	}
	credentials, err := c.Credentials(Within(t), profile)
	if err != nil {
		t.Fatal(err)
	}
	return credentials
}
