package localstage

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"signedsocket/localstage/internal/dice"
	"signedsocket/localstage/internal/dynamodb"
	"signedsocket/localstage/internal/gateway"
	"signedsocket/localstage/internal/lambda"
)

// killSpan is the longest time between an event and the kill of its function's process.
const killSpan = 20 * time.Millisecond

// Faults are the faults that the stage injects. The zero value injects none. A share is between 0 and 1.
type Faults struct {
	Hold101              time.Duration // pause before the answer to every accepted handshake; posts meanwhile get 410
	LoseDisconnects      float64       // share of connections without their $disconnect
	GonePosts            float64       // share of posts answered 410
	LimitPosts           float64       // share of posts answered 429
	LosePosts            float64       // share of posts answered 200 that never arrive
	HoldReaders          float64       // share of connections that stop reading after their 101
	DropTCP              float64       // share of client messages that cut their TCP connection
	DelayFunctions       time.Duration // pause between every event and its function
	KillFunctions        float64       // share of events whose function is killed within killSpan
	DynamoDBThrottle     float64       // share of DynamoDB's requests about items that are throttled
	TransactionConflicts float64       // share of DynamoDB's transactions, and updates beside one, that meet another
	UnprocessedItems     float64       // share of DynamoDB's batches of which half stays unprocessed
	LoseAnswers          float64       // share of DynamoDB's requests about items that are done, and not answered
	DelayDynamoDB        time.Duration // longest pause before a request about items is done, and again after it
	TornQueries          float64       // share of DynamoDB's Query pages during which others write
	LateDeletions        float64       // share of the expired items that each look of TimeToLive spares
	ExpireBlocks         ExpireBlocks  // deletes items as if they had expired
	IssuerAhead          time.Duration // lead of the stage's own issuer's clock over the authorizer's
	Seed                 uint64        // of the dice: the same seed gives the same faults
}

// ParseFaults parses faults by their command-line names, for example hold-101=500ms.
func ParseFaults(values map[string]string, seed uint64) (Faults, error) {
	f := Faults{Seed: seed}
	parsers := map[string]func(string) error{
		"hold-101":              parsePause(&f.Hold101),
		"lose-disconnects":      parseShare(&f.LoseDisconnects),
		"gone-posts":            parseShare(&f.GonePosts),
		"limit-posts":           parseShare(&f.LimitPosts),
		"lose-posts":            parseShare(&f.LosePosts),
		"hold-readers":          parseShare(&f.HoldReaders),
		"drop-tcp":              parseShare(&f.DropTCP),
		"delay-functions":       parsePause(&f.DelayFunctions),
		"kill-functions":        parseShare(&f.KillFunctions),
		"dynamodb-throttle":     parseShare(&f.DynamoDBThrottle),
		"transaction-conflicts": parseShare(&f.TransactionConflicts),
		"unprocessed-items":     parseShare(&f.UnprocessedItems),
		"lose-answers":          parseShare(&f.LoseAnswers),
		"delay-dynamodb":        parsePause(&f.DelayDynamoDB),
		"torn-queries":          parseShare(&f.TornQueries),
		"late-deletions":        parseShare(&f.LateDeletions),
		"expire-blocks":         parseExpiry(&f.ExpireBlocks),
		"issuer-ahead":          parsePause(&f.IssuerAhead),
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

func parseShare(target *float64) func(string) error {
	return func(value string) (err error) {
		*target, err = strconv.ParseFloat(value, 64)
		if err != nil || !(*target >= 0 && *target <= 1) {
			return fmt.Errorf("%q is no share from 0 to 1", value)
		}
		return nil
	}
}

func parsePause(target *time.Duration) func(string) error {
	return func(value string) (err error) {
		*target, err = time.ParseDuration(value)
		if err != nil || *target < 0 {
			return fmt.Errorf("%q is no time such as 500ms", value)
		}
		return nil
	}
}

// blockPrefix begins the partition keys that expire-blocks means by default.
const blockPrefix = "LOG#"

// parseExpiry parses a share, or a share, a comma and the beginning of the partition keys.
func parseExpiry(target *ExpireBlocks) func(string) error {
	return func(value string) error {
		share, prefix, named := strings.Cut(value, ",")
		if err := parseShare(&target.Share)(share); err != nil || named && prefix == "" {
			return fmt.Errorf("%q is no share from 0 to 1, or a share and the beginning of partition keys, such as "+
				"0.05,%s", value, blockPrefix)
		}
		target.Prefix = cmp.Or(prefix, blockPrefix)
		return nil
	}
}

// check refuses faults that would have no effect on the DynamoDB of a stage.
func (f Faults) check(ttl TimeToLive, endpoint string) error {
	switch {
	case endpoint != "" && (f.TornQueries > 0 || f.ExpireBlocks.Share > 0 || f.LateDeletions > 0):
		return errors.New("only the built-in DynamoDB has the faults torn-queries, expire-blocks and " +
			"late-deletions: leave out these faults, or --dynamodb-endpoint")
	case f.LateDeletions > 0 && !ttl.Delete:
		return errors.New("the fault late-deletions makes deletions late that --delete-expired does: add this option")
	}
	return nil
}

func (f Faults) gateway() gateway.Faults {
	return gateway.Faults{
		Hold101: f.Hold101, LoseDisconnects: f.LoseDisconnects, GonePosts: f.GonePosts, LimitPosts: f.LimitPosts,
		LosePosts: f.LosePosts, HoldReaders: f.HoldReaders, DropTCP: f.DropTCP, Seed: f.Seed,
	}
}

func (f Faults) dynamoDB() dynamodb.Faults {
	return dynamodb.Faults{
		Throttle: f.DynamoDBThrottle, Conflicts: f.TransactionConflicts, Unprocessed: f.UnprocessedItems,
		LoseAnswers: f.LoseAnswers, Delay: f.DelayDynamoDB,
		TornQueries: f.TornQueries, LateDeletions: f.LateDeletions, Expiry: f.ExpireBlocks, Seed: f.Seed,
	}
}

// dynamoDBOperation returns the operation of a request to DynamoDB.
func dynamoDBOperation(r *http.Request) string {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return operation
}

// connectionsOperation returns the method of a request to @connections, and "" for a handshake.
func connectionsOperation(r *http.Request) string {
	if strings.Contains(r.URL.Path, "/@connections/") {
		return r.Method
	}
	return ""
}

// functions returns the source of invocations' faults: the faults of special, which may be nil, or else those of f.
func (f Faults) functions(special func(function string) lambda.Fault) func(function string) lambda.Fault {
	kills := dice.New(f.Seed, dice.Invocations)
	return func(function string) lambda.Fault {
		if special != nil {
			if fault := special(function); fault != (lambda.Fault{}) {
				return fault
			}
		}
		fault := lambda.Fault{Delay: f.DelayFunctions}
		if f.KillFunctions > 0 {
			fault.Kill, fault.KillAfter = kills.Occurs(f.KillFunctions), kills.UpTo(killSpan)
		}
		return fault
	}
}
