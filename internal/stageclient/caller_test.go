package stageclient_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"signedsocket/internal/stageclient"
)

func TestTrustedCallerSignsItsRequestAndNamesTheUser(t *testing.T) {
	t.Parallel()
	now := time.Unix(1795327200, 0)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		const want = `{"rooms":["lobby"],"challenge":"c","user":{"sub":"alice","name":"Alice",` +
			`"sessionStart":1795327200,"sessionEndsAt":1795334400}}`
		if string(body) != want || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("asked %s, want %s", body, want)
		}
		authorization := r.Header.Get("Authorization")
		if !strings.HasPrefix(authorization, "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/") ||
			!strings.Contains(authorization, "/us-east-1/execute-api/aws4_request, SignedHeaders=") ||
			!strings.Contains(authorization, "host;") || r.Header.Get("X-Amz-Security-Token") != "st" {
			t.Errorf("headers %v", r.Header)
		}
		fmt.Fprint(w, `{"url":"wss://x","user":{"sub":"alice","name":"Alice"}}`)
	}))
	t.Cleanup(server.Close)
	client := &stageclient.Client{Outputs: stageclient.Outputs{SignURL: server.URL, Region: "us-east-1"}}
	key := credentials.NewStaticCredentialsProvider("ASIAEXAMPLE", "secret", "st")
	user := stageclient.NewNamedUser(stageclient.User{Sub: "alice", Name: "Alice"}, now)
	signed, err := client.SignURLFor(t.Context(), key, user, []string{"lobby"}, "c")
	if err != nil || signed.User.Sub != "alice" {
		t.Errorf("%v, %v", signed, err)
	}
}

func TestTrustedCallerWithoutCredentialsAsksNothing(t *testing.T) {
	t.Parallel()
	client := &stageclient.Client{Outputs: stageclient.Outputs{SignURL: "http://127.0.0.1:1", Region: "us-east-1"}}
	_, err := client.SignURLFor(t.Context(), credentials.NewStaticCredentialsProvider("", "", ""),
		stageclient.NamedUser{Sub: "alice"}, nil, "")
	if err == nil || !strings.Contains(err.Error(), "find AWS credentials") {
		t.Errorf("err = %v", err)
	}
}

func TestARefusalTellsTheCallerWhy(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "caller_not_trusted", "message": "No."})
	}))
	t.Cleanup(server.Close)
	client := &stageclient.Client{Outputs: stageclient.Outputs{SignURL: server.URL, Region: "us-east-1"}}
	_, err := client.SignURLFor(t.Context(), credentials.NewStaticCredentialsProvider("A", "s", ""),
		stageclient.NamedUser{Sub: "alice"}, nil, "")
	if refused := new(stageclient.SignError); !errors.As(err, &refused) || refused.Code != "caller_not_trusted" {
		t.Errorf("err = %v", err)
	}
}
