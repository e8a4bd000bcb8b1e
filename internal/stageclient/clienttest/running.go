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

// Running returns a client of the stage that [stageclient.OutputsVariable] names, which is running already, or nil
// without that variable: then a test starts a stage of its own. The outputs leave out what only a local stage has,
// whichever stage it is. Its requests wait while the stage throttles them, see [Waiting]. The keys of AWS's default
// chain have to be those of a principal in ExtraSignerArns that may use the table and the reaper.
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

// tokenCommand returns the command for tokens, with users of the test's own: limits and kicks follow a user from one
// test to the next.
func tokenCommand(t testing.TB) string {
	t.Helper()
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(t.Name())) // hash.Hash never returns an error
	const user = stageclient.UserVariable
	command := os.Getenv(stageclient.TokenCommandVariable)
	return fmt.Sprintf("export %s=\"$%s-%x\"; %s", user, user, hash.Sum32(), command)
}

// record makes a client write down what it sends and gets.
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

// LocalOnly leaves a test out when the suite plays a stage that is running already. The reason says which lever the
// test needs that such a stage does not have, as in "sets a parameter" or "injects a fault".
func LocalOnly(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv(stageclient.OutputsVariable) != "" {
		t.Skipf("LOCAL ONLY: it %s", reason)
	}
}

// Keys returns the keys of a profile of the local stage's credentials file. On a stage without that file the default
// chain has those of the extra signer, who signs what SignUrlFunction signs, and of the operator, whose profile is
// admin. The keys of another role are on a local stage only.
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
