package lambda

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"signedsocket/internal/stageclient/clienttest"

	"golang.org/x/sync/errgroup"
)

// manualRuntime speaks the Runtime API for a function whose process only sleeps.
type manualRuntime struct {
	t *testing.T
	f *Function
	e *environment
}

func newManualRuntime(t *testing.T, changes ...func(*Config)) *manualRuntime {
	t.Helper()
	changes = append(changes, withBootstrap("testdata/sleeper/bootstrap"))
	f := addFunction(t, startService(t, Options{}), changes...)
	e := f.warm()
	clienttest.Eventually(t, "the process is started", func() bool { return f.Environments()[0].PID != 0 })
	return &manualRuntime{t: t, f: f, e: e}
}

// call sends a request and returns status, header and body. It adds path elements in front of the last two when the
// path does not begin with a slash.
func (m *manualRuntime) call(method, path, body string, header ...string) (int, http.Header, string) {
	m.t.Helper()
	if !strings.HasPrefix(path, "/") {
		path = "/2018-06-01/runtime/" + path
	}
	request, err := http.NewRequestWithContext(m.t.Context(), method, "http://"+m.e.address+path,
		strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			request.Host = header[i+1]
		}
		request.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, text := clienttest.Fetch(m.t, transport.RoundTrip, request)
	return response.StatusCode, response.Header, strings.TrimSpace(text)
}

// receive invokes the function and fetches the event as the runtime.
func (m *manualRuntime) receive(event string) (id string, invocation *errgroup.Group) {
	m.t.Helper()
	invocation = new(errgroup.Group)
	invocation.Go(func() error {
		_, err := m.f.Invoke(m.t.Context(), []byte(event))
		return err
	})
	status, header, body := m.call("GET", "invocation/next", "")
	if status != http.StatusOK || body != event {
		m.t.Fatalf("next: %d %s, want 200 %s", status, body, event)
	}
	return header.Get("Lambda-Runtime-Aws-Request-Id"), invocation
}

func (m *manualRuntime) expect(wantStatus int, wantBody, method, path, body string, header ...string) {
	m.t.Helper()
	status, responseHeader, got := m.call(method, path, body, header...)
	if status != wantStatus || !strings.Contains(got, wantBody) {
		m.t.Errorf("%s %s: %d %s, want %d %s", method, path, status, got, wantStatus, wantBody)
	}
	if kind := responseHeader.Get("Content-Type"); wantBody != "" && kind != "application/json" {
		m.t.Errorf("%s %s: Content-Type %q, want application/json", method, path, kind)
	}
}

func TestNextCarriesTheInvocation(t *testing.T) {
	t.Parallel()
	m := newManualRuntime(t, withTimeout(20*time.Second))
	go func() { _, _ = m.f.Invoke(t.Context(), []byte(`{"a":1}`)) }()
	_, header, body := m.call("GET", "invocation/next", "")
	if body != `{"a":1}` || header.Get("Content-Type") != "application/json" {
		t.Errorf("event = %s as %s", body, header.Get("Content-Type"))
	}
	if arn := header.Get("Lambda-Runtime-Invoked-Function-Arn"); arn != testARN {
		t.Errorf("ARN = %s, want %s", arn, testARN)
	}
	for _, name := range []string{
		"Lambda-Runtime-Aws-Request-Id", "Lambda-Runtime-Deadline-Ms", "Lambda-Runtime-Trace-Id",
	} {
		if header.Get(name) == "" {
			t.Errorf("no header %s in %v", name, header)
		}
	}
	// A runtime that lost the answer asks again and gets the same event.
	_, again, _ := m.call("GET", "invocation/next", "")
	if id := header.Get("Lambda-Runtime-Aws-Request-Id"); again.Get("Lambda-Runtime-Aws-Request-Id") != id {
		t.Errorf("asked again, got another event: %v", again)
	}
}

