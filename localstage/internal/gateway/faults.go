package gateway

import (
	"context"
	"fmt"
	"time"

	"signedsocket/localstage/internal/clock"
	"signedsocket/localstage/internal/dice"
)

// shuffleSpan is the longest pause of a message under Shuffled.
const shuffleSpan = 20 * time.Millisecond

// Faults are the faults that a stage injects. The zero value injects none. A share is between 0 (never) and 1 (always).
type Faults struct {
	Hold101         time.Duration // pause between the return of $connect and the 101
	LoseDisconnects float64       // share of $disconnect events that the stage never sends; AWS guarantees none
	GonePosts       float64       // share of posts answered 410 although the connection is open
	LimitPosts      float64       // share of posts answered 429
	LosePosts       float64       // share of posts answered 200 that never arrive
	HoldReaders     float64       // share of connections that get nothing after their 101
	DropTCP         float64       // share of client messages that cut their TCP connection
	Seed            uint64        // of the dice; the same seed gives the same faults
}

func (f Faults) check() error {
	for name, share := range map[string]float64{
		"LoseDisconnects": f.LoseDisconnects, "GonePosts": f.GonePosts, "LimitPosts": f.LimitPosts,
		"LosePosts":   f.LosePosts,
		"HoldReaders": f.HoldReaders, "DropTCP": f.DropTCP,
	} {
		if !(share >= 0 && share <= 1) {
			return fmt.Errorf("fault %s is %v; give a share between 0 and 1", name, share)
		}
	}
	return nil
}

// injector injects Faults.
type injector struct {
	Faults
	dice *dice.Dice
}

func newInjector(f Faults) *injector {
	return &injector{Faults: f, dice: dice.New(f.Seed, dice.Gateway)}
}

// occurs reports whether a fault of this share occurs now.
func (i *injector) occurs(share float64) bool { return i.dice.Occurs(share) }

// hold delays a 101 by Hold101.
func (i *injector) hold(ctx context.Context) { clock.Pause(ctx, i.Hold101) }

// shuffle waits for a random time, at most shuffleSpan.
func (i *injector) shuffle(ctx context.Context) { clock.Pause(ctx, i.dice.UpTo(shuffleSpan)) }
