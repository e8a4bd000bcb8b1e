package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"signedsocket/localstage/internal/clock/clocktest"
	"signedsocket/localstage/internal/gateway"
)

// upgradeHead is a correct opening handshake for the target.
func upgradeHead(target string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: stage.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
}

// answerTo sends a raw request head and returns the answer.
func (s *stage) answerTo(t *testing.T, head string) *http.Response {
	t.Helper()
	c := s.dialTCP(t, head)
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

var goodHead = upgradeHead("/prod")

var longestTarget = "/prod?" + strings.Repeat("a", 4096-len("wss://stage.test/prod?"))

// refusedHandshakes are the cases of TestHandshakeIsRefusedBeforeAnyInvocation.
var refusedHandshakes = []struct {
	name      string
	head      string
	status    int
	errorType string
	body      string
}{
	{"plain GET", "GET /prod HTTP/1.1\r\nHost: stage.test\r\n\r\n", 426, "", `{"message":"Upgrade Required"}`},
	{"unknown stage", upgradeHead("/test"), 403, "ForbiddenException", `{"message":"Forbidden"}`},
	{"no stage", upgradeHead("/"), 403, "ForbiddenException", `{"message":"Forbidden"}`},
	{"stage in another letter case", upgradeHead("/Prod"), 403, "ForbiddenException", `{"message":"Forbidden"}`},
	{"path below the stage", upgradeHead("/prod/hello"), 403, "ForbiddenException", `{"message":"Forbidden"}`},
	{"two slashes after the stage", upgradeHead("/prod//"), 403, "ForbiddenException", `{"message":"Forbidden"}`},
	{"POST", strings.Replace(goodHead, "GET", "POST", 1), 403, "ForbiddenException", `{"message":"Forbidden"}`},
	{
		"URL above the limit",
		upgradeHead(longestTarget + "a"),
		414,
		"RequestEntityTooLargeException",
		`{"message":"Request URI Too Long"}`,
	},
	{
		"no Connection header",
		strings.Replace(goodHead, "Connection: Upgrade\r\n", "", 1),
		400,
		"BadRequestException",
		`{"message":"Bad Request"}`,
	},
	{
		"no key",
		strings.Replace(goodHead, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 1),
		400,
		"BadRequestException",
		`{"message":"Bad Request"}`,
	},
	{
		"key of another length",
		strings.Replace(goodHead, "dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=", 1),
		400,
		"BadRequestException",
		`{"message":"Bad Request"}`,
	},
	{
		"key that is not base64",
		strings.Replace(goodHead, "dGhlIHNhbXBsZSBub25jZQ==", "????????????????????????", 1),
		400,
		"BadRequestException",
		`{"message":"Bad Request"}`,
	},
	{
		"two keys",
		strings.Replace(goodHead, "\r\n\r\n", "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", 1),
		400,
		"BadRequestException",
		`{"message":"Bad Request"}`,
	},
	{
		"no version",
		strings.Replace(goodHead, "Sec-WebSocket-Version: 13\r\n", "", 1),
		400,
		"BadRequestException",
		`{"message":"Bad Request"}`,
	},
	{
		"two versions",
		strings.Replace(goodHead, "\r\n\r\n", "\r\nSec-WebSocket-Version: 13\r\n\r\n", 1),
		400,
		"BadRequestException",
		`{"message":"Bad Request"}`,
	},
	{
		"no Upgrade header",
		strings.Replace(goodHead, "Upgrade: websocket\r\n", "", 1),
		426,
		"",
		`{"message":"Upgrade Required"}`,
	},
	{
		"another version",
		strings.Replace(goodHead, "Version: 13", "Version: 8", 1),
		426,
		"",
		`{"message":"Upgrade Required"}`,
	},
	{
		"HTTP/1.0",
		strings.Replace(goodHead, "HTTP/1.1", "HTTP/1.0", 1),
		400,
		"BadRequestException",
		`{"message":"Bad Request"}`,
	},
	{
		"a body",
		strings.Replace(goodHead, "\r\n\r\n", "\r\nContent-Length: 1\r\n\r\nx", 1),
		400,
		"BadRequestException",
		`{"message":"Bad Request"}`,
	},
	{
		"another protocol",
		strings.Replace(goodHead, "Upgrade: websocket", "Upgrade: h2c", 1),
		426,
		"",
		`{"message":"Upgrade Required"}`,
	},
}

func TestHandshakeIsRefusedBeforeAnyInvocation(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{connectAuth: "AWS_IAM"})
	for _, tt := range refusedHandshakes {
		t.Run(tt.name, func(t *testing.T) {
			response := s.answerTo(t, tt.head)
			if response.StatusCode != tt.status {
				t.Errorf("status %d, want %d", response.StatusCode, tt.status)
			}
			if got := response.Header.Get("x-amzn-ErrorType"); got != tt.errorType {
				t.Errorf("x-amzn-ErrorType %q, want %q", got, tt.errorType)
			}
			if got := bodyOf(t, response); got != tt.body {
				t.Errorf("body %s, want %s", got, tt.body)
			}
			wantRequestIDs(t, response)
			if tt.status == 426 && response.Header.Get("Sec-WebSocket-Version") != "13" {
				t.Error("426 does not name the version")
			}
		})
	}
	if len(s.connect.events) != 0 || len(s.auth.accesses()) != 0 {
		t.Error("a request that is no handshake reached the authorizer or the integration")
	}
}

