package callback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"signedsocket/protocol"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
)

// gateway is an @connections endpoint.
type gateway struct {
	postErr, closeErr error
	hold              time.Duration // of each call, or until the caller gives up

	mu    sync.Mutex
	calls []string
}

func (g *gateway) call(ctx context.Context, call string, err error) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(g.hold):
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls = append(g.calls, call)
	return err
}

func (g *gateway) Post(ctx context.Context, id string, data []byte) error {
	return g.call(ctx, "post "+id+" "+string(data), g.postErr)
}

func (g *gateway) Close(ctx context.Context, id string) error {
	return g.call(ctx, "close "+id, g.closeErr)
}

func newCloser(g *gateway) (*Closer, *bytes.Buffer) {
	log := new(bytes.Buffer)
	return NewCloser(logging.New(log), g), log
}

func TestCloseSaysByeFirst(t *testing.T) {
	t.Parallel()
	gone, broken := fmt.Errorf("gone: %w", ErrGone), errors.New("throttled")
	for _, test := range []struct {
		name              string
		reason            connections.Reason
		age               time.Duration
		postErr, closeErr error
		want              error
		calls             []string
	}{
		{"open", connections.Evicted, 0, nil, nil, nil,
			[]string{`post c= {"type":"bye","code":"evicted"}`, "close c="}},
		{"replaced", connections.Replaced, 0, nil, nil, nil,
			[]string{`post c= {"type":"bye","code":"replaced"}`, "close c="}},
		{"does not read", connections.TooSlow, 0, nil, nil, nil, []string{"close c="}},
		{"left because of the bye", connections.Kicked, 0, nil, gone, nil,
			[]string{`post c= {"type":"bye","code":"kicked"}`, "close c="}},
		{"gone for long", connections.Evicted, time.Minute, gone, gone, nil,
			[]string{`post c= {"type":"bye","code":"evicted"}`, "close c="}},
		{"in its handshake", connections.Evicted, time.Second, gone, gone, ErrPending,
			[]string{`post c= {"type":"bye","code":"evicted"}`, "close c="}},
		{"a fault", connections.Evicted, time.Minute, broken, broken, broken,
			[]string{`post c= {"type":"bye","code":"evicted"}`, "close c="}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := &gateway{postErr: test.postErr, closeErr: test.closeErr}
			closer, _ := newCloser(g)
			ended := connections.Sweep{ConnectionID: "c=", Reason: test.reason, ConnectedAt: time.Now().Add(-test.age)}
			if err := closer.Close(t.Context(), ended); !errors.Is(err, test.want) {
				t.Errorf("err = %v, want %v", err, test.want)
			}
			if !slices.Equal(g.calls, test.calls) {
				t.Errorf("calls %q, want %q", g.calls, test.calls)
			}
		})
	}
}

func TestTheProtocolListsTheReasonsOfByeFrames(t *testing.T) {
	t.Parallel()
	contract := protocol.Read(t)
	listed := make(map[string]bool)
	for _, code := range contract.CloseCodes.Bye {
		listed[code.Code] = true
	}
	reasons := []connections.Reason{
		connections.SessionEnded, connections.Revoked, connections.Evicted, connections.Kicked, connections.Replaced,
		connections.SignedOut,
	}
	for _, reason := range reasons {
		g := new(gateway)
		closer, _ := newCloser(g)
		if err := closer.Close(t.Context(), connections.Sweep{ConnectionID: "c=", Reason: reason}); err != nil {
			t.Fatal(err)
		}
		frame, posted := strings.CutPrefix(g.calls[0], "post c= ")
		if err := protocol.FromServer([]byte(frame)); err != nil || !posted || !listed[string(reason)] {
			t.Errorf("%s: %s, %v", reason, g.calls[0], err)
		}
	}
	if len(listed) != len(reasons) {
		t.Errorf("the protocol lists %d codes, and there are %d reasons", len(listed), len(reasons))
	}
}

func TestCloseAtOnceTakesNoLonger(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		hold time.Duration
		done int
	}{
		"quick":           {time.Millisecond, 3},
		"slow":            {100 * time.Millisecond, 3}, // one after the other they would take 600 ms
		"does not read":   {200 * time.Millisecond, 0}, // the bye is given up, and so is the close
		"does not answer": {time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				closer, log := newCloser(&gateway{hold: test.hold})
				var ended []connections.Sweep
				for i := range 3 {
					ended = append(ended, connections.Sweep{ConnectionID: fmt.Sprint(i), Reason: connections.Evicted})
				}
				var mu sync.Mutex
				done, start := 0, time.Now()
				closer.CloseAtOnce(t.Context(), ended, func(context.Context, connections.Sweep) error {
					mu.Lock()
					defer mu.Unlock()
					done++
					return nil
				})
				if took := time.Since(start); took > AtOnce || done != test.done {
					t.Errorf("took %s, done %d; want at most %s and %d", took, done, AtOnce, test.done)
				}
				if left := strings.Count(log.String(), "connection left to the reaper"); left != 3-test.done {
					t.Errorf("log:\n%s", log)
				}
			})
		})
	}
}
