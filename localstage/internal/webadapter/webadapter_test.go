package webadapter_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/internal/lambda"
	"signedsocket/localstage/internal/webadapter"
)

// get is the event of a GET request, with more members.
func get(path, more string) string {
	return `{"version":"2.0","rawPath":"` + path + `","headers":{"host":"127.0.0.1:3001","x-forwarded-proto":"http"},` +
		`"requestContext":{"http":{"method":"GET","path":"` + path + `"},"requestId":"r1"}` + more + `}`
}

// proxied is a function's response as an HTTP API reads it.
type proxied struct {
	StatusCode      int
	Headers         map[string]string
	Cookies         []string
	Body            string
	IsBase64Encoded bool
}

func (w webFunction) ask(t *testing.T, event string) proxied {
	t.Helper()
	payload, err := w.Invoke(t.Context(), []byte(event))
	if err != nil {
		t.Fatalf("%v\n%s", err, w.log)
	}
	var p proxied
	if err := json.Unmarshal(payload, &p); err != nil {
		t.Fatalf("%s: %v", payload, err)
	}
	return p
}

func (w webFunction) askEcho(t *testing.T, event string) echoed {
	t.Helper()
	p := w.ask(t, event)
	var e echoed
	if err := json.Unmarshal([]byte(p.Body), &e); err != nil || p.StatusCode != http.StatusOK {
		t.Fatalf("%+v: %v", p, err)
	}
	return e
}

func (w webFunction) failing(t *testing.T, event string) *lambda.FunctionError {
	t.Helper()
	payload, err := w.Invoke(t.Context(), []byte(event))
	failed, ok := errors.AsType[*lambda.FunctionError](err)
	if !ok {
		t.Fatalf("got %.200s, %v; want a failed invocation", payload, err)
	}
	return failed
}

func TestAnEventBecomesTheRequestThatTheClientSent(t *testing.T) {
	t.Parallel()
	w := start(t, 30*time.Second, nil)
	event := `{"version":"2.0","rawPath":"/echo/あ b%2F","rawQueryString":"q=%20%E3%81%82&q=2","cookies":["a=1","b=2"],
		"headers":{"host":"127.0.0.1:3001","content-type":"application/x-www-form-urlencoded","content-length":"5",
		"x-forwarded-for":"10.0.0.1","accept-encoding":"gzip, br"},
		"requestContext":{"requestId":"r1", "http": {"method":"POST"}},
		"body":"` + base64.StdEncoding.EncodeToString([]byte("n=\xff\x00!")) + `","isBase64Encoded":true}`
	got := w.askEcho(t, event)
	if got.Method != http.MethodPost || got.Path != "/echo/%E3%81%82%20b%2F" || got.Query != "q=%20%E3%81%82&q=2" ||
		got.Host != "127.0.0.1:3001" {
		t.Errorf("the server was asked %s %s?%s of %s", got.Method, got.Path, got.Query, got.Host)
	}
	if len(got.Body) == 0 || !strings.HasPrefix(got.Body, "n=") || got.Header.Get("Content-Length") != "5" {
		t.Errorf("body %q of %s bytes", got.Body, got.Header.Get("Content-Length"))
	}
	for name, want := range map[string]string{
		"Cookie": "a=1;b=2", "X-Forwarded-For": "10.0.0.1", "Accept-Encoding": "gzip, br", "User-Agent": "",
		"X-Amzn-Request-Context": `{"requestId":"r1","http":{"method":"POST"}}`,
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Header.Get(name), want)
		}
	}
	var told struct {
		Function string `json:"invoked_function_arn"`
		Deadline int64  `json:"deadline"`
		Trace    string `json:"xray_trace_id"`
		Facts    struct {
			Name   string `json:"function_name"`
			Memory string `json:"memory"`
		} `json:"env_config"`
	}
	if err := json.Unmarshal([]byte(got.Header.Get("X-Amzn-Lambda-Context")), &told); err != nil {
		t.Fatal(err)
	}
	if told.Facts.Name != "Web" || told.Facts.Memory != "1024" || told.Deadline == 0 ||
		!strings.HasSuffix(told.Function, ":function:Web") ||
		told.Trace == "" || told.Trace != got.Header.Get("X-Amzn-Trace-Id") {
		t.Errorf("Lambda context %+v", told)
	}
}

