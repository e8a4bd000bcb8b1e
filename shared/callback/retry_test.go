package callback

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// withQuota returns a client of a server that answers with a given status, and a quota of tokens. Each retry takes one.
func withQuota(t *testing.T, tokens uint, status *atomic.Int32) *Client {
	t.Helper()
	_, server, _ := newClient(t, 1, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) })
	config := newConfig()
	config.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(options *retry.StandardOptions) {
			options.RateLimiter = ratelimit.NewTokenRateLimit(tokens)
			options.RetryCost, options.RetryTimeoutCost, options.NoRetryIncrement = 1, 1, 1
		})
	}
	client, err := New(config, server.URL+"/prod", 1)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestRetriesTakeFromTheQuotaAndSuccessesGiveBack(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	client := withQuota(t, 2, &status)
	frame := NewFrame([]byte("x"))
	status.Store(http.StatusTooManyRequests)
	first := client.Try(t.Context(), connectionID, frame)
	for n := range 2 {
		if err := client.TryAgain(t.Context(), connectionID, frame, first); !errors.Is(err, ErrThrottled) ||
			!Repeatable(err) {
			t.Fatalf("retry %d: %v", n+1, err)
		}
	}
	if err := client.TryAgain(t.Context(), connectionID, frame, first); !errors.Is(err, ErrNoRetry) ||
		!errors.Is(err, ErrThrottled) || Repeatable(err) {
		t.Errorf("without a token: %v", err)
	}
	status.Store(http.StatusOK)
	if err := client.Try(t.Context(), connectionID, frame); err != nil {
		t.Fatal(err)
	}
	if err := client.TryAgain(t.Context(), connectionID, frame, first); err != nil {
		t.Errorf("with the token that the success gave back: %v", err)
	}
}

func TestPostStopsWithTheQuota(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusServiceUnavailable)
	client := withQuota(t, 1, &status)
	if err := client.Post(t.Context(), connectionID, []byte("x")); !errors.Is(err, ErrNoRetry) ||
		!errors.Is(err, ErrUnavailable) {
		t.Errorf("err = %v", err)
	}
}

func TestPausesGrowAndAreRandom(t *testing.T) {
	t.Parallel()
	for n, limit := range map[int]int64{1: 50, 2: 100, 3: 200, 4: 400, 9: 400} {
		longest := int64(0)
		for range 1000 {
			pause := Pause(n).Milliseconds()
			longest = max(longest, pause)
			if pause >= limit {
				t.Fatalf("pause %d took %d ms, want less than %d", n, pause, limit)
			}
		}
		if longest < limit*9/10 {
			t.Errorf("the longest of 1000 pauses %d was %d ms, want nearly %d", n, longest, limit)
		}
	}
}

func TestABrokenConnectionIsRepeatable(t *testing.T) {
	t.Parallel()
	client, server, _ := newClient(t, 1, func(http.ResponseWriter, *http.Request) {})
	server.Close()
	if err := client.Try(t.Context(), connectionID, NewFrame([]byte("x"))); !errors.Is(err, ErrUnavailable) ||
		!Repeatable(err) {
		t.Errorf("err = %v", err)
	}
}
