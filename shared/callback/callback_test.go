package callback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

const connectionID = "L0SM9cOFvHcCIhw="

// newClient returns a client of a server that answers with handle, and how many connections to it were opened.
func newClient(
	t testing.TB, concurrency int, handle http.HandlerFunc,
) (client *Client, server *httptest.Server, opened *atomic.Int32) {
	t.Helper()
	opened = new(atomic.Int32)
	server = httptest.NewUnstartedServer(handle)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client, err := New(newConfig(), server.URL+"/prod", concurrency)
	if err != nil {
		t.Fatal(err)
	}
	return client, server, opened
}

func newConfig() aws.Config {
	return aws.Config{
		Region: "us-east-1", HTTPClient: awshttp.NewBuildableClient(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example", SessionToken: "token"}, nil
		}),
	}
}

func TestPostSendsTheFrame(t *testing.T) {
	t.Parallel()
	client, _, _ := newClient(t, 1, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got := fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, body)
		if want := `POST /prod/@connections/L0SM9cOFvHcCIhw%3D {"type":"pong"}`; got != want {
			t.Errorf("request %q, want %q", got, want)
		}
		if !strings.Contains(r.Header.Get("Authorization"), "/us-east-1/execute-api/aws4_request") {
			t.Error("not signed for execute-api")
		}
	})
	if err := client.Post(t.Context(), connectionID, []byte(`{"type":"pong"}`)); err != nil {
		t.Error(err)
	}
}

func TestCloseDeletesTheConnection(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{http.StatusNoContent: nil, http.StatusGone: ErrGone} {
		client, _, _ := newClient(t, 1, func(w http.ResponseWriter, r *http.Request) {
			if got, want := r.Method+" "+r.RequestURI, "DELETE /prod/@connections/L0SM9cOFvHcCIhw%3D"; got != want {
				t.Errorf("request %q, want %q", got, want)
			}
			w.WriteHeader(status)
		})
		if err := client.Close(t.Context(), connectionID); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("after status %d: %v, want %v", status, err, want)
		}
	}
}

func TestPostTellsErrorsApart(t *testing.T) {
	t.Parallel()
	known := []error{ErrGone, ErrTooLarge, ErrThrottled, ErrUnavailable}
	tests := []struct {
		name, errorType, body string
		status                int
		want                  error // nil is a fault
		calls                 int32
	}{
		{"gone", "GoneException", "", 410, ErrGone, 1},
		{"gone, type in the body", "", `{"__type":"GoneException"}`, 410, ErrGone, 1},
		{"gone, without type", "", "", 410, ErrGone, 1},
		{"too large", "PayloadTooLargeException", "", 413, ErrTooLarge, 1},
		{"too large, without type", "", "", 413, ErrTooLarge, 1},
		{"throttled", "LimitExceededException", `{"message":"Too Many Requests"}`, 429, ErrThrottled, 3},
		{"throttled by the stage", "TooManyRequestsException", "", 429, ErrThrottled, 3},
		{"not permitted", "AccessDeniedException", `{"Message":"User: x is not authorized"}`, 403, nil, 1},
		{"wrong stage", "ForbiddenException", `{"message":"Forbidden"}`, 403, nil, 1},
		{"malformed id", "BadRequestException", `{"message":"Invalid connectionId: x"}`, 400, nil, 1},
		{"broken", "", "", 500, ErrUnavailable, 3},
		{"out of order", "", "", 503, ErrUnavailable, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			client, _, _ := newClient(t, 1, func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				if test.errorType != "" {
					w.Header().Set("X-Amzn-Errortype", test.errorType)
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			})
			err := client.Post(t.Context(), connectionID, []byte("x"))
			if err == nil {
				t.Fatal("no error")
			}
			for _, sentinel := range known {
				if got, want := errors.Is(err, sentinel), sentinel == test.want; got != want {
					t.Errorf("errors.Is(%v, %v) = %v, want %v", err, sentinel, got, want)
				}
			}
			if got := calls.Load(); got != test.calls {
				t.Errorf("%d calls, want %d", got, test.calls)
			}
		})
	}
}

func TestPostEndsWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	client, _, _ := newClient(t, 1, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the client has left
		cancel()
		<-r.Context().Done()
	})
	if err := client.Post(ctx, connectionID, []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}

// A fan-out that opened a connection per post would spend its time on handshakes.
func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	const concurrency, rounds = 20, 5
	client, _, opened := newClient(t, concurrency, func(http.ResponseWriter, *http.Request) {})
	for range rounds {
		var group sync.WaitGroup
		for range concurrency {
			group.Go(func() {
				if err := client.Post(t.Context(), connectionID, []byte("x")); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	if got := opened.Load(); got > concurrency {
		t.Errorf("%d connections for %d posts, %d at a time", got, rounds*concurrency, concurrency)
	}
}

// While an execution environment is frozen, the other side may close its idle connections.
func TestPostsSurviveClosedIdleConnections(t *testing.T) {
	t.Parallel()
	var delivered atomic.Int32
	client, server, _ := newClient(t, 4, func(http.ResponseWriter, *http.Request) { delivered.Add(1) })
	const posts = 3
	for range posts {
		if err := client.Post(t.Context(), connectionID, []byte("x")); err != nil {
			t.Error(err)
		}
		server.CloseClientConnections()
	}
	if got := delivered.Load(); got != posts {
		t.Errorf("%d of %d delivered", got, posts)
	}
}
