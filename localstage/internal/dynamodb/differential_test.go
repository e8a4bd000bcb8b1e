package dynamodb

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// The differential test draws operations at random and sends each to the engine and to an oracle. It compares the
// answers and the items afterwards. Seed and number of operations are fixed, unless SIGNEDSOCKET_SEED and
// SIGNEDSOCKET_OPERATIONS set others.
const usualSeed = 2

// disagreement is an operation with two outcomes.
type disagreement struct {
	operation      string // in words
	before         string // the items before it
	engine, oracle string
}

// stateOf returns the part of an outcome that shows the items, without the answer.
func (d disagreement) stateOf(outcome string) string {
	_, state, _ := strings.Cut(outcome, " → ")
	return state
}

// matching returns a function that looks for a pattern in operations.
func matching(pattern string) func(disagreement) bool {
	expression := regexp.MustCompile(pattern)
	return func(d disagreement) bool { return expression.MatchString(d.operation) }
}

// removesOnly reports whether the operation is an update with REMOVE and DELETE only.
func removesOnly(d disagreement) bool {
	return matching(`^update (?:REMOVE|DELETE)`)(d) && !matching(`^[^\[]*(?:SET|ADD) `)(d)
}

// difference is a kind of disagreement in which the oracle is known to be wrong.
type difference struct {
	reason string
	is     func(disagreement) bool
}

func compareRandomly(t *testing.T, o oracle, client, engine *awsdynamodb.Client) {
	seed, operations := fromEnvironment(t, "SIGNEDSOCKET_SEED",
		usualSeed), fromEnvironment(t, "SIGNEDSOCKET_OPERATIONS", o.operations)
	for _, c := range []*awsdynamodb.Client{client, engine} {
		makeTable(t, c, "random", "S")
	}
	draw := &drawing{Rand: rand.New(rand.NewPCG(uint64(seed), 1))}
	draw.vocabulary = o.vocabulary(draw)
	known := map[string]int{}
	for i := range operations {
		op := draw.operation(!o.noTransactions)
		got, want := perform(t, op, engine), perform(t, op, client)
		if got.engine == want.engine && got.before == want.before {
			continue
		}
		got.oracle = want.engine
		reason := o.explain(got)
		if reason == "" {
			t.Errorf("seed %d, operation %d: %s\nbefore: %s\nengine: %s\n%s: %s", seed, i, got.operation, got.before,
				got.engine, o.name, got.oracle)
		}
		known[reason]++
		for _, c := range []*awsdynamodb.Client{client, engine} {
			op.forget(t, c)
		}
	}
	o.report(t, known, seed == usualSeed && operations == o.operations)
}

// explain returns why the oracle is wrong, or "" when no known difference explains the disagreement.
func (o oracle) explain(d disagreement) string {
	for _, known := range o.random {
		if known.is(d) {
			return known.reason
		}
	}
	return ""
}

// report logs how often the oracle was wrong in a known way. Under the usual seed each reason must occur: one that does
// not is a leftover.
func (o oracle) report(t *testing.T, known map[string]int, usual bool) {
	for _, reason := range slices.Sorted(maps.Keys(known)) {
		t.Logf("%d times: %s", known[reason], reason)
	}
	for _, d := range o.random {
		if usual && known[d.reason] == 0 {
			t.Errorf("never: %s", d.reason)
		}
	}
}

// perform runs an operation on one engine. The outcome shows the items that it may have changed, too.
func perform(t *testing.T, op operation, client *awsdynamodb.Client) disagreement {
	f := &fixture{ctx: t.Context(), target: target{client: client}, table: "random"}
	before := f.states(op.keys)
	return disagreement{operation: op.what, before: before, engine: op.run(f) + f.states(op.keys)}
}

// forget deletes the items that an operation may have changed, so that two engines that disagreed agree again.
func (op operation) forget(t *testing.T, client *awsdynamodb.Client) {
	t.Helper()
	f := &fixture{ctx: t.Context(), target: target{client: client}, table: "random"}
	for _, key := range op.keys {
		f.pk, f.sk = key[0], key[1]
		if _, err := f.delete(); err != nil {
			t.Fatalf("after %s: %v", op.what, err)
		}
	}
}

// states shows the items.
func (f *fixture) states(keys [][2]string) string {
	var states strings.Builder
	for _, key := range keys {
		f.pk, f.sk = key[0], key[1]
		output, err := f.get()
		states.WriteString(" → " + outcome(err, func() string { return show(output.Item) }))
	}
	return states.String()
}

func outcome(err error, answer func() string) string {
	if err != nil {
		return code(err)
	}
	return answer()
}

func fromEnvironment(t *testing.T, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", name, err))
	}
	return n
}
