package clienttest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signedsocket/internal/stageclient/clienttest"
)

// scripted answers requests with one status after the other and notes when each came.
type scripted struct {
	t          *testing.T
	statuses   []int
	retryAfter string
	at         []time.Duration
	began      time.Time
}

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil || string(body) != "the body" {
		s.t.Errorf("request %d has the body %q, %v", len(s.at)+1, body, err)
	}
	s.at = append(s.at, time.Since(s.began))
	status := s.statuses[0]
	if len(s.statuses) > 1 {
		s.statuses = s.statuses[1:]
	}
	header := http.Header{}
	if s.retryAfter != "" {
		header.Set("Retry-After", s.retryAfter)
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// ask sends a request through a transport that waits, and returns the answer.
func (s *scripted) ask(ctx context.Context) *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://stage", strings.NewReader("the body"))
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := clienttest.Waiting(s).RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response
}

func TestAThrottledRequestIsRepeatedUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		statuses   []int
		retryAfter string
		timeout    time.Duration // of the context; 0: it has none
		status     int
		from, to   []int // bounds of the time of each attempt, in milliseconds
	}{
		"not throttled":    {[]int{403}, "", 0, 403, []int{0}, []int{0}},
		"Retry-After":      {[]int{429, 429, 200}, "2", 0, 200, []int{0, 2000, 4000}, []int{0, 2000, 4000}},
		"beyond the end":   {[]int{429}, "30", 20 * time.Second, 429, []int{0}, []int{0}},
		"a broken one":     {[]int{429, 200}, "soon", 0, 200, []int{0, 125}, []int{0, 250}},
		"without one":      {[]int{429, 429, 429, 200}, "", 0, 200, []int{0, 125, 375, 875}, []int{0, 250, 750, 1750}},
		"the context ends": {[]int{429}, "", 400 * time.Millisecond, 429, []int{0, 125}, []int{0, 250}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &scripted{t: t, statuses: test.statuses, retryAfter: test.retryAfter, began: time.Now()}
				ctx := t.Context()
				if test.timeout > 0 {
					bounded, cancel := context.WithTimeout(ctx, test.timeout)
					defer cancel()
					ctx = bounded
				}
				response := server.ask(ctx)
				if response.StatusCode != test.status || len(server.at) < len(test.from) {
					t.Fatalf("answered %d after attempts at %v", response.StatusCode, server.at)
				}
				for i := range test.from {
					from, to := time.Duration(test.from[i])*time.Millisecond, time.Duration(test.to[i])*time.Millisecond
					if at := server.at[i]; at < from || at > to {
						t.Errorf("attempt %d came at %v, want between %v and %v", i+1, at, from, to)
					}
				}
			})
		})
	}
}

func TestAThrottledRequestWithoutADeadlineIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &scripted{t: t, statuses: []int{429}, began: time.Now()}
		response, waited := server.ask(t.Context()), time.Since(server.began)
		if response.StatusCode != http.StatusTooManyRequests || waited > clienttest.Patience {
			t.Errorf("answered %d after %v", response.StatusCode, waited)
		}
	})
}
