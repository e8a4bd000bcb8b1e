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

func TestAThrottledRequestIsRepeatedUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	const ms, s = time.Millisecond, time.Second
	for name, test := range map[string]struct {
		statuses   []int
		retryAfter string
		timeout    time.Duration // of the context; 0: it has none
		status     int
		from, to   []time.Duration // bounds of the time of each attempt
	}{
		"not throttled":                  {statuses: []int{403}, status: 403, from: []time.Duration{0}, to: []time.Duration{0}},
		"Retry-After is obeyed":          {[]int{429, 429, 200}, "2", 0, 200, []time.Duration{0, 2 * s, 4 * s}, []time.Duration{0, 2 * s, 4 * s}},
		"a wait beyond the end":          {[]int{429}, "30", 20 * s, 429, []time.Duration{0}, []time.Duration{0}},
		"a broken Retry-After":           {[]int{429, 200}, "soon", 0, 200, []time.Duration{0, 125 * ms}, []time.Duration{0, 250 * ms}},
		"without Retry-After it doubles": {[]int{429, 429, 429, 200}, "", 0, 200, []time.Duration{0, 125 * ms, 375 * ms, 875 * ms}, []time.Duration{0, 250 * ms, 750 * ms, 1750 * ms}},
		"the context ends":               {[]int{429}, "", 400 * ms, 429, []time.Duration{0, 125 * ms}, []time.Duration{0, 250 * ms}},
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
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://stage", strings.NewReader("the body"))
				if err != nil {
					t.Fatal(err)
				}
				response, err := clienttest.Waiting(server).RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				_ = response.Body.Close()
				if response.StatusCode != test.status || len(server.at) < len(test.from) {
					t.Fatalf("answered %d after attempts at %v", response.StatusCode, server.at)
				}
				for i := range test.from {
					if server.at[i] < test.from[i] || server.at[i] > test.to[i] {
						t.Errorf("attempt %d came at %v, want between %v and %v", i+1, server.at[i], test.from[i], test.to[i])
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
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://stage", strings.NewReader("the body"))
		if err != nil {
			t.Fatal(err)
		}
		response, err := clienttest.Waiting(server).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if waited := time.Since(server.began); response.StatusCode != http.StatusTooManyRequests || waited > clienttest.Patience {
			t.Errorf("answered %d after %v", response.StatusCode, waited)
		}
	})
}
