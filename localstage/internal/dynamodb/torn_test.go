package dynamodb

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// torn returns an engine whose every Query is torn, and calls write within each, once.
func torn(t *testing.T, seed uint64, write func(f *fixture)) *fixture {
	t.Helper()
	engine := openEngine(t, Options{Faults: Faults{TornQueries: 1, Seed: seed}})
	client := newClient(serve(t, engine))
	makeTable(t, client, "byS", "S")
	f := &fixture{ctx: t.Context(), target: target{client: client}, table: "byS", pk: "room"}
	pauses := 0
	engine.torn.pause = func() {
		if pauses++; pauses%tornSteps == 1 {
			writer := *f // the test waits for its query, and does not use f
			write(&writer)
			f.failures = writer.failures
		}
	}
	return f
}

func putAt(sk string, n int) func(f *fixture) {
	return func(f *fixture) {
		f.sk = sk
		f.given(m{"n": n})
	}
}

func each(writes ...func(f *fixture)) func(f *fixture) {
	return func(f *fixture) {
		for _, write := range writes {
			write(f)
		}
	}
}

func TestATornQueryMissesWhatIsWrittenBehindItsPosition(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		before, while func(f *fixture)
		list          []option
		want          string // of the items, with their number
	}{
		{"an item behind the position, a newer one in front of it",
			putAt("a", 1), each(putAt("b", 2), putAt("c", 3)), nil, "a1 c3"},
		{"an old version", putAt("a", 1), each(putAt("a", 9), putAt("b", 2)), nil, "a1 b2"},
		{"the log was empty", each(), each(putAt("a", 1), putAt("b", 2)), nil, "b2"},
		{"the only item that changes is not missed", putAt("a", 1), putAt("b", 2), nil, "a1 b2"},
		{"an answer has each item that no request writes meanwhile", each(putAt("a", 1), putAt("b", 2)), each(), nil,
			"a1 b2"},
		{"a limit counts the items that are found", each(putAt("a", 1), putAt("b", 2)),
			each(putAt("c", 3), putAt("d", 4)), []option{limitTo(3)}, "a1 b2 d4 and more"},
		{"backwards, the reader is behind the newest first", putAt("a", 1), each(putAt("b", 2), putAt("c", 3)),
			[]option{backwards()}, "b2 a1"},
		{"backwards, a page is filled", each(putAt("a", 1), putAt("b", 2)), each(putAt("c", 3), putAt("d", 4)),
			[]option{backwards(), limitTo(2)}, "c3 b2 and more"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := torn(t, 7, test.while)
			test.before(f)
			output, err := f.query("pk = :p", append(test.list, values(m{":p": f.pk}))...)
			if err != nil {
				t.Fatal(err)
			}
			got := numbered(output.Items)
			if output.LastEvaluatedKey != nil {
				got += " and more"
			}
			if got != test.want || int(output.Count) != len(output.Items) {
				t.Errorf("found %s, counted %d; want %s", got, output.Count, test.want)
			}
			f.report(t)
		})
	}
}

// numbered writes items as their sort key and n.
func numbered(items []map[string]types.AttributeValue) string {
	var texts []string
	for _, item := range items {
		texts = append(texts, strings.Trim(showValue(item["sk"]), `"`)+showValue(item["n"]))
	}
	return strings.Join(texts, " ")
}

func TestTheSameSeedTearsPagesAlike(t *testing.T) {
	t.Parallel()
	sequence := func(seed uint64) string {
		round := 0
		f := torn(t, seed, func(f *fixture) {
			for i := range 5 {
				putAt(fmt.Sprintf("%02d-%d", round, i), i)(f)
			}
			round++
		})
		var found []string
		for range 10 {
			output, err := f.query("pk = :p AND sk > :s", values(m{":p": f.pk, ":s": fmt.Sprintf("%02d", round)}))
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, numbered(output.Items))
		}
		f.report(t)
		return strings.Join(found, "\n")
	}
	if first, again, other := sequence(7), sequence(7), sequence(8); first != again || first == other {
		t.Errorf("pages:\n%s\nagain\n%s\nwith another seed\n%s", first, again, other)
	}
}