// wantRequestIDs checks the headers that every refusal of the gateway has.
func wantRequestIDs(t *testing.T, r *http.Response) {
	t.Helper()
	if id := r.Header.Get("x-amzn-RequestId"); !regexp.MustCompile(`^[0-9a-f-]{36}$`).MatchString(id) {
		t.Errorf("x-amzn-RequestId %q is not a UUID", id)
	}
	if id := r.Header.Get("x-amz-apigw-id"); !regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`).MatchString(id) {
		t.Errorf("x-amz-apigw-id %q has not the form of one", id)
	}
}

func TestHandshakeIsAccepted(t *testing.T) {
	t.Parallel()
	good := upgradeHead("/prod")
	longest := "/prod?" + strings.Repeat("a", 4096-len("wss://stage.test/prod?"))
	tests := map[string]string{
		"stage":                      good,
		"stage with a slash":         upgradeHead("/prod/"),
		"percent-encoded stage":      upgradeHead("/pr%6Fd"),
		"URL of the greatest length": upgradeHead(longest),
		"URL in absolute form":       upgradeHead("ws://stage.test/prod"),
		"other letter case and tokens": strings.Replace(good, "Connection: Upgrade", "connection: keep-alive, uPGRADE",
			1),
		"permessage-deflate offered": strings.Replace(good, "\r\n\r\n",
			"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 1),
		"subprotocol offered": strings.Replace(good, "\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat.v1\r\n\r\n", 1),
	}
	s := newStage(t, options{})
	for name, head := range tests {
		t.Run(name, func(t *testing.T) {
			response := s.answerTo(t, head)
			if response.StatusCode != 101 {
				t.Fatalf("status %d, want 101", response.StatusCode)
			}
			// The key and its answer are the example of RFC 6455, 1.3.
			if got := response.Header.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
				t.Errorf("accept %q", got)
			}
			for _, absent := range []string{"Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol", "Content-Length"} {
				if got, ok := response.Header[http.CanonicalHeaderKey(absent)]; ok {
					t.Errorf("%s is %q, want none", absent, got)
				}
			}
			if response.Header.Get("Date") == "" {
				t.Error("no Date")
			}
		})
	}
}

func TestStageOfTheNameDefaultIsReachedByItsName(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{cfg: gateway.Config{Stage: "$default"}})
	for path, want := range map[string]int{"/$default": 101, "/%24default": 101, "/": 403} {
		if got := s.answerTo(t, upgradeHead(path)).StatusCode; got != want {
			t.Errorf("%s answered %d, want %d", path, got, want)
		}
	}
}

func TestConnectOutcomeDecidesTheHandshake(t *testing.T) {
	t.Parallel()
	answer := func(text string) func(context.Context, []byte) ([]byte, error) {
		return func(context.Context, []byte) ([]byte, error) { return []byte(text), nil }
	}
	fail := func(err error) func(context.Context, []byte) ([]byte, error) {
		return func(context.Context, []byte) ([]byte, error) { return nil, err }
	}
	const internal = `{"message": "Internal server error"}`
	tests := []struct {
		name   string
		answer func(context.Context, []byte) ([]byte, error)
		status int
		body   string
	}{
		{"200", answer(`{"statusCode":200}`), 101, ""},
		{"201", answer(`{"statusCode":201}`), 101, ""},
		{"204", answer(`{"statusCode":204}`), 101, ""},
		{"status as text", answer(`{"statusCode":"200"}`), 101, ""},
		{"301", answer(`{"statusCode":301,"headers":{"Location":"/"}}`), 301, ""},
		{"304", answer(`{"statusCode":304}`), 304, ""},
		{"400", answer(`{"statusCode":400,"body":"secret"}`), 400, ""},
		{"401", answer(`{"statusCode":401,"headers":{"Set-Cookie":"a=b"}}`), 401, ""},
		{"403", answer(`{"statusCode":403}`), 403, ""},
		{"501", answer(`{"statusCode":501}`), 501, ""},
		{"503", answer(`{"statusCode":503}`), 503, ""},
		{"function error", fail(errors.New("exit status 2")), 502, internal},
		{"no permission", fail(fmt.Errorf("invoke: %w", gateway.ErrNotPermitted)), 500, internal},
		{"no statusCode", answer(`{}`), 502, internal},
		{"statusCode 0", answer(`{"statusCode":0}`), 502, internal},
		{"statusCode 101", answer(`{"statusCode":101}`), 502, internal},
		{"unknown member", answer(`{"statusCode":200,"isAuthorized":true}`), 502, internal},
		{"null", answer(`null`), 502, internal},
		{"no JSON", answer(`ok`), 502, internal},
		{
			"a header that would split the answer",
			answer(`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"a\r\nX: y"}}`),
			502,
			internal,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, options{connect: respond(tt.answer)})
			response := s.answerTo(t, upgradeHead("/prod"))
			if response.StatusCode != tt.status {
				t.Fatalf("status %d, want %d", response.StatusCode, tt.status)
			}
			if tt.status == 101 {
				return
			}
			if got := bodyOf(t, response); got != tt.body {
				t.Errorf("body %s, want %s", got, tt.body)
			}
			if response.Header.Get("Location") != "" || response.Header.Get("Set-Cookie") != "" {
				t.Error("a header of the handler reached the client")
			}
			wantRequestIDs(t, response)
			if len(s.disconnect.events) != 0 || len(s.Connections()) != 0 {
				t.Error("a refused handshake left a connection behind")
			}
		})
	}
}

func TestConnectTimeoutAnswers504(t *testing.T) {
	t.Parallel()
	stuck := respond(func(ctx context.Context, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	s := newStage(t, options{connect: stuck, routes: func(routes []gateway.Route) []gateway.Route {
		routes[0].Timeout = 20 * time.Millisecond
		return routes
	}})
	response := s.answerTo(t, upgradeHead("/prod"))
	if response.StatusCode != 504 || bodyOf(t, response) != `{"message": "Endpoint request timed out"}` {
		t.Errorf("status %d", response.StatusCode)
	}
}

func TestHandshakeWithoutConnectRouteIsAccepted(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{routes: func(routes []gateway.Route) []gateway.Route { return routes[1:] }})
	s.dial(t)
	if len(s.auth.accesses()) != 0 {
		t.Error("the authorizer was asked although there is no $connect route")
	}
}

func TestRefusedAuthorizationAnswersAsTheAuthorizerSays(t *testing.T) {
	t.Parallel()
	auth := &authorizer{refuse: func(*http.Request, gateway.Access) gateway.Refusal {
		return textRefusal{403, "no signature"}
	}}
	s := newStage(t, options{connectAuth: "AWS_IAM", auth: auth})
	response := s.answerTo(t, upgradeHead("/prod"))
	if response.StatusCode != 403 || bodyOf(t, response) != "no signature\n" {
		t.Errorf("status %d", response.StatusCode)
	}
	const connect = "arn:aws:execute-api:us-east-1:111122223333:abcd123/prod/$connect"
	want := gateway.Access{Action: "execute-api:Invoke", Resource: connect, ResourceShown: connect}
	if got := auth.accesses(); len(got) != 1 || got[0] != want {
		t.Errorf("authorizer was asked %+v, want %+v", got, want)
	}
	if len(s.connect.events) != 0 {
		t.Error("an unauthorized handshake reached $connect")
	}
}

func TestSubprotocolComesFromTheHandlerOnly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer string
		want   []string
	}{
		{"none", `{"statusCode":200}`, nil},
		{
			"header",
			`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"chat.v1","X-Other":"x"}}`,
			[]string{"chat.v1"},
		},
		{
			"header in lower case",
			`{"statusCode":200,"headers":{"sec-websocket-protocol":"chat.v1"}}`,
			[]string{"chat.v1"},
		},
		{
			"multi-value header",
			`{"statusCode":200,"multiValueHeaders":{"Sec-WebSocket-Protocol":["chat.v1"]}}`,
			[]string{"chat.v1"},
		},
		{"in both, which breaks clients", `{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"chat.v1"},` +
			`"multiValueHeaders":{"Sec-WebSocket-Protocol":["chat.v1"]}}`, []string{"chat.v1", "chat.v1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, options{connect: newIntegration(tt.answer)})
			response := s.answerTo(t, upgradeHead("/prod"))
			got := response.Header.Values("Sec-WebSocket-Protocol")
			if strings.Join(got, "|") != strings.Join(tt.want, "|") {
				t.Errorf("Sec-WebSocket-Protocol %q, want %q", got, tt.want)
			}
			if response.Header.Get("X-Other") != "" {
				t.Error("another header of the handler reached the client")
			}
		})
	}
}

func TestConnectionIsGoneUntilItsConnectHasReturned(t *testing.T) {
	t.Parallel()
	slow, release := held()
	s := newStage(t, options{connect: slow})
	dialled := make(chan *websocket.Conn)
	go func() {
		c, _, err := websocket.Dial(t.Context(), "ws://"+s.host+"/prod", nil)
		if err != nil {
			t.Error(err)
		}
		dialled <- c
	}()
	id := slow.next(t).RequestContext.ConnectionID
	s.post(t, id, "too early", http.StatusGone)
	close(release)
	c := <-dialled
	defer c.CloseNow()
	s.post(t, id, "in time", http.StatusOK)
	if got := readText(t, c); got != "in time" {
		t.Errorf("client got %q", got)
	}
}

func TestConnectionIsGoneWhileIts101IsHeld(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{cfg: gateway.Config{Faults: gateway.Faults{Hold101: 200 * time.Millisecond}}})
	begun := time.Now()
	go func() {
		e := s.connect.next(t)
		s.post(t, e.RequestContext.ConnectionID, "too early", http.StatusGone)
	}()
	s.dial(t)
	if took := time.Since(begun); took < 200*time.Millisecond {
		t.Errorf("the 101 came after %v", took)
	}
}

func TestClientThatHasSeenIts101CanBePostedTo(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	for range 50 {
		c, id := s.connected(t)
		s.post(t, id, "hello", http.StatusOK)
		if got := readText(t, c); got != "hello" {
			t.Fatalf("client got %q", got)
		}
	}
}

func TestClientThatLeavesDuringConnectIsDisconnectedOnce(t *testing.T) {
	t.Parallel()
	slow, release := held()
	s := newStage(t, options{connect: slow})
	c := s.dialTCP(t, upgradeHead("/prod"))
	slow.next(t)
	c.Close()
	close(release)
	if code, _ := s.disconnected(t); code != 1006 {
		t.Errorf("disconnectStatusCode %d, want 1006", code)
	}
}

func TestHandshakesAboveTheThrottleGet429(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{
		cfg: gateway.Config{Clock: clocktest.New(), Throttle: gateway.Throttle{RateLimit: 1, BurstLimit: 2}},
	})
	s.dial(t)
	s.dial(t)
	response := s.answerTo(t, upgradeHead("/prod"))
	if response.StatusCode != 429 || bodyOf(t, response) != `{"message":"Too Many Requests"}` {
		t.Errorf("status %d, want 429", response.StatusCode)
	}
}

func TestFrameSentWithTheHandshakeIsNotLost(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	s.dialTCP(t, upgradeHead("/prod")+string(frame(finText, "early")))
	if got := s.message.next(t); *got.Body != "early" {
		t.Errorf("body %q", *got.Body)
	}
}