func TestRuntimeAPIRefusesCallsOutOfTurn(t *testing.T) {
	t.Parallel()
	m := newManualRuntime(t)
	id, invocation := m.receive(`{}`)
	path := "invocation/" + id
	m.expect(400, `{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}`, "POST",
		"invocation/unknown/response", "{}")
	m.expect(400, `"InvalidRequestID"`, "POST", "invocation/unknown/error", "{}")
	m.expect(403, `"InvalidStateTransition"`, "POST", "init/error", "{}")
	m.expect(202, `{"status":"OK"}`, "POST", path+"/response", "{}")
	if err := invocation.Wait(); err != nil {
		t.Errorf("Invoke = %v", err)
	}
	m.expect(403, `State transition from ResponseSent to InvocationResponse failed`, "POST", path+"/response", "{}")
	m.expect(403, `State transition from ResponseSent to InvocationErrorResponse failed`, "POST", path+"/error", "{}")

	id, invocation = m.receive(`{}`)
	m.expect(400, `"InvalidRequestID"`, "POST", path+"/response", "{}") // id of the first invocation
	m.expect(202, "", "POST", "invocation/"+id+"/error", `{"errorMessage":"m"}`, "Lambda-Runtime-Function-Error-Type",
		"Function.Own")
	failed, ok := invocation.Wait().(*FunctionError)
	if !ok || failed.Type != "Function.Own" || string(failed.Payload) != `{"errorMessage":"m"}` {
		t.Errorf("Invoke = %v, want the reported error", failed)
	}
}

func TestInitErrorEndsTheInitPhase(t *testing.T) {
	t.Parallel()
	m := newManualRuntime(t)
	m.expect(400, `"InvalidRequestID"`, "POST", "invocation/1/response", "{}")
	m.expect(202, `{"status":"OK"}`, "POST", "init/error", `{"errorType":"ConfigError"}`)
	m.expect(403, `State transition from InitError to Ready failed`, "GET", "invocation/next", "")
	m.expect(403, `State transition from InitError to InitError failed`, "POST", "init/error", "{}")
}

func TestRuntimeAPIRefusesOtherCallers(t *testing.T) {
	t.Parallel()
	m := newManualRuntime(t)
	m.expect(403, `"Forbidden"`, "GET", "invocation/next", "", "Host", "attacker.example")
	m.expect(403, `"Forbidden"`, "GET", "invocation/next", "", "Origin", "https://attacker.example")
	m.expect(403, `"Forbidden"`, "GET", "invocation/next", "", "Sec-Fetch-Site", "cross-site")
	m.expect(404, "", "GET", "/2018-06-01/runtime/nothing", "")
	m.expect(405, "", "POST", "invocation/next", "")
}

func TestExtensionRegistration(t *testing.T) {
	t.Parallel()
	m := newManualRuntime(t)
	const register = "/2020-01-01/extension/register"
	m.expect(403, `"Extension.InvalidExtensionName"`, "POST", register, `{"events":[]}`)
	m.expect(403, `"InvalidRequestFormat"`, "POST", register, `[`, "Lambda-Extension-Name", "x")
	m.expect(403, `"Extension.InvalidEventType"`, "POST", register, `{"events":["INVOKE"]}`, "Lambda-Extension-Name",
		"x")
	status, header, body := m.call("POST", register, `{"events":null}`, "Lambda-Extension-Name", "x")
	if status != 200 || header.Get("Lambda-Extension-Identifier") == "" ||
		!strings.Contains(body, `"functionName":"Test"`) {
		t.Errorf("register: %d %v %s", status, header, body)
	}
}

func TestEventsDoNotWaitForARuntimeThatDoesNotAskAgain(t *testing.T) {
	t.Parallel()
	m := newManualRuntime(t)
	id, _ := m.receive(`{}`)
	m.expect(202, "", "POST", "invocation/"+id+"/response", "{}")
	go func() { _, _ = m.f.Invoke(t.Context(), []byte(`{}`)) }()
	inState(t, m.f, StateStarted, 1)
	inState(t, m.f, StateResponseSent, 1)
}

func TestTruncatedResponseIsRefused(t *testing.T) {
	t.Parallel()
	m := newManualRuntime(t)
	id, _ := m.receive(`{}`)
	request := "POST /2018-06-01/runtime/invocation/" + id + "/response HTTP/1.1\r\nHost: " + m.e.address +
		"\r\nContent-Length: 10\r\n\r\n{}"
	if answer := sendRaw(t, m.e.address, request); !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
		t.Errorf("answer = %q, want 400", answer)
	}
	m.expect(202, "", "POST", "invocation/"+id+"/response", "{}")
}
