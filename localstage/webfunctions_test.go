package localstage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage"
	"signedsocket/localstage/internal/webadapter"
)

// pageServer is the argument that makes the test binary the server of the page.
const pageServer = "page-server"

// TestMain makes the test binary the web adapter or the page's server, too.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == webadapter.Command:
		os.Exit(webadapter.Main(os.Environ(), os.Stderr))
	case len(os.Args) > 1 && os.Args[1] == pageServer:
		servePage()
	default:
		os.Exit(m.Run())
	}
}

// servePage stands in for Next.js: pages, files, forms and cookies.
func servePage() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html>こんにちは")
	})
	mux.HandleFunc("GET /_next/static/font.woff2", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "font/woff2")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		_, _ = w.Write([]byte{0, 0xff, 0xfe})
	})
	mux.HandleFunc("GET /_next/static/app.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/javascript")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write([]byte{0x1f, 0x8b, 0xff})
	})
	mux.HandleFunc("POST /api/session", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: r.FormValue("user")})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /large", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 6<<20))
	})
	mux.HandleFunc("GET /environment", func(w http.ResponseWriter, _ *http.Request) {
		environment := map[string]string{"": fmt.Sprint(os.Getpid())}
		for _, variable := range os.Environ() {
			name, value, _ := strings.Cut(variable, "=")
			environment[name] = value
		}
		_ = json.NewEncoder(w).Encode(environment)
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe(net.JoinHostPort(os.Getenv("HOSTNAME"), os.Getenv("PORT")), mux))
	os.Exit(1)
}

// goFunctions are the functions that these tests leave out.
func goFunctions() []string {
	return []string{
		"ConnectFunction", "DisconnectFunction", "SendMessageFunction", "FanoutFunction", "SignUrlFunction",
		"ReaperFunction", "HistoryFunction", "EraseFunction", "PresenceFunction",
	}
}

// pageStage starts a stage of the repository's template with the page alone. This test binary is the page's server.
func pageStage(t *testing.T, change func(*localstage.Config)) (*localstage.Stage, *bytes.Buffer) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	artifacts := t.TempDir()
	script := filepath.Join(artifacts, "FrontendFunction", "run.sh")
	err = errors.Join(os.MkdirAll(filepath.Dir(script), 0o755),
		os.WriteFile(script, fmt.Appendf(nil, "#!/bin/sh\nexec \"%s\" %s\n", program, pageServer), 0o755))
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	config := localstage.Config{
		Template: withoutNode(t), State: t.TempDir(), Artifacts: artifacts, Adapter: program, Without: goFunctions(),
		Log: slog.New(slog.NewTextHandler(&log, nil)), Logs: t.Output(),
	}
	if change != nil {
		change(&config)
	}
	stage, err := localstage.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStage(t, stage) })
	return stage, &log
}

func closeStage(t *testing.T, stage *localstage.Stage) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := stage.Close(ctx); err != nil {
		t.Errorf("close the stage: %v", err)
	}
}

// withoutNode returns the template with a page that needs no Node.js.
func withoutNode(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "template.yaml")
	edited := bytes.Replace(text, []byte("Runtime: nodejs24.x"), []byte("Runtime: provided.al2023"), 1)
	if err := os.WriteFile(path, edited, 0o600); err != nil || bytes.Equal(edited, text) {
		t.Fatalf("edit the template: %v", err)
	}
	return path
}

// fetch requests the stage's HTTP API, with the headers of the client and no others.
func fetch(
	t *testing.T, stage *localstage.Stage, method, path, contentType string, body io.Reader,
) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, stage.Outputs().Template["FrontendUrl"]+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	return clienttest.Fetch(t, transport.RoundTrip, request)
}

