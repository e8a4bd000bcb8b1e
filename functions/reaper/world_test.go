package main

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/goleak"

	"signedsocket/shared/callback"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a handler between a table and a gateway.
type world struct {
	t       *testing.T
	h       *handler
	table   *fakeTable
	gateway *fakeGateway
	log     *bytes.Buffer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, log: new(bytes.Buffer),
		table: &fakeTable{due: make(map[string]connections.Sweep), users: make(map[string][]string),
			connectedAt: make(map[string]time.Time)},
		gateway: &fakeGateway{open: make(map[string]bool), posted: make(map[string][]string)},
	}
	w.h = &handler{log: logging.New(w.log), connections: w.table, now: time.Now, issuer: "https://issuer.example",
		stackID: "stack", concurrency: 4}
	w.h.closer = &callback.Closer{Log: w.h.log, Gateway: w.gateway, Now: time.Now, ByeTimeout: byeTimeout}
	return w
}

// join opens connections of a user, of that age.
func (w *world) join(user string, age time.Duration, ids ...string) {
	for _, id := range ids {
		w.table.users[user] = append(w.table.users[user], id)
		w.table.connectedAt[id] = time.Now().Add(-age)
		w.gateway.open[id] = true
	}
}

// due says that a connection, of that age, is to be closed.
func (w *world) due(id string, reason connections.Reason, age time.Duration) {
	w.table.due[id] = connections.Sweep{ConnectionID: id, Reason: reason, ConnectedAt: time.Now().Add(-age)}
}

func (w *world) handle(event string) (any, error) {
	w.t.Helper()
	return w.h.handle(w.t.Context(), jsontext.Value(event))
}

// fakeTable has the connected users and the due connections.
type fakeTable struct {
	mu                          sync.Mutex
	calls                       []string // in the order in which they were made
	due                         map[string]connections.Sweep
	users                       map[string][]string // connections by user
	connectedAt                 map[string]time.Time
	revocation                  connections.Revocation
	revocations                 []connections.Revocation
	signOut                     connections.SignOut
	finished                    bool
	left                        []string // unfinished
	finishErr                   error
	dueErr, removeErr, expelErr error
	revokeErr, sweptErr         error
	gone, expelled, removed     []string
}

func (f *fakeTable) called(format string, args ...any) {
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
}

func (f *fakeTable) Due(context.Context, time.Time) iter.Seq2[[]connections.Sweep, error] {
	return func(yield func([]connections.Sweep, error) bool) {
		f.mu.Lock()
		due := slices.Collect(maps.Values(f.due))
		f.mu.Unlock()
		for page := range slices.Chunk(due, 2) {
			if !yield(page, nil) {
				return
			}
		}
		if f.dueErr != nil {
			yield(nil, f.dueErr)
		}
	}
}

func (f *fakeTable) Finish(_ context.Context, left []connections.Sweep, _ time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.finished, f.left = true, nil
	for _, sweep := range left {
		f.left = append(f.left, sweep.ConnectionID)
	}
	return f.finishErr
}

func (f *fakeTable) SignOut(_ context.Context, o connections.SignOut, _ time.Time) ([]string, error) {
	f.called("sign out %s", o.Subject)
	f.signOut = o
	return f.users[o.Subject], f.revokeErr
}

func (f *fakeTable) RemoveSweep(_ context.Context, sweep connections.Sweep) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sweptErr == nil {
		f.called("swept %s", sweep.ConnectionID)
		delete(f.due, sweep.ConnectionID)
		f.removed = append(f.removed, sweep.ConnectionID)
	}
	return f.sweptErr
}

func (f *fakeTable) Remove(_ context.Context, id string, _ time.Time) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.called("remove %s", id)
	f.gone = append(f.gone, id)
	return true, f.removeErr
}

func (f *fakeTable) Revoke(_ context.Context, r connections.Revocation, _ time.Time) ([]string, error) {
	f.called("revoke %s", r.Subject)
	f.revocation = r
	f.revocations = append(f.revocations, r)
	return f.users[r.Subject], f.revokeErr
}

func (f *fakeTable) Expel(
	_ context.Context, id string, reason connections.Reason, _ time.Time,
) (connections.Sweep, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	connectedAt, known := f.connectedAt[id]
	if f.expelErr != nil || !known {
		return connections.Sweep{}, false, f.expelErr
	}
	f.called("expel %s", id)
	f.expelled = append(f.expelled, id)
	sweep := connections.Sweep{ConnectionID: id, Reason: reason, ConnectedAt: connectedAt}
	f.due[id] = sweep
	return sweep, true, nil
}

// fakeGateway is an @connections endpoint.
type fakeGateway struct {
	mu       sync.Mutex
	open     map[string]bool
	opens    map[string]time.Time // when the handshakes under way are answered
	posted   map[string][]string
	closed   []string
	postErr  error
	closeErr error
	before   func(id string) // if set, called before each Close
}

func (f *fakeGateway) isOpen(id string) bool {
	if at, ok := f.opens[id]; ok {
		return !time.Now().Before(at)
	}
	return f.open[id]
}

func (f *fakeGateway) Post(_ context.Context, id string, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.postErr != nil:
		return f.postErr
	case !f.isOpen(id):
		return fmt.Errorf("post: %w", callback.ErrGone)
	}
	f.posted[id] = append(f.posted[id], string(data))
	return nil
}

func (f *fakeGateway) Close(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.before != nil {
		f.before(id)
	}
	switch {
	case f.closeErr != nil:
		return f.closeErr
	case !f.isOpen(id):
		return fmt.Errorf("close: %w", callback.ErrGone)
	}
	delete(f.open, id)
	delete(f.opens, id)
	f.closed = append(f.closed, id)
	return nil
}