func TestAServerHasTheFunctionsEnvironmentAndAPortOfItsOwn(t *testing.T) {
	t.Parallel()
	w := start(t, 30*time.Second, nil)
	got := w.askEcho(t, get("/echo/", "")).Environment
	for name, want := range map[string]string{
		"GREETING": "hello", "AWS_ACCESS_KEY_ID": "key", "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs24.x",
		"_HANDLER": "run.sh", "HOME": "",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if got["PORT"] == "3000" || got["PORT"] != got["AWS_LWA_PORT"] {
		t.Errorf("PORT is %s, AWS_LWA_PORT %s: want a free one in both", got["PORT"], got["AWS_LWA_PORT"])
	}
}

func TestAnswersKeepTheirBytesCookiesAndStatus(t *testing.T) {
	t.Parallel()
	w := start(t, 30*time.Second, nil)
	binary := w.ask(t, get("/binary", ""))
	if body, err := base64.StdEncoding.DecodeString(binary.Body); err != nil || !binary.IsBase64Encoded ||
		string(body) != "\x00\xff\xfe<" {
		t.Errorf("binary answer %+v, %v", binary, err)
	}
	redirect := w.ask(t, get("/cookies", ""))
	if redirect.StatusCode != http.StatusSeeOther || redirect.Headers["location"] != "/elsewhere" {
		t.Errorf("a redirect is the client's to follow: %+v", redirect)
	}
	if diff := cmp.Diff([]string{"a=1; Path=/; HttpOnly", "b=2"}, redirect.Cookies); diff != "" {
		t.Errorf("cookies (-want +got):\n%s", diff)
	}
	if redirect.Headers["set-cookie"] != "" || redirect.Headers["vary"] != "rsc" {
		t.Errorf("headers %v", redirect.Headers)
	}
	if missing := w.ask(t, get("/nowhere", "")); missing.StatusCode != http.StatusNotFound || missing.IsBase64Encoded {
		t.Errorf("%+v", missing)
	}
}

func TestAnAnswerAboveLambdasLimitFailsThatRequestOnly(t *testing.T) {
	t.Parallel()
	w := start(t, 30*time.Second, nil)
	before := w.askEcho(t, get("/echo/", "")).PID
	if failed := w.failing(t, get("/large", "")); failed.Type != "Function.ResponseSizeTooLarge" {
		t.Errorf("failed by %s", failed.Type)
	}
	if after := w.askEcho(t, get("/echo/", "")).PID; after != before {
		t.Errorf("process %d answers after %d: the environment should have stayed", after, before)
	}
}

func TestOneServerHasOneRequestAtATime(t *testing.T) {
	t.Parallel()
	w := start(t, 30*time.Second, nil)
	var requests sync.WaitGroup
	for range 8 {
		requests.Go(func() {
			if p := w.ask(t, get("/alone", "")); p.StatusCode != http.StatusOK {
				t.Errorf("a server with a request got another one: %d", p.StatusCode)
			}
		})
	}
	requests.Wait()
	if n := len(w.Environments()); n < 2 {
		t.Errorf("%d environments for 8 requests at a time", n)
	}
}

func TestAServerThatEndsFailsItsRequestAndIsReplaced(t *testing.T) {
	t.Parallel()
	w := start(t, 30*time.Second, nil)
	before := w.askEcho(t, get("/echo/", "")).PID
	if failed := w.failing(t, get("/end", "")); failed.Type != "Runtime.ExitError" {
		t.Errorf("failed by %s", failed.Type)
	}
	if after := w.askEcho(t, get("/echo/", "")).PID; after == before {
		t.Error("the process that has ended answers")
	}
}

func TestAServerThatDoesNotStartFailsTheRequest(t *testing.T) {
	t.Parallel()
	for server, want := range map[string]string{"ends": "Runtime.ExitError", "is never ready": "Sandbox.Timedout"} {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			w := start(t, time.Second, map[string]string{"SERVER": server})
			if failed := w.failing(t, get("/", "")); failed.Type != want {
				t.Errorf("failed by %s, want %s\n%s", failed.Type, want, w.log)
			}
		})
	}
}

func TestAServerIsFrozenAndKilledWithItsEnvironment(t *testing.T) {
	t.Parallel()
	w := start(t, time.Second, nil)
	pid := w.askEcho(t, get("/echo/", "")).PID
	clienttest.Eventually(t, "the server is stopped between requests", func() bool {
		return strings.HasPrefix(state(pid), "T")
	})
	if again := w.askEcho(t, get("/echo/", "")).PID; again != pid {
		t.Errorf("process %d answers, want %d thawed", again, pid)
	}
	if failed := w.failing(t, get("/hang", "")); failed.Type != "Sandbox.Timedout" {
		t.Errorf("failed by %s", failed.Type)
	}
	clienttest.Eventually(t, "the server is gone with its environment", func() bool { return state(pid) == "" })
}

func TestAServerGetsSIGTERMBeforeItsEnd(t *testing.T) {
	t.Parallel()
	w := start(t, 30*time.Second, nil)
	pid := w.askEcho(t, get("/echo/", "")).PID
	w.service.Close()
	if log := w.log.String(); !strings.Contains(log, "the server says goodbye") {
		t.Errorf("the server was not asked to end:\n%s", log)
	}
	if s := state(pid); s != "" {
		t.Errorf("the server is in state %s after Close", s)
	}
}

func TestOtherEventsThanThoseOfHTTPAPIsAreRefused(t *testing.T) {
	t.Parallel()
	w := start(t, 30*time.Second, nil)
	for _, event := range []string{`{}`, `{"requestContext":{"routeKey":"$connect"}}`, `[1]`} {
		if failed := w.failing(t, event); failed.Type != "WebAdapter.NoAnswer" {
			t.Errorf("%s: failed by %s", event, failed.Type)
		}
	}
}

func TestSettingsThatTheAdapterDoesNotFollowAreRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		variables map[string]string
		want      string
	}{
		"the function's own": {map[string]string{
			"PORT": "3000", "AWS_LWA_PORT": "3000", "HOSTNAME": "127.0.0.1", "AWS_LWA_READINESS_CHECK_PATH": "/healthz",
		}, ""},
		"buffered": {map[string]string{"AWS_LWA_INVOKE_MODE": "buffered"}, ""},
		"streamed": {
			map[string]string{"AWS_LWA_INVOKE_MODE": "response_stream"},
			"AWS_LWA_INVOKE_MODE=response_stream is not supported",
		},
		"a base path": {
			map[string]string{"AWS_LWA_REMOVE_BASE_PATH": "/prod"}, "AWS_LWA_REMOVE_BASE_PATH=/prod is not supported",
		},
		"an old name": {map[string]string{"READINESS_CHECK_PATH": "/healthz"}, "write AWS_LWA_READINESS_CHECK_PATH"},
	} {
		err := webadapter.Check(test.variables)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// state returns the letters of ps for a process, "" when there is none or only its zombie.
func state(pid int) string {
	output, err := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(pid)).Output()
	text := strings.TrimSpace(string(output))
	if err != nil || strings.HasPrefix(text, "Z") {
		return ""
	}
	return text
}
