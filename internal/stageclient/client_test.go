package stageclient_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"signedsocket/internal/stageclient"
)

// The outputs are as the design has them, not as this package would write them.
const outputsJSON = `{"WebSocketUrl":"ws://127.0.0.1:3002/prod","CallbackUrl":"http://127.0.0.1:3002/prod",
"SignUrl":"http://127.0.0.1:3001/signurl","FrontendUrl":"http://127.0.0.1:3001",
"TableName":"t","Region":"us-east-1","SomethingNew":"x",
"Local":{"DevTokenUrl":"http://127.0.0.1:3003/dev/token","DynamoDBUrl":"http://127.0.0.1:3003","CredentialsFile":"/c"}}`

func TestOutputsAreReadFromAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outputs.json")
	if err := os.WriteFile(path, []byte(outputsJSON), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := stageclient.LoadOutputs(path)
	if err != nil {
		t.Fatal(err)
	}
	want := stageclient.Outputs{
		WebSocketURL: "ws://127.0.0.1:3002/prod", CallbackURL: "http://127.0.0.1:3002/prod",
		SignURL:     "http://127.0.0.1:3001/signurl",
		FrontendURL: "http://127.0.0.1:3001", TableName: "t", Region: "us-east-1",
		Local: stageclient.Local{DevTokenURL: "http://127.0.0.1:3003/dev/token", DynamoDBURL: "http://127.0.0.1:3003",
			CredentialsFile: "/c"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := stageclient.LoadOutputs(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	for _, bad := range []string{"", "[]", `{"SignUrl":"x"}`} {
		if _, err := stageclient.ReadOutputs(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was taken for outputs", bad)
		}
	}
}

func TestTokenComesFromTheCommandOrTheIssuer(t *testing.T) {
	t.Parallel()
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user := r.URL.Query().Get("user"); user != "mallory" {
			fmt.Fprintf(w, `{"access_token":"dev-%s"}`, user)
			return
		}
		http.Error(w, "no such user", http.StatusBadRequest)
	}))
	t.Cleanup(issuer.Close)
	tests := map[string]struct{ command, issuer, user, want, err string }{
		"issuer":            {"", issuer.URL + "/dev/token", "alice", "dev-alice", ""},
		"issuer refuses":    {"", issuer.URL + "/dev/token", "mallory", "", "400: no such user"},
		"command":           {`echo "  cmd-$SIGNEDSOCKET_USER"`, issuer.URL, "alice", "cmd-alice", ""},
		"command fails":     {`echo one >&2; echo two >&2; exit 3`, "", "alice", "", "exit status 3: two"},
		"command is silent": {`true`, "", "alice", "", "print one access token"},
		"command chats":     {`echo token is a.b.c`, "", "alice", "", "print one access token"},
		"nothing":           {"", "", "alice", "", "set SIGNEDSOCKET_TOKEN_COMMAND"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := &stageclient.Client{TokenCommand: test.command,
				Outputs: stageclient.Outputs{Local: stageclient.Local{DevTokenURL: test.issuer}}}
			got, err := client.Token(t.Context(), test.user)
			if got != test.want || (err == nil) != (test.err == "") ||
				err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("token %q, error %v", got, err)
			}
		})
	}
}

func TestSignURLAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status int
		header http.Header
		body   string
		want   any // *Signed or *SignError; nil for another error
		text   string
	}{
		"signed": {200, nil,
			`{"url":"wss://x/prod?sig","protocols":["chat.v1"],"expiresIn":10,"sessionEndsIn":7200,` +
				`"user":{"sub":"alice","name":"Alice"}}`,
			&stageclient.Signed{URL: "wss://x/prod?sig", Protocols: []string{"chat.v1"}, ExpiresIn: 10,
				SessionEndsIn: 7200,
				User:          stageclient.User{Sub: "alice", Name: "Alice"}}, ""},
		"the gateway": {401, nil, `{"message":"Unauthorized"}`,
			&stageclient.SignError{Status: 401, Message: "Unauthorized"}, "signurl answered 401: Unauthorized"},
		"signurl": {403, nil, `{"error":"room_not_allowed","message":"Not yours."}`,
			&stageclient.SignError{Status: 403, Code: "room_not_allowed", Message: "Not yours."},
			"signurl answered 403 room_not_allowed: Not yours."},
		"wait": {429, http.Header{"Retry-After": {"7"}}, `{"message":"Too Many Requests"}`,
			&stageclient.SignError{Status: 429, Message: "Too Many Requests", RetryAfter: 7 * time.Second}, ""},
		"not JSON": {502, http.Header{"Retry-After": {"soon"}}, `<html>`, &stageclient.SignError{Status: 502},
			"signurl answered 502"},
		"no URL":       {200, nil, `{}`, nil, "no url"},
		"broken":       {200, nil, `{`, nil, "read answer"},
		"another type": {200, nil, `{"url":1}`, nil, "read answer"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if string(body) != `{"rooms":["lobby"],"challenge":"c"}` ||
					r.Header.Get("Authorization") != "Bearer t" || r.Header.Get("Content-Type") != "application/json" {
					t.Errorf("asked %s with %v", body, r.Header)
				}
				for name, values := range test.header {
					w.Header()[name] = values
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			t.Cleanup(server.Close)
			client := &stageclient.Client{Outputs: stageclient.Outputs{SignURL: server.URL}}
			signed, err := client.SignURL(t.Context(), "t", []string{"lobby"}, "c")
			var refused *stageclient.SignError
			errors.As(err, &refused)
			switch want := test.want.(type) {
			case *stageclient.Signed:
				if diff := cmp.Diff(want, signed); diff != "" || err != nil {
					t.Errorf("error %v\n%s", err, diff)
				}
			case *stageclient.SignError:
				if diff := cmp.Diff(want, refused); diff != "" {
					t.Error(diff)
				}
			}
			if test.text != "" && (err == nil || !strings.Contains(err.Error(), test.text)) {
				t.Errorf("error %v, want one with %q", err, test.text)
			}
		})
	}
}

func TestEmptyArgumentsAddNothingToTheRequest(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body) != 0 ||
			r.Header.Get("Authorization") != "" {
			t.Errorf("asked %v with %v, %v", body, r.Header, err)
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	client := &stageclient.Client{Outputs: stageclient.Outputs{SignURL: server.URL}}
	if _, err := client.SignURL(t.Context(), "", nil, ""); err == nil {
		t.Error("no error")
	}
}

func TestSignedDoesNotShowItsURL(t *testing.T) {
	t.Parallel()
	signed := &stageclient.Signed{URL: "wss://secret", User: stageclient.User{Sub: "alice"}, ExpiresIn: 10}
	for _, text := range []string{fmt.Sprint(signed), fmt.Sprintf("%+v", *signed), fmt.Sprintf("%v", *signed)} {
		if strings.Contains(text, "secret") {
			t.Error(text)
		}
	}
}
