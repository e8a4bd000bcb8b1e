package awsclient_test

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"signedsocket/shared/awsclient"
	"signedsocket/shared/awsclient/awsclienttest"
)

// patience bounds each request that has to be answered.
const patience = 20 * time.Second

// counting answers every request, and counts all of them and those that came over something else than HTTP/1.1. It
// answers the first ones together, so that they need a connection each.
type counting struct {
	together         sync.WaitGroup
	first            int32
	requests, others atomic.Int32
}

func newCounting(first int) *counting {
	c := &counting{first: int32(first)}
	c.together.Add(first)
	return c
}

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if c.requests.Add(1) <= c.first {
		c.together.Done()
	}
	c.together.Wait()
	if r.ProtoMajor != 1 {
		c.others.Add(1)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_, _ = io.WriteString(w, `{"TableNames":[]}`)
}

// together makes calls at the same time and returns how many of them succeeded.
func together(n int, call func() error) int {
	var succeeded atomic.Int32
	var calls sync.WaitGroup
	for range n {
		calls.Go(func() {
			if call() == nil {
				succeeded.Add(1)
			}
		})
	}
	calls.Wait()
	return int(succeeded.Load())
}

func TestASilentEndpointFailsOnlyTheRequestsUnderWay(t *testing.T) {
	t.Parallel()
	handler := newCounting(32)
	endpoint := awsclienttest.New(t, handler)
	client := awsclient.New(endpoint.Config(), "execute-api", 64)
	target := endpoint.URL
	target.Opaque = "/prod/@connections/a%3D"
	payload := awsclient.NewPayload([]byte("hello"))
	within := func(timeout time.Duration) func() error {
		return func() error {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			_, err := client.Do(ctx, http.MethodPost, target, make(http.Header), payload)
			return err
		}
	}
	post, postInVain := within(patience), within(time.Second)
	if got := together(32, post); got != 32 {
		t.Fatalf("%d of 32 posts succeeded before the silence", got)
	}
	for round := range 3 {
		endpoint.Silence()
		lost := 8 - together(8, postInVain)
		if round == 0 && lost != 8 {
			t.Errorf("%d of 8 posts on silent connections failed", lost)
		}
		// Up to 24 more silent connections were idle meanwhile. None of them is used.
		if got := together(8, post); got != 8 {
			t.Errorf("round %d: %d of 8 posts succeeded after the silence", round, got)
		}
	}
	if n := handler.others.Load(); n != 0 {
		t.Errorf("%d of %d requests came over HTTP/2, whose one connection is every request's", n,
			handler.requests.Load())
	}
}

// overdue is a context whose deadline passes when the channel is closed.
type overdue struct {
	context.Context
	passed chan struct{}
}

func (o overdue) Done() <-chan struct{} { return o.passed }

func (o overdue) Err() error {
	select {
	case <-o.passed:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// The endpoint is not silent when one recipient's post hangs: the connection on which another post was answered stays.
func TestOneHangingRequestKeepsTheOtherConnections(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	endpoint := awsclienttest.New(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hangs" {
			close(arrived)
			<-release
		}
	}))
	defer close(release)
	client := awsclient.New(endpoint.Config(), "execute-api", 64)
	post := func(ctx context.Context, path string) error {
		target := endpoint.URL
		target.Opaque = path
		_, err := client.Do(ctx, http.MethodPost, target, make(http.Header), awsclient.NewPayload(nil))
		return err
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	hanging, deadline := make(chan error), overdue{t.Context(), make(chan struct{})}
	go func() { hanging <- post(deadline, "/hangs") }()
	<-arrived
	if err := post(ctx, "/"); err != nil {
		t.Fatal(err)
	}
	close(deadline.passed)
	if err := <-hanging; err == nil {
		t.Error("the request that hangs was answered")
	}
	if err := post(ctx, "/"); err != nil || endpoint.Opened() != 2 {
		t.Errorf("%d connections were opened, want one for each of two requests: %v", endpoint.Opened(), err)
	}
}

func TestSDKCallsSurviveASilentEndpoint(t *testing.T) {
	t.Parallel()
	handler := newCounting(8)
	endpoint := awsclienttest.New(t, handler)
	client := dynamodb.NewFromConfig(endpoint.Config(), func(options *dynamodb.Options) {
		options.BaseEndpoint = aws.String(endpoint.URL.String())
		options.HTTPClient = awsclient.ForSDK(options.HTTPClient)
		options.RetryMaxAttempts = 2
	})
	list := func() error {
		_, err := client.ListTables(t.Context(), new(dynamodb.ListTablesInput))
		return err
	}
	if got := together(8, list); got != 8 {
		t.Fatalf("%d of 8 calls succeeded before the silence", got)
	}
	endpoint.Silence()
	if got := together(4, list); got != 4 {
		t.Errorf("%d of 4 calls succeeded with their second attempt", got)
	}
	if handler.others.Load() != 0 {
		t.Error("requests came over HTTP/2")
	}
}
