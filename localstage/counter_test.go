package localstage_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"signedsocket/localstage"
	"signedsocket/localstage/internal/dynamodb"
)

const patience = 30 * time.Second

// TestATemplateOfAnotherShapeRuns runs the template of testdata/counter: as it is, and with one permission less.
func TestATemplateOfAnotherShapeRuns(t *testing.T) {
	t.Parallel()
	const path = "testdata/counter/template.yaml"
	functions := t.TempDir()
	if err := localstage.Build(t.Context(), path, functions); err != nil {
		t.Fatal(err)
	}
	t.Run("as it is", func(t *testing.T) {
		t.Parallel()
		playCounter(t, runCounter(t, localstage.Config{Template: path, Artifacts: functions}))
	})
	t.Run("with batches that are processed by halves", func(t *testing.T) {
		t.Parallel()
		playCounter(t, runCounter(t, localstage.Config{
			Template: path, Artifacts: functions, Faults: localstage.Faults{UnprocessedItems: 1},
		}))
	})
	t.Run("with another DynamoDB", func(t *testing.T) {
		t.Parallel()
		playCounter(t,
			runCounter(t, localstage.Config{Template: path, Artifacts: functions, DynamoDBEndpoint: otherDynamoDB(t)}))
	})
	t.Run("without the permission for $connect", func(t *testing.T) {
		t.Parallel()
		url := runCounter(t, localstage.Config{Template: narrowed(t, path), Artifacts: functions})
		_, response, err := websocket.Dial(t.Context(), url+"?name=alice", nil)
		if err == nil || response.StatusCode != 500 ||
			response.Header.Get("X-Amzn-Errortype") != "InternalServerErrorException" {
			t.Errorf("connected with %v, want HTTP 500 InternalServerErrorException", err)
		}
	})
}

// runCounter starts a stage and returns the address of its WebSocket API.
func runCounter(t *testing.T, config localstage.Config) string {
	t.Helper()
	config.State, config.Logs = t.TempDir(), t.Output()
	stage, err := localstage.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := stage.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return stage.Outputs().Template["Url"]
}

// otherDynamoDB starts a DynamoDB that is not the stage's own and returns its address.
func otherDynamoDB(t *testing.T) string {
	t.Helper()
	engine, err := dynamodb.Open(dynamodb.Options{Path: filepath.Join(t.TempDir(), "other.db")})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(engine)
	t.Cleanup(func() {
		server.Close()
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return server.URL
}

// narrowed is the template with the lobby's permission for $disconnect alone.
func narrowed(t *testing.T, path string) string {
	t.Helper()
	original, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(original), "${Api}/*\n", "${Api}/*/$disconnect\n", 1)
	if text == string(original) {
		t.Fatal("the lobby's permission is not in the template")
	}
	edited := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(edited, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return edited
}

func playCounter(t *testing.T, url string) {
	t.Helper()
	if !strings.HasPrefix(url, "ws://127.0.0.1:") || !strings.HasSuffix(url, "/v1") {
		t.Fatalf("the output Url is %s", url)
	}
	_, response, err := websocket.Dial(t.Context(), url, nil)
	if err == nil || response.StatusCode != 400 {
		t.Errorf("without a name: %v, want the function's 400", err)
	}
	c, _, err := websocket.Dial(t.Context(), url+"?name=alice", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	// The stage does not send the results of add and $default, so each of these is the answer to the previous message.
	if got := exchange(t, c, `{"type":"add","counter":"a","by":2}`); got != "hello: a is 2" {
		t.Errorf("add answered %q", got)
	}
	if err := c.Write(t.Context(), websocket.MessageText, []byte("for $default")); err != nil {
		t.Fatal(err)
	}
	if got := exchange(t, c, `{"type":"total","counter":"a","by":3}`); got != "hello: a is 5" {
		t.Errorf("total answered %q", got)
	}
	if got := exchange(t, c, `{"type":"several","counters":["x","y","z"],"by":7}`); got != "x is 7, y is 7, z is 7" {
		t.Errorf("several answered %q", got)
	}
	// No permission names this route: SourceArn.
	if got := exchange(t, c,
		`{"type":"reset"}`); !strings.HasPrefix(got, `{"message": "Internal server error", "connectionId":"`) {
		t.Errorf("reset answered %q, want the error frame", got)
	}
	if got := exchange(t, c, `{"type":"total","counter":"a","by":-5}`); got != "hello: a is 0" {
		t.Errorf("total answered %q", got)
	}
}

// exchange sends a message and returns the next one from the stage.
func exchange(t *testing.T, c *websocket.Conn, message string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
	_, answer, err := c.Read(ctx)
	if err != nil {
		t.Fatalf("after %s: %v", message, err)
	}
	return string(answer)
}
