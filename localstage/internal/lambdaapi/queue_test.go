package lambdaapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"signedsocket/localstage/internal/clock"
	"signedsocket/localstage/internal/lambda"
)

// manualClock moves only on command, and passes every wait to the test.
type manualClock struct {
	mu    sync.Mutex
	now   time.Time
	waits chan wait
}

// wait is a pending call of AfterFunc.
type wait struct {
	d       time.Duration
	f       func()
	stopped chan struct{}
}

func newClock() *manualClock {
	return &manualClock{now: time.Unix(1_800_000_000, 0), waits: make(chan wait, 1000)}
}

func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) AfterFunc(d time.Duration, f func()) clock.Timer {
	w := wait{d, f, make(chan struct{})}
	c.waits <- w
	return w
}

// Stop implements clock.Timer.
func (w wait) Stop() bool { close(w.stopped); return true }

// Reset implements clock.Timer. The queue does not call it.
func (wait) Reset(time.Duration) bool { panic("a wait is not reset") }

// pass lets the time of w pass.
func (c *manualClock) pass(w wait) {
	c.mu.Lock()
	c.now = c.now.Add(w.d)
	c.mu.Unlock()
	w.f()
}

// receive returns the next value of channel, and fails the test if none comes.
func receive[T any](t *testing.T, channel <-chan T) T {
	t.Helper()
	select {
	case v := <-channel:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("nothing happened for 10 s")
	}
	panic("unreachable")
}

// script is a function with a list of outcomes, one for each event.
type script struct {
	outcomes chan error
	events   chan string
}

func newScript(outcomes ...error) *script {
	s := &script{make(chan error, len(outcomes)), make(chan string, len(outcomes)+1)}
	for _, err := range outcomes {
		s.outcomes <- err
	}
	return s
}

func (s *script) Invoke(_ context.Context, event []byte) ([]byte, error) {
	s.events <- string(event)
	select {
	case err := <-s.outcomes:
		return []byte("null"), err
	default:
		return nil, lambda.ErrClosed // beyond the end of the script
	}
}

// errFunction is the error of a function that failed.
var errFunction = functionFailure(`{"errorMessage":"no"}`)

// attemptCases are the cases of TestAnEventIsTriedAgain.
var attemptCases = map[string]struct {
	outcomes []error
	retries  *int
	waits    []time.Duration
	record   bool
}{
	"success at once": {outcomes: []error{nil}},
	"one failure":     {outcomes: []error{errFunction, nil}, waits: []time.Duration{time.Minute}},
	"two failures": {
		outcomes: []error{errFunction, errFunction, nil}, waits: []time.Duration{time.Minute, 2 * time.Minute},
	},
	"three failures": {
		outcomes: []error{
			errFunction, errFunction, errFunction,
		}, waits: []time.Duration{time.Minute, 2 * time.Minute}, record: true,
	},
	"one retry configured": {
		outcomes: []error{errFunction, errFunction}, retries: new(1), waits: []time.Duration{time.Minute}, record: true,
	},
	"no retries configured": {outcomes: []error{errFunction}, retries: new(0), record: true},
	"lambda.ErrThrottled": {
		outcomes: []error{lambda.ErrThrottled, lambda.ErrThrottled, lambda.ErrThrottled, nil},
		waits:    []time.Duration{time.Second, 2 * time.Second, 4 * time.Second},
	},
	"throttles are not errFunction": {
		outcomes: []error{errFunction, lambda.ErrThrottled, errFunction, lambda.ErrThrottled, nil},
		waits:    []time.Duration{time.Minute, time.Second, 2 * time.Minute, time.Second},
	},
	"the service fails": {
		outcomes: []error{errors.New("the disk is full"), nil}, waits: []time.Duration{time.Second},
	},
	"the stage is closing": {outcomes: []error{lambda.ErrClosed}},
}

func TestAnEventIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range attemptCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock, function, records := newClock(), newScript(tt.outcomes...), make(chan []byte, 1)
			f := serve(t, clock, Function{ARN: reaperARN, Invoker: function, Event: EventInvokeConfig{
				MaximumRetryAttempts: tt.retries, OnFailure: func(record []byte) { records <- record },
			}})
			got := f.send(t, request{
				name: "Reaper", signer: f.operator, header: map[string]string{"X-Amz-Invocation-Type": "Event"},
				body: `{"now":true}`,
			})
			if got.status != http.StatusAccepted || got.body != "" {
				t.Fatalf("answer is %d %s, want 202 without a body", got.status, got.body)
			}
			for i := range tt.outcomes {
				if event := receive(t, function.events); event != `{"now":true}` {
					t.Errorf("attempt %d got %s", i+1, event)
				}
				if i < len(tt.waits) {
					w := receive(t, clock.waits)
					if w.d != tt.waits[i] {
						t.Errorf("wait %d is %s, want %s", i+1, w.d, tt.waits[i])
					}
					clock.pass(w)
				}
			}
			if tt.record {
				receive(t, records)
			}
			f.api.Close()
			if len(records) != 0 || len(clock.waits) != 0 || len(function.events) != 0 {
				t.Errorf("%d records, %d waits and %d attempts too many", len(records), len(clock.waits),
					len(function.events))
			}
		})
	}
}

