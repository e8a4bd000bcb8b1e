package gateway

import (
	"maps"
	"slices"
	"sync"
)

// registry holds the open connections of a stage and counts the work in progress, for which the end of the stage waits.
type registry struct {
	work sync.WaitGroup // requests, connections, invocations, flushes

	mu     sync.RWMutex
	closed bool
	open   map[string]*connection
}

func newRegistry() *registry {
	return &registry{open: map[string]*connection{}}
}

// begin adds one to work, or returns false when the stage is closed.
func (r *registry) begin() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		return false
	}
	r.work.Add(1)
	return true
}

// add makes c open, or returns false when the stage is closed.
func (r *registry) add(c *connection) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.open[c.id] = c
	return true
}

// get returns the open connection with that id, or nil.
func (r *registry) get(id string) *connection {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.open[id]
}

func (r *registry) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, id)
}

func (r *registry) all() []*connection {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Collect(maps.Values(r.open))
}

// close refuses new requests and connections from now on and returns the open connections.
func (r *registry) close() []*connection {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	return r.all()
}
