package localstage

import (
	"strings"
	"testing"
	"time"

	"signedsocket/localstage/internal/lambda"
)

func TestFaultsAreReadByName(t *testing.T) {
	t.Parallel()
	got, err := ParseFaults(map[string]string{
		"hold-101": "500ms", "lose-disconnects": "0.1", "gone-posts": "0.2", "limit-posts": "0.3",
		"hold-readers": "0.4", "drop-tcp": "0.5",
		"delay-functions": "2s", "kill-functions": "0.6", "dynamodb-throttle": "0.7",
		"transaction-conflicts": "1", "unprocessed-items": "0.8",
		"lose-posts": "0.15", "lose-answers": "0.05", "delay-dynamodb": "20ms", "torn-queries": "0.25",
		"late-deletions": "0.35", "expire-blocks": "0.45",
		"issuer-ahead": "3s",
	}, 7)
	want := Faults{
		Hold101: 500 * time.Millisecond, LoseDisconnects: 0.1, GonePosts: 0.2, LimitPosts: 0.3, HoldReaders: 0.4,
		DropTCP:        0.5,
		DelayFunctions: 2 * time.Second, KillFunctions: 0.6, DynamoDBThrottle: 0.7,
		TransactionConflicts: 1, UnprocessedItems: 0.8,
		LosePosts: 0.15, LoseAnswers: 0.05, DelayDynamoDB: 20 * time.Millisecond, TornQueries: 0.25,
		LateDeletions: 0.35, ExpireBlocks: ExpireBlocks{Share: 0.45, Prefix: "LOG#"},
		IssuerAhead: 3 * time.Second, Seed: 7,
	}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range [][2]string{
		{"hold-101", "soon"}, {"hold-101", "-5s"}, {"gone-posts", "some"}, {"gone-posts", "2"}, {"drop-tcp", "-0.1"},
		{"transaction-conflicts", "NaN"}, {"gremlins", "1"}, {"lose-posts", "2"}, {"lose-answers", "-1"},
		{"delay-dynamodb", "20"}, {"torn-queries", "often"}, {"late-deletions", "1.5"}, {"expire-blocks", "5"},
		{"expire-blocks", "0.1,"}, {"expire-blocks", "LOG#"},
	} {
		if _, err := ParseFaults(map[string]string{bad[0]: bad[1]}, 0); err == nil ||
			!strings.Contains(err.Error(), bad[0]) {
			t.Errorf("%s=%s: %v", bad[0], bad[1], err)
		}
	}
}

func TestBlocksOfOtherPartitionsExpire(t *testing.T) {
	t.Parallel()
	got, err := ParseFaults(map[string]string{"expire-blocks": "0.5,ROOM#a,b"}, 0)
	if want := (ExpireBlocks{Share: 0.5, Prefix: "ROOM#a,b"}); err != nil || got.ExpireBlocks != want {
		t.Errorf("got %+v, %v, want %+v", got.ExpireBlocks, err, want)
	}
}

func TestFaultsWithoutAnEffectAreRefused(t *testing.T) {
	t.Parallel()
	const another = "http://127.0.0.1:8000"
	deleting := TimeToLive{Delete: true}
	for _, test := range []struct {
		name   string
		config Config
		want   string // part of the message; empty: accepted
	}{
		{"torn queries of another engine",
			Config{DynamoDBEndpoint: another, Faults: Faults{TornQueries: 0.1}}, "--dynamodb-endpoint"},
		{"blocks of another engine",
			Config{DynamoDBEndpoint: another, Faults: Faults{ExpireBlocks: ExpireBlocks{Share: 0.1}}},
			"--dynamodb-endpoint"},
		{"late deletions of another engine",
			Config{DynamoDBEndpoint: another, TimeToLive: deleting, Faults: Faults{LateDeletions: 0.1}},
			"--dynamodb-endpoint"},
		{"lost answers of another engine",
			Config{DynamoDBEndpoint: another, Faults: Faults{LoseAnswers: 0.1, DelayDynamoDB: 1}}, ""},
		{"late deletions where nothing is deleted", Config{Faults: Faults{LateDeletions: 0.1}}, "--delete-expired"},
		{"late deletions", Config{TimeToLive: deleting, Faults: Faults{LateDeletions: 0.1}}, ""},
	} {
		err := test.config.Validate()
		if accepted := err == nil; accepted != (test.want == "") ||
			!accepted && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

func TestFunctionsAreDelayedAndKilledOnDemand(t *testing.T) {
	t.Parallel()
	if fault := (Faults{}).functions(nil)("f"); fault != (lambda.Fault{}) {
		t.Errorf("without faults: %+v", fault)
	}
	sequence := func() (kills int, first lambda.Fault) {
		ask := Faults{DelayFunctions: time.Second, KillFunctions: 0.5, Seed: 7}.functions(nil)
		for i := range 100 {
			fault := ask("f")
			if i == 0 {
				first = fault
			}
			if fault.Kill {
				kills++
			}
			if fault.Delay != time.Second || fault.KillAfter >= killSpan {
				t.Errorf("%+v, want a delay of 1 s and a kill within %v", fault, killSpan)
			}
		}
		return kills, first
	}
	kills, first := sequence()
	if again, same := sequence(); again != kills || first != same || kills < 25 || kills > 75 {
		t.Errorf("%d and %d kills of 100, first %+v and %+v: want the same both times, about half",
			kills, again, first, same)
	}
	ask := Faults{KillFunctions: 1}.functions(func(function string) lambda.Fault {
		if function == "special" {
			return lambda.Fault{Delay: time.Minute}
		}
		return lambda.Fault{}
	})
	if special, other := ask("special"), ask("other"); special != (lambda.Fault{Delay: time.Minute}) || !other.Kill {
		t.Errorf("special: %+v, other: %+v", special, other)
	}
}
