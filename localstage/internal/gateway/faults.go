package gateway

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// shuffleSpan is the longest pause of a message under Shuffled.
const shuffleSpan = 20 * time.Millisecond

// Faults are the faults that a stage injects. The zero value injects none. A share is between 0 (never) and 1 (always).
type Faults struct {
	Hold101         time.Duration // pause between the return of $connect and the 101
	LoseDisconnects float64       // share of $disconnect events that the stage never sends; AWS guarantees none
	GonePosts       float64       // share of posts answered 410 although the connection is open
	LimitPosts      float64       // share of posts answered 429
	HoldReaders     float64       // share of connections that get nothing after their 101
	DropTCP         float64       // share of client messages that cut their TCP connection
	Seed            uint64        // of the dice; the same seed gives the same faults
}

func (f Faults) check() error {
	for name, share := range map[string]float64{
		"LoseDisconnects": f.LoseDisconnects, "GonePosts": f.GonePosts, "LimitPosts": f.LimitPosts,
		"HoldReaders": f.HoldReaders, "DropTCP": f.DropTCP,
	} {
		if !(share >= 0 && share <= 1) {
			return fmt.Errorf("fault %s is %v; give a share between 0 and 1", name, share)
		}
	}
	return nil
}

// chaos rolls the dice for Faults.
type chaos struct {
	Faults
	mu   sync.Mutex
	dice *rand.Rand
}

func newChaos(f Faults) *chaos {
	return &chaos{Faults: f, dice: rand.New(rand.NewPCG(f.Seed, 0))} //nolint:gosec // the seed repeats the faults
}

// occurs reports whether a fault of this share occurs now.
func (c *chaos) occurs(share float64) bool {
	if share == 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dice.Float64() < share
}

// hold delays a 101 by Hold101.
func (c *chaos) hold(ctx context.Context) { pause(ctx, c.Hold101) }

// shuffle waits for a random time below shuffleSpan.
func (c *chaos) shuffle(ctx context.Context) {
	c.mu.Lock()
	d := time.Duration(c.dice.Int64N(int64(shuffleSpan)))
	c.mu.Unlock()
	pause(ctx, d)
}

// pause returns after d or when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
