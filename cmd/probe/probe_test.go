package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient"
)

// stack answers like a deployed stack that refuses every handshake. answer is its POST /signurl for a caller with a
// token or a signature.
func stack(t *testing.T, mode string, answer http.HandlerFunc) *prober {
	t.Helper()
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/signurl" && r.Header.Get("Authorization") == "":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/signurl":
			answer(w, r)
		case r.URL.Path == "/slow":
			<-ended
		case r.URL.Path == "/":
			w.WriteHeader(http.StatusOK)
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(ended) })
	return &prober{
		client: &stageclient.Client{Outputs: stageclient.Outputs{
			WebSocketURL: "ws" + strings.TrimPrefix(server.URL, "http") + "/prod",
			SignURL:      server.URL + "/signurl",
			FrontendURL:  server.URL + "/",
			AuthMode:     mode,
			Region:       "eu-west-1",
		}},
		user:     "probe",
		patience: 5 * time.Second,
	}
}

func refuses(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

func TestWithoutATokenTheProbeTriesTheOtherSteps(t *testing.T) {
	for mode, credentials := range map[string]bool{"jwt": false, "iam": true} {
		t.Run(mode, func(t *testing.T) {
			if credentials {
				t.Setenv("AWS_ACCESS_KEY_ID", "key")
				t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			}
			var out bytes.Buffer
			code := stack(t, mode, refuses(http.StatusForbidden)).probe(t.Context(), &out)
			if code != exitGood {
				t.Errorf("exit code %d, want 0", code)
			}
			for _, want := range []string{
				"----  connect    not tried: ", "What to do: to try the rest",
				"ok    page", "ok    token", "ok    unsigned", "ok    forged",
				"Not tried: connect, message, ping, replay, altered, origin.",
			} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in the output:\n%s", want, out.String())
				}
			}
		})
	}
}

func TestAMissingProtectionIsFoundWithoutAToken(t *testing.T) {
	t.Parallel()
	p := stack(t, "jwt", refuses(http.StatusForbidden))
	p.client.Outputs.WebSocketURL = strings.TrimSuffix(p.client.Outputs.WebSocketURL, "prod") // this path answers 200
	var out bytes.Buffer
	if code := p.probe(t.Context(), &out); code != exitBad || !strings.Contains(out.String(), "FAIL  unsigned") {
		t.Errorf("exit code %d:\n%s", code, out.String())
	}
}

func TestAFailedTokenCommandIsReported(t *testing.T) {
	t.Parallel()
	p := stack(t, "jwt", refuses(http.StatusForbidden))
	p.client.TokenCommand = "echo no such user >&2; exit 3"
	var out bytes.Buffer
	code := p.probe(t.Context(), &out)
	if said := out.String(); code != exitBad || !strings.Contains(said, "FAIL  connect") ||
		!strings.Contains(said, "no such user") || !strings.Contains(said, "try the command by hand") {
		t.Errorf("exit code %d:\n%s", code, said)
	}
}

// TestTheTokenCommandUsesNoneOfTheProbesTime: the command runs once, before the time begins.
func TestTheTokenCommandUsesNoneOfTheProbesTime(t *testing.T) {
	t.Parallel()
	calls := filepath.Join(t.TempDir(), "calls")
	p := stack(t, "jwt", refuses(http.StatusUnauthorized))
	p.patience = 2 * time.Second
	p.client.TokenCommand = "echo called >> '" + calls + "'; sleep 2.2; echo token"
	var out bytes.Buffer
	if code := p.probe(t.Context(), &out); code != exitBad || !strings.Contains(out.String(), "signurl answered 401") {
		t.Errorf("exit code %d:\n%s", code, out.String())
	}
	for range 2 {
		if _, _, err := p.sign(t.Context()); err == nil {
			t.Error("401 is a signed URL")
		}
	}
	if said, err := os.ReadFile(calls); err != nil || string(said) != "called\n" {
		t.Errorf("the token command was called: %q, %v", said, err)
	}
}

func TestADeadlineIsReportedAsADeadline(t *testing.T) {
	t.Parallel()
	for name, slow := range map[string]func(o *stageclient.Outputs){
		"page":    func(o *stageclient.Outputs) { o.FrontendURL += "slow" },
		"signurl": func(o *stageclient.Outputs) { o.SignURL = o.FrontendURL + "slow" },
		"handshake": func(o *stageclient.Outputs) {
			o.WebSocketURL = strings.Replace(o.WebSocketURL, "prod", "slow", 1)
		},
	} {
		p := stack(t, "jwt", refuses(http.StatusForbidden))
		p.patience = 300 * time.Millisecond
		slow(&p.client.Outputs)
		var out bytes.Buffer
		code := p.probe(t.Context(), &out)
		if code != exitBad || !strings.Contains(out.String(), "no answer before the 300ms of the probe were over") {
			t.Errorf("%s: exit code %d:\n%s", name, code, out.String())
		}
	}
}
