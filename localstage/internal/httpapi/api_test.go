package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

// function is an Integration made of a Go function.
type function func(ctx context.Context, event []byte) ([]byte, error)

func (f function) Invoke(ctx context.Context, event []byte) ([]byte, error) { return f(ctx, event) }

// returns makes a function that answers every event with the same payload.
func returns(payload string) function {
	return func(context.Context, []byte) ([]byte, error) { return []byte(payload), nil }
}

// echo is a function whose answer's body is the event.
func echo(_ context.Context, event []byte) ([]byte, error) {
	body, err := json.Marshal(string(event))
	return []byte(`{"statusCode":200,"body":` + string(body) + `}`), err
}

// asRoot is an Authorizer with one caller, whose Authorization header is "root".
type asRoot struct{ action, resource string }

func (a *asRoot) Authorize(r *http.Request, _ []byte, action, resource string) (Identity, error) {
	a.action, a.resource = action, resource
	if r.Header.Get("Authorization") != "root" {
		return Identity{}, errors.New("not root")
	}
	return Identity{AccessKey: "AKID", AccountID: "111122223333", CallerID: "AIDAROOT",
		UserARN: "arn:aws:iam::111122223333:user/root", UserID: "AIDAROOT"}, nil
}

func testConfig(routes ...Route) Config {
	return Config{
		APIID: "h1", Region: "us-east-1", AccountID: "111122223333", Routes: routes,
		Now:    func() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) },
		Random: zeros{}, Authorizer: &asRoot{},
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func newAPI(t *testing.T, c Config) *API {
	t.Helper()
	api, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func do(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// sentEvent decodes the event that echo returned.
func sentEvent(t *testing.T, w *httptest.ResponseRecorder) event {
	t.Helper()
	var e event
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil {
		t.Fatalf("status %d, body %q: %v", w.Code, w.Body, err)
	}
	return e
}

func TestEventIsThatOfPayloadFormat2(t *testing.T) {
	t.Parallel()
	api := newAPI(t,
		testConfig(Route{Key: "POST /things/{id}", AuthorizationType: "AWS_IAM", Integration: function(echo)}))
	r := httptest.NewRequest("POST", "/things/a%20b?room=blue&room=red&x=%2F", strings.NewReader(`{"a":1}`))
	r.Header = http.Header{
		"Authorization": {"root"}, "Content-Type": {"application/json"}, "User-Agent": {"test/1"},
		"X-Custom": {"one", "two"}, "Cookie": {"a=1; b=2", "c=3"}, "Connection": {"keep-alive"},
		"X-Forwarded-For": {"203.0.113.9"},
	}
	w := do(api, r)
	var got bytes.Buffer
	if err := json.Indent(&got, w.Body.Bytes(), "", "  "); err != nil {
		t.Fatalf("status %d: %v", w.Code, err)
	}
	got.WriteByte('\n')
	const golden = "testdata/event.json"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("event differs from %s (-want +got):\n%s", golden, diff)
	}
	if id := w.Header().Get("Apigw-Requestid"); id != "AAAAAAAAAAAAAAA=" {
		t.Errorf("apigw-requestid = %q", id)
	}
}

func TestBodyIsTextOnlyForTextTypes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		contentType, body, want string
		base64                  bool
	}{
		"JSON":                {"application/json", `{}`, `{}`, false},
		"JSON in UTF-8":       {"application/json; charset=UTF-8", `{}`, `{}`, false},
		"plain text":          {"text/plain", "hé", "hé", false},
		"other text":          {"text/csv", "a,b", "a,b", false},
		"XML":                 {"application/xml", "<a/>", "<a/>", false},
		"nothing":             {"application/octet-stream", "", "", false},
		"text in another set": {"text/plain; charset=iso-8859-1", "hi", "aGk=", true},
		"text that is none":   {"text/plain", "\xff", "/w==", true},
		"form":                {"application/x-www-form-urlencoded", "a=1", "YT0x", true},
		"no type":             {"", "hi", "aGk=", true},
		"unreadable type":     {";", "hi", "aGk=", true},
		"bytes":               {"application/octet-stream", "hi", "aGk=", true},
	}
	api := newAPI(t, testConfig(Route{Key: "$default", Integration: function(echo)}))
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("POST", "/", strings.NewReader(test.body))
			r.Header.Set("Content-Type", test.contentType)
			e := sentEvent(t, do(api, r))
			if e.Body != test.want || e.IsBase64Encoded != test.base64 {
				t.Errorf("body %q, base64 %v; want %q, %v", e.Body, e.IsBase64Encoded, test.want, test.base64)
			}
		})
	}
}

