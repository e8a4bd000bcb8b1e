package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"signedsocket/internal/stageclient/clienttest"
	"signedsocket/localstage/internal/clock/clocktest"
	"signedsocket/localstage/internal/gateway"
)

// errorFrame is the gateway's own frame, literally.
func errorFrame(message, connectionID, requestID string) string {
	return fmt.Sprintf(`{"message": "%s", "connectionId":"%s", "requestId":"%s"}`, message, connectionID, requestID)
}

// withRoute adds a custom route.
func withRoute(r gateway.Route) func([]gateway.Route) []gateway.Route {
	return func(routes []gateway.Route) []gateway.Route { return append(routes, r) }
}

func TestMessagesAreRoutedByTheirAction(t *testing.T) {
	t.Parallel()
	send, number := newIntegration(`{"statusCode":200}`), newIntegration(`{"statusCode":200}`)
	s := newStage(t, options{routes: func(routes []gateway.Route) []gateway.Route {
		return append(routes,
			gateway.Route{Key: "sendmessage", Integration: send}, gateway.Route{Key: "7", Integration: number})
	}})
	c, _ := s.connected(t)
	tests := []struct {
		name, message, want string
		to                  *integration
	}{
		{"key of a route", `{"action":"sendmessage"}`, "sendmessage", send},
		{"white space around", " {\"action\" : \"sendmessage\" }\n", "sendmessage", send},
		{"number", `{"action":7}`, "7", number},
		{"another letter case", `{"action":"SendMessage"}`, "$default", s.message},
		{"name in another letter case", `{"Action":"sendmessage"}`, "$default", s.message},
		{"unknown key", `{"action":"other"}`, "$default", s.message},
		{"$default by name", `{"action":"$default"}`, "$default", s.message},
		{"$connect by name", `{"action":"$connect"}`, "$default", s.message},
		{"$disconnect by name", `{"action":"$disconnect"}`, "$default", s.message},
		{"no action", `{"message":"hi"}`, "$default", s.message},
		{"null", `{"action":null}`, "$default", s.message},
		{"array", `["sendmessage"]`, "$default", s.message},
		{"no JSON", `sendmessage`, "$default", s.message},
		{"JSON with a tail", `{"action":"sendmessage"} x`, "$default", s.message},
		{"empty", ``, "$default", s.message},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			writeText(t, c, tt.message)
			e := tt.to.next(t)
			if got := e.RequestContext.RouteKey; got != tt.want {
				t.Errorf("routeKey %q, want %q", got, tt.want)
			}
			if e.Body == nil || *e.Body != tt.message {
				t.Error("body is not the text of the message")
			}
		})
	}
}

func TestMessageWithoutRouteGetsTheForbiddenFrame(t *testing.T) {
	t.Parallel()
	s := newStage(t, options{routes: func(routes []gateway.Route) []gateway.Route { return routes[:2] }})
	c, id := s.connected(t)
	for range 2 { // the second shows that the connection stays open
		writeText(t, c, `{"action":"other"}`)
		got := readText(t, c)
		if want := errorFrame("Forbidden", id, requestIDOf(t, got)); got != want {
			t.Errorf("frame %s, want %s", got, want)
		}
	}
}

// requestIDOf cuts the request id off an error frame.
func requestIDOf(t *testing.T, frame string) string {
	t.Helper()
	if len(frame) < 18 {
		t.Fatalf("frame %q is too short", frame)
	}
	return frame[len(frame)-18 : len(frame)-2]
}