func TestThePageIsServedByDefault(t *testing.T) {
	t.Parallel()
	stage, _ := pageStage(t, nil)
	if stage.PageURL() != stage.Outputs().Template["FrontendUrl"] {
		t.Errorf("the page is at %q", stage.PageURL())
	}
	for path, want := range map[string]struct {
		body    string
		headers map[string]string
	}{
		"/": {
			"<!doctype html>こんにちは", map[string]string{"Content-Type": "text/html; charset=utf-8"},
		},
		"/_next/static/font.woff2": {
			"\x00\xff\xfe",
			map[string]string{"Content-Type": "font/woff2", "Cache-Control": "public, max-age=31536000, immutable"},
		},
		"/_next/static/app.js": {
			"\x1f\x8b\xff", map[string]string{"Content-Type": "application/javascript", "Content-Encoding": "gzip"},
		},
	} {
		response, body := fetch(t, stage, http.MethodGet, path, "", nil)
		if response.StatusCode != http.StatusOK || body != want.body {
			t.Errorf("%s: %d %q, want %q", path, response.StatusCode, body, want.body)
		}
		for name, value := range want.headers {
			if got := response.Header.Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", path, name, got, value)
			}
		}
	}
	response, _ := fetch(t, stage, http.MethodPost, "/api/session", "application/x-www-form-urlencoded",
		strings.NewReader("user=alice"))
	if cookies := response.Header.Values("Set-Cookie"); response.StatusCode != http.StatusNoContent ||
		!slices.Equal(cookies, []string{"a=alice", "b=2"}) {
		t.Errorf("a form: %d with cookies %q", response.StatusCode, cookies)
	}
	if response, _ := fetch(t, stage, http.MethodGet, "/nowhere", "", nil); response.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown file: %d", response.StatusCode)
	}
}

func TestThePageHasLambdasLimits(t *testing.T) {
	t.Parallel()
	stage, _ := pageStage(t, nil)
	if response, body := fetch(t, stage, http.MethodGet, "/large", "",
		nil); response.StatusCode != http.StatusInternalServerError ||
		!strings.Contains(body, "Internal Server Error") {
		t.Errorf("an answer of 6 MB: %d %.100s", response.StatusCode, body)
	}
	if response, body := fetch(t, stage, http.MethodPost, "/", "text/plain",
		strings.NewReader(strings.Repeat("x", 6<<20))); response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a request of 6 MB: %d %.100s", response.StatusCode, body)
	}
	if response, _ := fetch(t, stage, http.MethodGet, "/", "", nil); response.StatusCode != http.StatusOK {
		t.Errorf("afterwards: %d", response.StatusCode)
	}
}

// environmentOf returns the environment of the page's server.
func environmentOf(t *testing.T, stage *localstage.Stage) map[string]string {
	t.Helper()
	_, body := fetch(t, stage, http.MethodGet, "/environment", "", nil)
	var environment map[string]string
	if err := json.Unmarshal([]byte(body), &environment); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return environment
}

