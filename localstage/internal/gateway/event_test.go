package gateway_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"signedsocket/localstage/internal/gateway"
)

// recordedAt is the time of the recorded events in testdata.
func recordedAt() time.Time { return time.UnixMilli(1705213653234) }

// wantEvent compares an event with a file of testdata, member by member, after a check of the values that differ from
// run to run.
func wantEvent(t *testing.T, raw []byte, file string) {
	t.Helper()
	recorded, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var want, got map[string]any
	if err := json.Unmarshal(recorded, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	context := got["requestContext"].(map[string]any)
	if context["requestId"] != context["extendedRequestId"] {
		t.Error("requestId and extendedRequestId differ")
	}
	id := regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`)
	for _, name := range []string{"requestId", "extendedRequestId", "connectionId", "messageId"} {
		if text, ok := context[name].(string); ok && id.MatchString(text) {
			context[name] = "ID"
		}
	}
	maskTrace(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event differs (-want +got):\n%s", diff)
	}
}

// maskTrace replaces a trace id of the gateway.
func maskTrace(event map[string]any) {
	headers, _ := event["headers"].(map[string]any)
	made := regexp.MustCompile(`^Root=1-65a37ed5-[0-9a-f]{24}$`)
	if trace, ok := headers["X-Amzn-Trace-Id"].(string); ok && made.MatchString(trace) {
		headers["X-Amzn-Trace-Id"] = "TRACE"
		event["multiValueHeaders"].(map[string]any)["X-Amzn-Trace-Id"] = []any{"TRACE"}
	}
}

func TestConnectEventOfAPlainHandshake(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{cfg: gateway.Config{Now: recordedAt}})
	s.upgraded(t)
	wantEvent(t, s.connect.next(t).raw, "connect.json")
}

// signedHead is a handshake with every header that an event may show.
func signedHead() string {
	return "GET /prod?room=blue&X-Amz-Date=20240114T062733Z&room=red&text=a+b%2Fc=d&flag& HTTP/1.1\r\n" +
		"host: stage.test\r\nupgrade: websocket\r\nconnection: Upgrade\r\n" +
		"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		"sec-websocket-version: 13\r\nOrigin: https://chat.test\r\nUser-Agent:  test/1 \r\ncookie: a=1\r\n" +
		"cookie: b=2\r\n" +
		"Authorization: AWS4-HMAC-SHA256 Credential=x\r\nx-amz-date: 20240114T062733Z\r\n" +
		"X-Amz-Security-Token: token\r\n" +
		"X-Forwarded-For: 203.0.113.7\r\nx-forwarded-proto: http\r\n" +
		"X-Amzn-Trace-Id: Root=1-60351922-7cd582b44021ba371d4b975b\r\nContent-Length: 0\r\n\r\n"
}

func TestConnectEventUnderIAMAuthorization(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{
		auth:        &authorizer{organization: "o-exampleorg1"},
		connectAuth: "AWS_IAM",
		cfg:         gateway.Config{Now: recordedAt, StageVariables: map[string]string{"table": "connections"}},
	})
	s.answerTo(t, signedHead())
	wantEvent(t, s.connect.next(t).raw, "connect_iam.json")
}

func TestConnectEventKeepsAuthorizationWithoutIAM(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	s.answerTo(t, strings.Replace(upgradeHead("/prod"), "\r\n\r\n", "\r\nAuthorization: Bearer x\r\n\r\n", 1))
	if got := s.connect.next(t).Headers["Authorization"]; got != "Bearer x" {
		t.Errorf("Authorization %q", got)
	}
}

func TestConnectEventWithoutRecordedHeadHasCanonicalNames(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{plainListener: true})
	s.answerTo(t,
		strings.Replace(upgradeHead("/prod"), "\r\n\r\n", "\r\nsec-websocket-protocol: chat.v1\r\nx-own: 1\r\n\r\n", 1))
	headers := s.connect.next(t).Headers
	for name, want := range map[string]string{"Sec-WebSocket-Protocol": "chat.v1", "X-Own": "1", "Host": "stage.test"} {
		if headers[name] != want {
			t.Errorf("%s is %q, want %q", name, headers[name], want)
		}
	}
}

func TestSecondRequestOfATCPConnectionHasCanonicalNames(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	c := s.dialTCP(t, "GET /prod HTTP/1.1\r\nHost: stage.test\r\n\r\n")
	if n, err := c.Read(make([]byte, 4096)); err != nil || n == 0 {
		t.Fatalf("first answer: %v", err)
	}
	if _, err := io.WriteString(c,
		strings.Replace(upgradeHead("/prod"), "\r\n\r\n", "\r\nx-own: 1\r\n\r\n", 1)); err != nil {
		t.Fatal(err)
	}
	if got := s.connect.next(t).Headers["X-Own"]; got != "1" {
		t.Errorf("X-Own %q", got)
	}
}

// net/http ends a header line at a line feed alone. The event would hold another line than the authorized one.
func TestALineFeedAloneEndsNoHeaderLine(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"between two headers": strings.Replace(upgradeHead("/prod"), "\r\n\r\n",
			"\r\nX-A: 1\nOrigin: https://evil.example\r\n\r\n", 1),
		"after the request": strings.Replace(upgradeHead("/prod"), "\r\n", "\n", 1),
		"at the end":        strings.Replace(upgradeHead("/prod"), "\r\n\r\n", "\r\n\n", 1),
		"everywhere":        strings.ReplaceAll(upgradeHead("/prod"), "\r\n", "\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, options{})
			c := s.dialTCP(t, head)
			answer := make([]byte, 4096)
			if n, err := c.Read(answer); err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 400 ") {
				t.Errorf("answered %.40q, %v", answer[:n], err)
			}
		})
	}
}

func TestMessageAndDisconnectEvents(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{connectAuth: "AWS_IAM", cfg: gateway.Config{Now: recordedAt}})
	head := strings.Replace(upgradeHead("/prod"), "\r\n\r\n", "\r\nUser-Agent: test/1\r\n\r\n", 1)
	message := frame(finText, `{"action":"x", "data":"<&>"}`)
	c := s.dialTCP(t, head+string(message))
	wantEvent(t, s.message.next(t).raw, "message.json")
	if _, err := c.Write(frame(finClose, closePayload(1001, ""))); err != nil {
		t.Fatal(err)
	}
	wantEvent(t, s.disconnect.next(t).raw, "disconnect.json")
}

func TestEventsOfOneConnectionShareItsID(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{})
	c, id := s.connected(t)
	writeText(t, c, "one")
	one := s.message.next(t).RequestContext
	writeText(t, c, "two")
	two := s.message.next(t).RequestContext
	if one.ConnectionID != id || two.ConnectionID != id {
		t.Error("connectionId changed")
	}
	if one.MessageID == two.MessageID || one.RequestID == two.RequestID || one.MessageID == one.RequestID {
		t.Error("identifiers repeat")
	}
	if err := c.Close(1000, ""); err != nil {
		t.Fatal(err)
	}
	if got := s.disconnect.next(t).RequestContext.ConnectionID; got != id {
		t.Error("$disconnect tells another connectionId")
	}
	s.post(t, id, "late", http.StatusGone)
}