func TestThrottleWaitsGrowToFiveMinutesUntilTheEventIsTooOld(t *testing.T) {
	t.Parallel()
	clock, records := newClock(), make(chan []byte, 1)
	busy := func(context.Context, []byte) ([]byte, error) { return nil, lambda.ErrThrottled }
	f := serve(t, clock, Function{ARN: reaperARN, Invoker: invokerFunc(busy), Event: EventInvokeConfig{
		MaximumEventAge: 20 * time.Minute, OnFailure: func(record []byte) { records <- record },
	}})
	if err := f.api.InvokeAsync("Reaper", []byte(`{}`)); err != nil {
		t.Fatalf("InvokeAsync: %v", err)
	}
	var total time.Duration
	for total <= 20*time.Minute {
		w := receive(t, clock.waits)
		if want := min(max(total+time.Second, time.Second), 5*time.Minute); w.d != want {
			t.Errorf("after %s the wait is %s, want %s", total, w.d, want)
		}
		total += w.d
		clock.pass(w)
	}
	record := string(receive(t, records))
	for _, want := range []string{`"condition":"EventAgeExceeded"`, `"requestPayload":{}}`} {
		if !strings.Contains(record, want) {
			t.Errorf("record is %s, want %s", record, want)
		}
	}
}

func TestInvocationRecord(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ payload, want string }{
		"JSON":  {`{"errorMessage":"no","errorType":"errorString"}`, `{"errorMessage":"no","errorType":"errorString"}`},
		"bytes": {`panic!`, `"panic!"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records := make(chan []byte, 1)
			f := serve(t, nil, Function{ARN: reaperARN, Invoker: fails(tt.payload), Event: EventInvokeConfig{
				MaximumRetryAttempts: new(0), OnFailure: func(record []byte) { records <- record },
			}})
			got := f.send(t, request{
				name: "Reaper", signer: f.admin, header: map[string]string{"X-Amz-Invocation-Type": "Event"},
				body: `{"room": "lobby"}`,
			})
			want := `{"version":"1.0","timestamp":"2026-11-22T06:00:00.005Z","requestContext":{"requestId":"` +
				got.header.Get(headerRequestID) +
				`","functionArn":"` + reaperARN +
				`:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":1},` +
				`"requestPayload":{"room":"lobby"},"responseContext":{"statusCode":200,"executedVersion":"$LATEST",` +
				`"functionError":"Unhandled"},` +
				`"responsePayload":` + tt.want + `}`
			if diff := cmp.Diff(want, string(receive(t, records))); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInvokeAsyncRefuses(t *testing.T) {
	t.Parallel()
	f := serve(t, nil, Function{ARN: echoARN, Invoker: invokerFunc(echo)})
	for name, tt := range map[string]struct{ function, event, want string }{
		"an unknown function": {"Ghost", `{}`, "Function not found: "},
		"a version":           {echoARN + ":1", `{}`, "Function not found: "},
		"nonsense":            {"a b", `{}`, "ValidationException"},
		"text":                {"Echo", `hello`, "InvalidRequestContentException"},
		"nothing":             {"Echo", ``, "InvalidRequestContentException"},
		"too much":            {"Echo", strings.Repeat("1", maxAsyncEvent+1), "limit 1048576 bytes"},
	} {
		if err := f.api.InvokeAsync(tt.function, []byte(tt.event)); err == nil ||
			!strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: InvokeAsync = %v, want %q", name, err, tt.want)
		}
	}
	if err := f.api.InvokeAsync(echoARN, []byte(strings.Repeat("1", maxAsyncEvent))); err != nil {
		t.Errorf("InvokeAsync of the largest event = %v", err)
	}
}

func TestCloseEndsWaitsAndInvocations(t *testing.T) {
	t.Parallel()
	clock, started := newClock(), make(chan struct{})
	hangs := func(ctx context.Context, _ []byte) ([]byte, error) {
		close(started)
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	f := serve(t, clock, Function{ARN: echoARN, Invoker: invokerFunc(hangs)},
		Function{ARN: reaperARN, Invoker: fails(`{}`)})
	for _, name := range []string{"Echo", "Reaper"} {
		if err := f.api.InvokeAsync(name, []byte(`{}`)); err != nil {
			t.Fatalf("InvokeAsync %s: %v", name, err)
		}
	}
	receive(t, started)
	pending := receive(t, clock.waits)
	f.api.Close()
	receive(t, pending.stopped)
	f.api.Close()
	if err := f.api.InvokeAsync("Echo", []byte(`{}`)); !errors.Is(err, ErrClosed) {
		t.Errorf("InvokeAsync after Close = %v, want %v", err, ErrClosed)
	}
	got := f.send(t, request{
		name: "Echo", signer: f.admin, header: map[string]string{"X-Amz-Invocation-Type": "Event"}, body: `{}`,
	})
	checkError(t, got, http.StatusInternalServerError, "ServiceException")
}