// messageAnswers are the cases of TestAnswerOfAMessageIntegration.
var messageAnswers = []struct {
	name   string
	answer string
	fails  bool
	twoWay string // frame on a two-way route, if it does not fail
}{
	{"200", `{"statusCode":200}`, false, ""},
	{"501", `{"statusCode":501}`, false, ""},
	{"0", `{"statusCode":0}`, false, ""},
	{"body", `{"statusCode":200,"body":"hello"}`, false, "hello"},
	{"body with 500", `{"statusCode":500,"body":"broken"}`, false, "broken"},
	{"base64 body", `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, false, "hi"},
	{
		"as aws-lambda-go writes it", `{"statusCode":200,"headers":null,"multiValueHeaders":null,"body":""}`, false, "",
	},
	{"null", `null`, false, ""},
	{"nothing", ``, false, ""},
	{"unknown member", `{"ConnectionId":"x","Data":"y","statusCode":200}`, true, ""},
	{"member in another letter case", `{"StatusCode":200}`, true, ""},
	{"no statusCode", `{"body":"x"}`, true, ""},
	{"statusCode that is no number", `{"statusCode":"ok"}`, true, ""},
	{"body that is an object", `{"statusCode":200,"body":{}}`, true, ""},
	{"body that is not base64", `{"statusCode":200,"body":"?","isBase64Encoded":true}`, true, ""},
	{"text", `"ok"`, true, ""},
	{"array", `[]`, true, ""},
	{"no JSON", `ok`, true, ""},
}

func TestAnswerOfAMessageIntegration(t *testing.T) {
	t.Parallel()
	const failure = "Internal server error"
	tests := messageAnswers
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			function := newIntegration(tt.answer)
			s := newStage(t, options{message: function, routes: withRoute(
				gateway.Route{Key: "ask", Integration: function, TwoWay: true})})
			c, id := s.connected(t)
			for _, message := range []string{`one-way`, `{"action":"ask"}`} {
				writeText(t, c, message)
				requestID := function.next(t).RequestContext.RequestID
				switch {
				case tt.fails:
					if got, want := readText(t, c), errorFrame(failure, id, requestID); got != want {
						t.Errorf("frame %s, want %s", got, want)
					}
				case message != "one-way" && tt.twoWay != "":
					if got := readText(t, c); got != tt.twoWay {
						t.Errorf("frame %s, want %s", got, tt.twoWay)
					}
				}
			}
			s.post(t, id, "last", 200) // nothing else had been sent
			if got := readText(t, c); got != "last" {
				t.Errorf("unexpected frame %s", got)
			}
		})
	}
}

// The client hears nothing of a function that answers 500, so the log must.
func TestAMessageIntegrationThatAnswersAnErrorIsOneWarning(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]int{
		`{"statusCode":500}`: 1, `{"statusCode":502,"body":"x"}`: 1, `{"statusCode":400}`: 0, `{"statusCode":200}`: 0,
		`null`: 0,
	} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			var log lockedBuffer
			var calls atomic.Int32
			second, over := make(chan struct{}), make(chan struct{})
			function := respond(func(context.Context, []byte) ([]byte, error) {
				if calls.Add(1) == 1 {
					return []byte(answer), nil
				}
				close(second)
				<-over
				return nil, nil
			})
			defer close(over)
			s := newStage(t, options{message: function, cfg: gateway.Config{
				Log: slog.New(slog.NewTextHandler(&log, nil)), Ordering: gateway.Serial,
			}})
			c, _ := s.connected(t)
			writeText(t, c, "hi")
			writeText(t, c, "the first one is over when this comes")
			<-second
			if got := strings.Count(log.String(), "level=WARN"); got != want {
				t.Errorf("%d warnings, want %d:\n%s", got, want, log.String())
			}
		})
	}
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu   sync.Mutex
	data bytes.Buffer
}

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}

func TestFailedMessageIntegrationGetsTheErrorFrame(t *testing.T) {
	t.Parallel()
	tests := map[string]func(ctx context.Context) error{
		"function error": func(context.Context) error { return errors.New("exit status 2") },
		"no permission":  func(context.Context) error { return gateway.ErrNotPermitted },
		"timeout": func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		},
	}
	for name, fail := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			function := respond(func(ctx context.Context, _ []byte) ([]byte, error) { return nil, fail(ctx) })
			s := newStage(t, options{message: function, routes: func(routes []gateway.Route) []gateway.Route {
				routes[2].Timeout = 20 * time.Millisecond
				return routes
			}})
			c, id := s.connected(t)
			writeText(t, c, "hi")
			want := errorFrame("Internal server error", id, function.next(t).RequestContext.RequestID)
			if got := readText(t, c); got != want {
				t.Errorf("frame %s, want %s", got, want)
			}
			writeText(t, c, "still open")
			function.next(t)
		})
	}
}

func TestMessagesAboveTheThrottleGetAFrame(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	s := newStage(t, options{
		cfg: gateway.Config{Clock: clock},
		routes: func(routes []gateway.Route) []gateway.Route {
			routes[2].Throttle = &gateway.Throttle{RateLimit: 1, BurstLimit: 1}
			return routes
		},
	})
	c, id := s.connected(t)
	writeText(t, c, "first")
	s.message.next(t)
	writeText(t, c, "second")
	got := readText(t, c)
	if want := errorFrame("Too Many Requests", id, requestIDOf(t, got)); got != want {
		t.Errorf("frame %s, want %s", got, want)
	}
	clock.Move(time.Second)
	writeText(t, c, "third")
	if e := s.message.next(t); *e.Body != "third" {
		t.Errorf("invoked with %q", *e.Body)
	}
}

func TestInvocationsOfOneConnectionRunConcurrently(t *testing.T) {
	t.Parallel()
	var both sync.WaitGroup
	both.Add(2)
	meet := respond(func(context.Context, []byte) ([]byte, error) {
		both.Done()
		both.Wait() // returns only if the other invocation runs, too
		return []byte(`{"statusCode":200}`), nil
	})
	s := newStage(t, options{message: meet})
	c := s.dial(t)
	writeText(t, c, "one")
	writeText(t, c, "two")
	both.Wait()
}

// order sends 100 messages and returns their numbers in the order in which the integration received them.
func order(t *testing.T, cfg gateway.Config) []int {
	t.Helper()
	s := newStage(t, options{cfg: cfg})
	c := s.dial(t)
	for i := range 100 {
		writeText(t, c, strconv.Itoa(i))
	}
	var got []int
	for range 100 {
		n, err := strconv.Atoi(*s.message.next(t).Body)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n)
	}
	return got
}

func TestSerialInvocationsKeepTheOrder(t *testing.T) {
	t.Parallel()
	if got := order(t, gateway.Config{Ordering: gateway.Serial}); !slices.IsSorted(got) {
		t.Errorf("order %v", got)
	}
}

func TestShuffledInvocationsLoseTheOrder(t *testing.T) {
	t.Parallel()
	got := order(t, gateway.Config{Ordering: gateway.Shuffled})
	if slices.IsSorted(got) {
		t.Error("100 messages arrived in order")
	}
	slices.Sort(got)
	if len(slices.Compact(got)) != 100 {
		t.Error("messages were lost or repeated")
	}
}

func TestSerialDisconnectFollowsTheMessages(t *testing.T) {
	t.Parallel()
	slow, release := held()
	s := newStage(t, options{message: slow, cfg: gateway.Config{Ordering: gateway.Serial}})
	c, id := s.connected(t)
	writeText(t, c, "one")
	slow.next(t)
	c.CloseNow()
	clienttest.Eventually(t, "the connection is gone", func() bool {
		return s.manage(t, "GET", id, "").StatusCode == 410
	})
	if len(s.disconnect.events) != 0 {
		t.Error("$disconnect ran before the message's invocation had returned")
	}
	close(release)
	s.disconnected(t)
}
