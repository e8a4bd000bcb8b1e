package dynamodb

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Each kind of fault has dice of its own: asking for one fault does not change the others of the same seed.
const (
	diceOfRequests    = 1
	diceOfAnswers     = 3
	diceOfTornQueries = 4
	diceOfConflicts   = 5
	diceOfDeletions   = 6
	diceOfExpiry      = 7
)

// dice decide about faults. The same seed decides the same, if it is asked in the same order.
type dice struct {
	mu     sync.Mutex
	source *rand.Rand
}

func newDice(seed, which uint64) *dice {
	return &dice{source: rand.New(rand.NewPCG(seed, which))} //nolint:gosec // the seed repeats the faults
}

// occurs reports whether a fault of that share occurs now. It takes no lock for a fault that never occurs.
func (d *dice) occurs(share float64) bool {
	if share <= 0 {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.source.Float64() < share
}

// below returns a number from 0 to n-1.
func (d *dice) below(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.source.IntN(n)
}

// upTo returns a random time, at most the longest one.
func (d *dice) upTo(longest time.Duration) time.Duration {
	if longest <= 0 {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Duration(d.source.Int64N(int64(longest) + 1))
}

// shuffle brings keys into a random order.
func (d *dice) shuffle(keys [][]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.source.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
}