func TestThePageGetsTheStagesAddresses(t *testing.T) {
	t.Parallel()
	stage, _ := pageStage(t, nil)
	outputs, got := stage.Outputs(), environmentOf(t, stage)
	for name, want := range map[string]string{
		"AUTH_MODE": "jwt", "OIDC_ISSUER": strings.TrimSuffix(outputs.Local.DevTokenURL, "/dev/token"),
		"OIDC_CLIENT_ID": "signedsocket",
		"OIDC_AUDIENCE":  "signedsocket", "SIGN_URL": outputs.Template["SignUrl"],
		"WEBSOCKET_URL": outputs.Template["WebSocketUrl"],
		"PAGE_ORIGIN":   stage.PageURL(), "DEFAULT_ROOMS": "lobby", "HOSTNAME": "localhost", "SESSION_SECRET": "",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if !strings.HasPrefix(got["AWS_ACCESS_KEY_ID"], "ASIA") || got["AWS_SESSION_TOKEN"] == "" {
		t.Error("the page's server has no credentials of its role")
	}
}

// TestSecretsOutliveTheStage shows that a session of the page is valid after a restart.
func TestSecretsOutliveTheStage(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	iam := func(c *localstage.Config) { c.State, c.Parameters = state, map[string]string{"AuthMode": "iam"} }
	first, _ := pageStage(t, iam)
	secret := environmentOf(t, first)["SESSION_SECRET"]
	closeStage(t, first)
	second, _ := pageStage(t, iam)
	if again := environmentOf(t, second)["SESSION_SECRET"]; len(secret) != 64 || again != secret {
		t.Errorf("the secret has %d letters, and is the same in the next run: %t", len(secret), again == secret)
	}
	closeStage(t, second)
	info, err := os.Stat(filepath.Join(state, "secrets.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("secrets.json: %v, %v", info, err)
	}
	other, _ := pageStage(t, func(c *localstage.Config) { c.Parameters = map[string]string{"AuthMode": "iam"} })
	if environmentOf(t, other)["SESSION_SECRET"] == secret {
		t.Error("two stages have one secret")
	}
}

func TestNothingOfThePageOutlivesTheStage(t *testing.T) {
	t.Parallel()
	stage, _ := pageStage(t, nil)
	var pid int
	if _, err := fmt.Sscan(environmentOf(t, stage)[""], &pid); err != nil {
		t.Fatal(err)
	}
	closeStage(t, stage)
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) && !isZombie(pid) {
		t.Errorf("process %d of the page lives on (%v)", pid, err)
	}
}

// isZombie reports whether a process is dead and not reaped, as in a container without an init.
func isZombie(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && bytes.Contains(status, []byte(") Z "))
}

func TestARouteOfALeftOutFunctionAnswers503(t *testing.T) {
	t.Parallel()
	stage, _ := pageStage(t,
		func(c *localstage.Config) { c.Without, c.Adapter = append(c.Without, "FrontendFunction"), "" })
	response, body := fetch(t, stage, http.MethodGet, "/", "", nil)
	if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body,
		"FrontendFunction does not run on this local stage: it was left out with --without FrontendFunction.") {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	if stage.PageURL() != "" || stage.Function("FrontendFunction") != nil {
		t.Errorf("the page is at %q", stage.PageURL())
	}
}

// TestWithoutNodeEverythingElseRuns changes PATH, so it cannot run beside others.
func TestWithoutNodeEverythingElseRuns(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	stage, log := pageStage(t, func(c *localstage.Config) { c.Template = "../template.yaml" })
	response, body := fetch(t, stage, http.MethodGet, "/", "", nil)
	const reason = "there is no node in PATH (install Node.js 20.9 or newer)"
	if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, reason) {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	if n := strings.Count(log.String(), "there is no node in PATH"); n != 1 {
		t.Errorf("said %d times:\n%s", n, log)
	}
}

func TestFunctionsThatLambdaWouldRunDifferentlyAreRefused(t *testing.T) {
	t.Parallel()
	template, err := os.ReadFile(withoutNode(t))
	if err != nil {
		t.Fatal(err)
	}
	const (
		layer  = "layer:LambdaAdapterLayerArm64:${AdapterLayerVersion}"
		layers = "      Layers:\n" +
			"        - !Sub arn:${AWS::Partition}:lambda:${AWS::Region}:753240598075:" + layer + "\n"
		wrapper = "AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap"
		runtime = "Runtime: provided.al2023\n      Handler: run.sh"
		nodeJS  = "Runtime: nodejs24.x\n      Handler: index.handler"
		refusal = "runtime nodejs24.x: the local stage runs"
	)
	for name, test := range map[string]struct {
		edits []string
		want  string
	}{
		"another layer": {
			[]string{layer, "layer:Extension:1"}, "layer:Extension:1 is not supported by the local stage",
		},
		"another wrapper": {
			[]string{wrapper, "AWS_LAMBDA_EXEC_WRAPPER: /opt/otel"},
			"AWS_LAMBDA_EXEC_WRAPPER=/opt/otel: the local stage knows /opt/bootstrap",
		},
		"a layer alone": {
			[]string{wrapper, "OTHER: x"}, "does nothing without AWS_LAMBDA_EXEC_WRAPPER=/opt/bootstrap",
		},
		"streaming": {
			[]string{`PORT: "3000"`, "AWS_LWA_INVOKE_MODE: response_stream"},
			"AWS_LWA_INVOKE_MODE=response_stream is not supported",
		},
		"a Node.js function": {[]string{wrapper, "OTHER: x", layers, "", runtime, nodeJS}, refusal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "template.yaml")
			if err := os.WriteFile(path, []byte(strings.NewReplacer(test.edits...).Replace(string(template))),
				0o600); err != nil {
				t.Fatal(err)
			}
			_, err := localstage.New(t.Context(), localstage.Config{
				Template: path, State: t.TempDir(), Artifacts: t.TempDir(), Without: goFunctions(), Adapter: "x",
			})
			if err == nil || !strings.Contains(err.Error(), test.want) ||
				!strings.Contains(err.Error(), "function FrontendFunction: ") {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
