package gateway_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"signedsocket/localstage/internal/clock/clocktest"
	"signedsocket/localstage/internal/gateway"
)

const unknownID = "L0SM9cOFvHcCIhw="

func TestPostIsDeliveredAsOneTextFrame(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	c, id := s.connected(t)
	for _, size := range []int{0, 1, 125, 126, 32768, 65535, 65536, 131072} {
		body := strings.Repeat("x", size)
		response := s.manage(t, "POST", id, body)
		if response.StatusCode != 200 || bodyOf(t, response) != "" {
			t.Fatalf("post of %d bytes answered %d", size, response.StatusCode)
		}
		if response.Header.Get("x-amzn-RequestId") == "" {
			t.Error("no request id")
		}
		if got := readText(t, c); got != body {
			t.Errorf("post of %d bytes arrived with %d", size, len(got))
		}
	}
}

func TestPostWithoutContentLengthIsDelivered(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	c, id := s.connected(t)
	response := s.answerTo(t,
		"POST /prod/@connections/"+id+" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
	if response.StatusCode != 200 {
		t.Fatalf("status %d", response.StatusCode)
	}
	if got := readText(t, c); got != "hi" {
		t.Errorf("client got %q", got)
	}
}

func TestConnectionPathIsTakenInEveryEncoding(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	c, id := s.connected(t)
	escaped := strings.TrimSuffix(id, "=") + "%3D"
	for _, path := range []string{
		"/prod/@connections/" + id, "/prod/@connections/" + escaped,
		"/prod/%40connections/" + id, "/prod/%40connections/" + escaped,
	} {
		if got := s.request(t, "POST", path, "hi").StatusCode; got != 200 {
			t.Errorf("%s answered %d", path, got)
		}
		readText(t, c)
	}
}

const forbiddenBody = `{"message":"Forbidden"}`

// managementRefusals are the cases of TestManagementRefusals.
var managementRefusals = []struct {
	name, method, path, body string
	status                   int
	errorType, answer        string
}{
	{"unknown id", "POST", "/prod/@connections/" + unknownID, "x", 410, "GoneException", ""},
	{"GET of an unknown id", "GET", "/prod/@connections/" + unknownID, "", 410, "GoneException", ""},
	{"DELETE of an unknown id", "DELETE", "/prod/@connections/" + unknownID, "", 410, "GoneException", ""},
	{
		"malformed id", "POST", "/prod/@connections/abc", "x", 400, "BadRequestException",
		`{"message":"Invalid connectionId: abc"}`,
	},
	{
		"id without its padding", "POST", "/prod/@connections/L0SM9cOFvHcCIhwA", "x", 400, "BadRequestException",
		`{"message":"Invalid connectionId: L0SM9cOFvHcCIhwA"}`,
	},
	{
		"id with a slash", "POST", "/prod/@connections/L0SM9cOFvHcCI%2Fw=", "x", 400, "BadRequestException",
		`{"message":"Invalid connectionId: L0SM9cOFvHcCI/w="}`,
	},
	{"wrong stage", "POST", "/test/@connections/" + unknownID, "x", 403, "ForbiddenException", forbiddenBody},
	{"no stage", "POST", "/@connections/" + unknownID, "x", 403, "ForbiddenException", forbiddenBody},
	{"no id", "POST", "/prod/@connections/", "x", 403, "ForbiddenException", forbiddenBody},
	{"no id and no slash", "POST", "/prod/@connections", "x", 403, "ForbiddenException", forbiddenBody},
	{"another method", "PUT", "/prod/@connections/" + unknownID, "x", 403, "ForbiddenException", forbiddenBody},
	{
		"payload of 1 MB",
		"POST",
		"/prod/@connections/" + unknownID,
		strings.Repeat("x", 1<<20),
		413,
		"PayloadTooLargeException",
		`{"message":"Payload Too Large"}`,
	},
	{
		"payload above 128 KB",
		"POST",
		"/prod/@connections/" + unknownID,
		strings.Repeat("x", 131073),
		413,
		"PayloadTooLargeException",
		`{"message":"Payload Too Large"}`,
	},
}

func TestManagementRefusals(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	for _, tt := range managementRefusals {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			response := s.request(t, tt.method, tt.path, tt.body)
			if response.StatusCode != tt.status || response.Header.Get("x-amzn-ErrorType") != tt.errorType {
				t.Errorf("%d %s, want %d %s", response.StatusCode, response.Header.Get("x-amzn-ErrorType"), tt.status,
					tt.errorType)
			}
			if got := bodyOf(t, response); got != tt.answer {
				t.Errorf("body %s, want %s", got, tt.answer)
			}
			wantRequestIDs(t, response)
		})
	}
}

func TestChunkedPayloadAboveTheLimitIsRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	head := "POST /prod/@connections/" + unknownID + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
	response := s.answerTo(t, head+"20001\r\n"+strings.Repeat("x", 0x20001)+"\r\n0\r\n\r\n")
	if response.StatusCode != 413 {
		t.Errorf("status %d, want 413", response.StatusCode)
	}
}

func TestManagementIsAuthorizedWithItsResource(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{}) // $connect itself needs no authorization
	s.connected(t)
	for _, method := range []string{"POST", "GET", "DELETE"} {
		s.manage(t, method, unknownID, "")
	}
	const folder = "arn:aws:execute-api:us-east-1:111122223333:abcd123/prod/"
	for i, method := range []string{"POST", "GET", "DELETE"} {
		want := gateway.Access{
			Action:        "execute-api:ManageConnections",
			Resource:      folder + method + "/@connections/" + unknownID,
			ResourceShown: folder + method + "/@connections/{connectionId}",
		}
		if got := s.auth.accesses()[i]; got != want {
			t.Errorf("authorizer was asked %+v, want %+v", got, want)
		}
	}
}

func TestUnauthorizedManagementChangesNothing(t *testing.T) {
	t.Parallel()
	auth := &authorizer{refuse: func(*http.Request, gateway.Access) gateway.Refusal { return textRefusal{403, "no"} }}
	s := newStage(t, options{auth: auth})
	c, id := s.connected(t)
	for _, method := range []string{"POST", "GET", "DELETE"} {
		if got := s.manage(t, method, id, "x"); got.StatusCode != 403 || bodyOf(t, got) != "no\n" {
			t.Errorf("%s answered %d", method, got.StatusCode)
		}
	}
	writeText(t, c, "still open")
	s.message.next(t)
}

func TestGetDescribesTheConnection(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	s := newStage(t, options{cfg: gateway.Config{Clock: clock, Now: recordedAt}})
	_, response := s.dialWith(t, "/prod", &websocket.DialOptions{HTTPHeader: http.Header{"User-Agent": {"test/1"}}})
	if response.StatusCode != 101 {
		t.Fatal(response.StatusCode)
	}
	id := s.connect.next(t).RequestContext.ConnectionID
	clock.Move(5 * time.Minute)
	got := s.manage(t, "GET", id, "")
	const want = `{"connectedAt":"2024-01-14T06:27:33.234Z","identity":{"sourceIp":"127.0.0.1","userAgent":"test/1"},` +
		`"lastActiveAt":"2024-01-14T06:22:33.234Z"}`
	if body := strings.TrimSpace(bodyOf(t, got)); got.StatusCode != 200 || body != want {
		t.Errorf("%d %s, want %s", got.StatusCode, body, want)
	}
	if got.Header.Get("Content-Type") != "application/json" {
		t.Error("not JSON")
	}
}

func TestGetWithoutUserAgentAnswersNull(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	s.upgraded(t)
	id := s.connect.next(t).RequestContext.ConnectionID
	var got struct{ Identity map[string]any }
	if err := json.Unmarshal([]byte(bodyOf(t, s.manage(t, "GET", id, ""))), &got); err != nil {
		t.Fatal(err)
	}
	if agent, ok := got.Identity["userAgent"]; !ok || agent != nil {
		t.Errorf("identity %v", got.Identity)
	}
}

func TestDeleteClosesTheConnection(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	c, id := s.connected(t)
	s.post(t, id, "last words", 200)
	if got := s.manage(t, "DELETE", id, ""); got.StatusCode != 204 || bodyOf(t, got) != "" {
		t.Errorf("delete answered %d", got.StatusCode)
	}
	s.post(t, id, "late", 410)
	if got := s.manage(t, "DELETE", id, "").StatusCode; got != 410 {
		t.Errorf("second delete answered %d", got)
	}
	if got := readText(t, c); got != "last words" {
		t.Errorf("client got %q", got)
	}
	wantClose(t, c, websocket.StatusNormalClosure, "Connection Closed Normally")
	if code, reason := s.disconnected(t); code != 1000 || reason != "Connection Closed Normally" {
		t.Errorf("disconnected with %d %q", code, reason)
	}
}

func TestConnectionIDsHaveTheirFormAndNeverRepeat(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	form := regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`)
	seen := map[string]bool{}
	for range 20 {
		c, id := s.connected(t)
		c.CloseNow()
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
}