func TestGatewayAnswers(t *testing.T) {
	t.Parallel()
	failing := function(func(context.Context, []byte) ([]byte, error) { return nil, errors.New("exit status 1") })
	hanging := function(func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() })
	api := newAPI(t, testConfig(
		Route{Key: "GET /ok", Integration: returns(`{"statusCode":204}`)},
		Route{Key: "GET /failing", Integration: failing},
		Route{Key: "GET /malformed", Integration: returns(`{"statusCode":"many"}`)},
		Route{Key: "GET /slow", Integration: hanging, Timeout: time.Millisecond},
		Route{Key: "GET /iam", AuthorizationType: "AWS_IAM", Integration: returns(`{}`)},
		Route{Key: "POST /ok", Integration: returns(`{}`)},
		Route{Key: "GET /busy", Integration: returns(`{}`), Throttle: &Throttle{RateLimit: 0.1, BurstLimit: 1}},
	))
	if w := do(api, httptest.NewRequest("GET", "/busy", nil)); w.Code != 200 {
		t.Errorf("first request to /busy: %d", w.Code)
	}
	tests := map[string]struct {
		method, path string
		body         io.Reader
		status       int
		want         string
	}{
		"no such path":       {"GET", "/nowhere", nil, 404, `{"message":"Not Found"}`},
		"no such method":     {"DELETE", "/ok", nil, 404, `{"message":"Not Found"}`},
		"preflight, no CORS": {"OPTIONS", "/ok", nil, 404, `{"message":"Not Found"}`},
		"function fails":     {"GET", "/failing", nil, 500, `{"message":"Internal Server Error"}`},
		"malformed response": {"GET", "/malformed", nil, 500, `{"message":"Internal Server Error"}`},
		"function too slow":  {"GET", "/slow", nil, 503, `{"message":"Service Unavailable"}`},
		"unsigned on IAM":    {"GET", "/iam", nil, 403, `{"message":"Forbidden"}`},
		"throttled":          {"GET", "/busy", nil, 429, `{"message":"Too Many Requests"}`},
		"body over 10 MB": {
			"POST", "/ok", io.LimitReader(zeros{}, maxRequestBytes+1), 413, `{"message":"Request Entity Too Large"}`,
		},
		"event over 6 MB": {
			"POST", "/ok", io.LimitReader(zeros{}, maxPayloadBytes), 413, `{"message":"Request Entity Too Large"}`,
		},
		"body that breaks off": {
			"POST", "/ok", io.MultiReader(strings.NewReader("{"), brokenReader{}), 400, `{"message":"Bad Request"}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := do(api, httptest.NewRequest(test.method, test.path, test.body))
			if w.Code != test.status || w.Body.String() != test.want {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, test.status, test.want)
			}
			if got := w.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("content type %q", got)
			}
			if w.Header().Get("Apigw-Requestid") == "" {
				t.Error("no apigw-requestid")
			}
			if w.Header().Get("Retry-After") != "" {
				t.Error("the gateway sends no Retry-After")
			}
		})
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestThrottleHasABucketPerRoute(t *testing.T) {
	t.Parallel()
	c := testConfig(Route{Key: "GET /a", Integration: returns(`{}`)}, Route{Key: "GET /b", Integration: returns(`{}`)})
	c.Throttle = Throttle{RateLimit: 1, BurstLimit: 2}
	now := c.Now()
	c.Now = func() time.Time { return now }
	api := newAPI(t, c)
	get := func(path string) int { return do(api, httptest.NewRequest("GET", path, nil)).Code }
	got := []int{get("/a"), get("/a"), get("/a"), get("/b")}
	now = now.Add(time.Second)
	got = append(got, get("/a"), get("/a"))
	if diff := cmp.Diff([]int{200, 200, 429, 200, 200, 429}, got); diff != "" {
		t.Error(diff)
	}
}

func TestClientThatHangsUpDoesNotStopTheFunction(t *testing.T) {
	t.Parallel()
	api := newAPI(t,
		testConfig(Route{Key: "$default", Integration: function(func(ctx context.Context, _ []byte) ([]byte, error) {
			return []byte(`{}`), ctx.Err()
		})}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if w := do(api, httptest.NewRequestWithContext(ctx, "GET", "/", nil)); w.Code != 200 {
		t.Errorf("status %d", w.Code)
	}
}

func TestIAMRouteAsksForInvokeOnItsResource(t *testing.T) {
	t.Parallel()
	authorizer := &asRoot{}
	c := testConfig(Route{Key: "ANY /a/{x+}", AuthorizationType: "AWS_IAM", Integration: function(echo)})
	c.Authorizer, c.Stage = authorizer, "live"
	r := httptest.NewRequest("PUT", "/live/a/b/c", nil)
	r.Header.Set("Authorization", "root")
	e := sentEvent(t, do(newAPI(t, c), r))
	if authorizer.action != "execute-api:Invoke" ||
		authorizer.resource != "arn:aws:execute-api:us-east-1:111122223333:h1/live/PUT/a/b/c" {
		t.Errorf("asked for %s on %s", authorizer.action, authorizer.resource)
	}
	if e.RequestContext.Authorizer.IAM.UserARN != "arn:aws:iam::111122223333:user/root" {
		t.Errorf("event authorizer %+v", e.RequestContext.Authorizer)
	}
}

func TestNewRefusesConfigsThatAPIGatewayRefuses(t *testing.T) {
	t.Parallel()
	ok := returns(`{}`)
	tests := map[string]struct {
		config Config
		want   string
	}{
		"no method":       {testConfig(Route{Key: "/x", Integration: ok}), "METHOD /path"},
		"no integration":  {testConfig(Route{Key: "GET /x"}), "no integration"},
		"half a variable": {testConfig(Route{Key: "GET /x{id}", Integration: ok}), "must fill its segment"},
		"greedy not last": {testConfig(Route{Key: "GET /{x+}/y", Integration: ok}), "last segment"},
		"twice": {
			testConfig(Route{Key: "GET /x", Integration: ok}, Route{Key: "GET /x", Integration: ok}), "twice",
		},
		"Lambda authorizer": {testConfig(Route{Key: "GET /x", Integration: ok, AuthorizationType: "CUSTOM"}), "CUSTOM"},
		"JWT, no issuer":    {testConfig(Route{Key: "GET /x", Integration: ok, AuthorizationType: "JWT"}), "issuer"},
		"JWT, no audience": {testConfig(Route{Key: "GET /x", Integration: ok, AuthorizationType: "JWT",
			JWT: &JWTAuthorizer{Issuer: "https://a"}}), "audience"},
		"identity source": {testConfig(Route{Key: "GET /x", Integration: ok, AuthorizationType: "JWT",
			JWT: &JWTAuthorizer{Issuer: "https://a", Audience: []string{"a"}, IdentitySource: "$request.body.token"}}),
			"identity source"},
		"credentials for every origin": {
			Config{CORS: &CORS{AllowOrigins: []string{"*"}, AllowCredentials: true}}, "AllowCredentials",
		},
		"IAM without an Authorizer": {
			Config{Routes: []Route{{Key: "GET /x", Integration: ok, AuthorizationType: "AWS_IAM"}}}, "Authorizer",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := New(test.config); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}
