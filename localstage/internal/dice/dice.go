// Package dice decides about the faults that a stage injects.
package dice

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Kind says what dice decide about. Each kind has a sequence of its own: asking for one fault does not change the
// others of the same seed.
type Kind uint64

// The kinds.
const (
	Gateway Kind = iota
	Requests
	Invocations
	Answers
	TornQueries
	Conflicts
	Deletions
	Expiry
)

// Dice decide. The same seed decides the same, if it is asked in the same order. Dice are safe for concurrent use.
type Dice struct {
	mu     sync.Mutex
	source *rand.Rand
}

// New returns dice of a kind.
func New(seed uint64, kind Kind) *Dice {
	return &Dice{source: rand.New(rand.NewPCG(seed, uint64(kind)))} //nolint:gosec // the seed repeats the faults
}

// Occurs reports whether a fault of that share, 0 to 1, occurs now. It takes no lock for a fault that never occurs.
func (d *Dice) Occurs(share float64) bool {
	if share <= 0 {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.source.Float64() < share
}

// Below returns a number from 0 to n-1.
func (d *Dice) Below(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.source.IntN(n)
}

// UpTo returns a random time, at most the longest one.
func (d *Dice) UpTo(longest time.Duration) time.Duration {
	if longest <= 0 {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Duration(d.source.Int64N(int64(longest) + 1))
}

// Shuffle brings keys into a random order.
func (d *Dice) Shuffle(keys [][]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.source.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
}
