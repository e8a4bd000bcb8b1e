package lambda

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"signedsocket/internal/stageclient/clienttest"
)

const testKey = "ASIATESTKEY"

// watched is a service that functions call, with its calls so far. The operation of a call is its path.
func watched(t *testing.T, s *Service) (url string, done *atomic.Int64) {
	t.Helper()
	done = new(atomic.Int64)
	service := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { done.Add(1) })
	operation := func(r *http.Request) string { return strings.TrimPrefix(r.URL.Path, "/") }
	server := httptest.NewServer(s.WatchCalls("dynamodb", operation, service))
	t.Cleanup(server.Close)
	return server.URL, done
}

// callingFunction returns a function whose every invocation has the fault.
func callingFunction(t *testing.T, fault CallFault) (*Service, *Function) {
	t.Helper()
	s := startService(t, Options{Fault: func(string) Fault { return Fault{AtCall: fault} }})
	return s, addFunction(t, s, func(c *Config) { c.Credentials.AccessKeyID = testKey })
}

func TestAnInvocationIsStoppedAtACall(t *testing.T) {
	t.Parallel()
	second := CallFault{Service: "dynamodb", Number: 2}
	with := func(change func(*CallFault)) CallFault {
		fault := second
		change(&fault)
		return fault
	}
	for _, test := range []struct {
		name   string
		fault  CallFault
		after  string // what stands behind the address and the key of the calls
		killed bool
		done   int64
		ends   string // of the calls, if the function lives
	}{
		{"before it is done", second, "", true, 1, ""},
		{"after it is done", with(func(f *CallFault) { f.Effect = KillAfter }), "", true, 2, ""},
		{"its answer is lost", with(func(f *CallFault) { f.Effect = LoseAnswer }), "", false, 4, "[200 cut 200 200]"},
		{"it is dropped", with(func(f *CallFault) { f.Effect = DropCall }), "", false, 3, "[200 200 200 200]"},
		{"without a trace id", second, " untraced", true, 1, ""},
		{"by its operation", with(func(f *CallFault) { f.Operation = "UpdateItem" }), "", true, 1, ""},
		{"another operation", with(func(f *CallFault) { f.Operation = "Query" }), "", false, 4, "[200 200 200 200]"},
		{"another service", with(func(f *CallFault) { f.Service = "execute-api" }), "", false, 4, "[200 200 200 200]"},
		{"a later call than there is", with(func(f *CallFault) { f.Number = 5 }), "", false, 4, "[200 200 200 200]"},
		{"no fault", CallFault{}, "", false, 4, "[200 200 200 200]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, f := callingFunction(t, test.fault)
			url, done := watched(t, s)
			event := fmt.Sprintf(`{"do":"call","n":4,"text":"%s/UpdateItem %s%s"}`, url, testKey, test.after)
			if !test.killed {
				if got := invoke[[]string](t, f, event); fmt.Sprint(got) != test.ends {
					t.Errorf("the calls ended with %v, want %s", got, test.ends)
				}
			} else if failed := invokeFailing(t, f, event); failed.Type != "Runtime.ExitError" {
				t.Errorf("the invocation ended with %v, want a dead process", failed)
			}
			if done.Load() != test.done {
				t.Errorf("%d calls were done, want %d", done.Load(), test.done)
			}
			// an invocation ends when its process asks for the next event
			clienttest.Eventually(t, "no invocation is watched", func() bool { return s.calls.armed.Load() == 0 })
		})
	}
}

// TestCallsOfOthersDoNotCount: another function, another invocation, and a request that is no call.
func TestCallsOfOthersDoNotCount(t *testing.T) {
	t.Parallel()
	s, f := callingFunction(t, CallFault{Service: "dynamodb", Number: 1})
	url, done := watched(t, s)
	ask := func(path, name, value string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+testKey+"/20261122/us-east-1/x")
		request.Header.Set(name, value)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Errorf("%s %s %s: %v", path, name, value, err)
			return
		}
		_ = response.Body.Close()
	}
	running := make(chan error, 1)
	go func() {
		_, err := f.Invoke(t.Context(), []byte(`{"do":"sleep","n":60000}`))
		running <- err
	}()
	clienttest.Eventually(t, "the invocation is watched", func() bool { return s.calls.armed.Load() == 1 })
	ask("/UpdateItem", "Authorization", "AWS4-HMAC-SHA256 Credential=ASIAOTHER/20261122/us-east-1/x")
	ask("/UpdateItem", "X-Amzn-Trace-Id", "Root=1-00000000-000000000000000000000000;Parent=1;Sampled=0")
	ask("/", "X-Other", "")
	if done.Load() != 3 {
		t.Errorf("%d calls of others were done, want 3", done.Load())
	}
	f.Environments()[0].Kill()
	<-running
}
