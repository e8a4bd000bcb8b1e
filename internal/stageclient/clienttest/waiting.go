package clienttest

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// Waits between two attempts of a throttled request: the first and the longest.
const (
	firstWait   = 250 * time.Millisecond
	longestWait = 4 * time.Second
)

// Waiting returns a transport that repeats a request answered with 429, until the context of the request ends, or for
// [Patience]. It waits as long as Retry-After says; without that header 250 ms, doubling up to 4 s, with jitter. If a
// wait would outlast the context, the caller gets the 429 at once.
//
// All tests of a running stage share the buckets of its routes (SignUrlRate and ConnectRate), and a fast machine
// empties them. A 429 of API Gateway itself has no Retry-After.
func Waiting(next http.RoundTripper) http.RoundTripper { return waiting{next: next} }

type waiting struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (w waiting) RoundTrip(r *http.Request) (*http.Response, error) {
	ends := time.Now().Add(Patience)
	if deadline, ok := r.Context().Deadline(); ok {
		ends = deadline
	}
	for backoff := firstWait; ; backoff = min(2*backoff, longestWait) {
		response, err := w.next.RoundTrip(r)
		if err != nil || response.StatusCode != http.StatusTooManyRequests || r.Body != nil && r.GetBody == nil {
			return response, err
		}
		wait := waitFor(response.Header, backoff)
		if time.Now().Add(wait).After(ends) {
			return response, nil
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 4<<10)) // so that the connection is used again
		_ = response.Body.Close()
		if err := pause(r.Context(), wait); err != nil {
			return nil, err
		}
		if r, err = again(r); err != nil {
			return nil, err
		}
	}
}

// waitFor returns how long to wait after a 429: the time in the header, or between half and all of backoff.
func waitFor(header http.Header, backoff time.Duration) time.Duration {
	if seconds, err := strconv.Atoi(header.Get("Retry-After")); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second
	}
	return backoff/2 + rand.N(backoff/2) //nolint:gosec // jitter is no secret
}

// pause waits for d, or until the context ends, and returns the context's error then.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// again returns a copy of a request with its body from the beginning.
func again(r *http.Request) (*http.Request, error) {
	repeated := r.Clone(r.Context())
	if r.GetBody == nil {
		return repeated, nil
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	repeated.Body = body
	return repeated, nil
}
