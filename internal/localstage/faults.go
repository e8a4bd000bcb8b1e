package localstage

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"signedsocket/internal/localstage/gateway"
)

// Faults are the troubles that the stage makes on demand. The zero value makes
// none. A share is between 0 and 1.
type Faults struct {
	Hold101              time.Duration // every accepted handshake is answered so much later; posts meanwhile get 410
	LoseDisconnects      float64       // share of connections whose $disconnect never happens
	GonePosts            float64       // share of posts answered 410
	LimitPosts           float64       // share of posts answered 429
	HoldReaders          float64       // share of connections that stop reading after their 101
	DropTCP              float64       // share of client messages upon which the TCP connection is cut
	TransactionConflicts float64       // share of DynamoDB's transactions that are cancelled because of another one
	Seed                 uint64        // of the dice
}

// ParseFaults reads faults by their command-line names, for example hold-101=500ms.
func ParseFaults(values map[string]string, seed uint64) (Faults, error) {
	f := Faults{Seed: seed}
	share := func(target *float64) func(string) error {
		return func(value string) (err error) {
			*target, err = strconv.ParseFloat(value, 64)
			if err != nil || !(*target >= 0 && *target <= 1) {
				return fmt.Errorf("%q is no share from 0 to 1", value)
			}
			return nil
		}
	}
	pause := func(target *time.Duration) func(string) error {
		return func(value string) (err error) {
			*target, err = time.ParseDuration(value)
			if err != nil || *target < 0 {
				return fmt.Errorf("%q is no time such as 500ms", value)
			}
			return nil
		}
	}
	parsers := map[string]func(string) error{
		"transaction-conflicts": share(&f.TransactionConflicts),
		"hold-101":              pause(&f.Hold101),
		"lose-disconnects":      share(&f.LoseDisconnects),
		"gone-posts":            share(&f.GonePosts),
		"limit-posts":           share(&f.LimitPosts),
		"hold-readers":          share(&f.HoldReaders),
		"drop-tcp":              share(&f.DropTCP),
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		parse, ok := parsers[name]
		if !ok {
			known := strings.Join(slices.Sorted(maps.Keys(parsers)), ", ")
			return Faults{}, fmt.Errorf("unknown fault %q: the known ones are %s", name, known)
		}
		if err := parse(values[name]); err != nil {
			return Faults{}, fmt.Errorf("fault %s: %w", name, err)
		}
	}
	return f, nil
}

func (f Faults) gateway() gateway.Faults {
	return gateway.Faults{
		Hold101: f.Hold101, LoseDisconnects: f.LoseDisconnects, GonePosts: f.GonePosts, LimitPosts: f.LimitPosts,
		HoldReaders: f.HoldReaders, DropTCP: f.DropTCP, Seed: f.Seed,
	}
}
