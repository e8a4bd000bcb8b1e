package dynamodb

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The differential test draws operations at random, sends each to two engines, and compares what they answer and what
// they then hold. It draws only what the other engine is known to do right; see motoDifferences for the rest.

const (
	randomSeed       = 20261122
	randomOperations = 250
)

// compareRandomly runs the same operations on both engines.
func compareRandomly(t *testing.T, oracle, engine *awsdynamodb.Client) {
	draw := randomOperation{rand.New(rand.NewPCG(randomSeed, 1))}
	for _, client := range []*awsdynamodb.Client{oracle, engine} {
		makeTable(t, client, "random", "S")
	}
	for i := range randomOperations {
		what, run := draw.operation()
		want := run(&fixture{ctx: t.Context(), target: target{client: oracle}, table: "random"})
		got := run(&fixture{ctx: t.Context(), target: target{client: engine}, table: "random"})
		if got != want {
			t.Fatalf("seed %d, operation %d, %s:\nengine: %s\noracle: %s", randomSeed, i, what, got, want)
		}
	}
}

// randomOperation draws operations on few items with few attributes, so that they meet.
type randomOperation struct{ *rand.Rand }

func (r randomOperation) of(choices ...string) string { return choices[r.IntN(len(choices))] }

// operation returns a description and what performs the operation and tells its outcome.
func (r randomOperation) operation() (what string, run func(*fixture) string) {
	pk, sk := r.of("p", "q"), r.of("a", "b", "c", "d")
	at := func(f *fixture) *fixture {
		f.pk, f.sk = pk, sk
		return f
	}
	condition, conditionValues := r.condition()
	switch r.IntN(8) {
	case 0, 1:
		item := m{"n": r.IntN(9), "s": r.of("x", "xy", "yx"), "m": m{"k": r.IntN(9)}, "ss": strs{"a", r.of("b", "c")}}
		delete(item, r.of("n", "s", "m", "ss"))
		return fmt.Sprint("put ", pk, sk, item, condition), func(f *fixture) string {
			output, err := at(f).put(item, condition, conditionValues, returning("ALL_OLD"))
			return outcome(err, func() string { return show(output.Attributes) }) + at(f).state()
		}
	case 2:
		return fmt.Sprint("delete ", pk, sk, condition), func(f *fixture) string {
			output, err := at(f).delete(condition, conditionValues, returning("ALL_OLD"))
			return outcome(err, func() string { return show(output.Attributes) }) + at(f).state()
		}
	case 3, 4, 5:
		return r.update(at)
	case 6:
		return r.query(pk)
	default:
		return r.transaction(pk)
	}
}

// condition returns a condition that often holds, and its values; sometimes none.
func (r randomOperation) condition() (condition, v option) {
	none := func(*parameters) {}
	switch r.IntN(4) {
	case 0:
		return condIs(r.of("n < :v", "n >= :v", "n <> :v", "NOT n = :v", "n BETWEEN :v AND :v OR attribute_not_exists(n)", "m.k > :v")), values(m{":v": r.IntN(9)})
	case 1:
		return condIs(r.of("begins_with(s, :v)", "contains(s, :v)", "contains(ss, :v)", "s IN (:v) AND attribute_exists(pk)", "s > :v")), values(m{":v": r.of("x", "y", "b")})
	case 2:
		return condIs(r.of("attribute_exists(pk)", "attribute_not_exists(pk)", "attribute_exists(m.k) OR attribute_exists(ss)")), none
	default:
		return none, none
	}
}

func (r randomOperation) update(at func(*fixture) *fixture) (string, func(*fixture) string) {
	expression := r.of("SET n = :n", "SET n = n + :n", "SET n = if_not_exists(n, :n) - :n", "ADD n :n", "SET m.k = :n", "SET s = s, n = :n", "SET n = m.k + :n",
		"SET m = :m REMOVE s", "ADD ss :ss", "DELETE ss :ss", "ADD ss :ss, n :n", "SET x = n, n = :n", "SET l = list_append(if_not_exists(l, :l), :l)", "SET n = :n REMOVE m.k")
	returned := r.of("ALL_NEW", "ALL_OLD", "NONE")
	all := m{":n": r.IntN(9), ":m": m{"k": r.IntN(9)}, ":ss": strs{r.of("a", "b"), "z"}, ":l": l{r.IntN(9)}}
	guarded := strings.HasPrefix(expression, "DELETE") // alone it would make an item in moto
	return fmt.Sprint("update ", expression, all), func(f *fixture) string {
		list := []option{values(mentioned(expression, all)), returning(returned)}
		if guarded {
			list = append(list, condIs("attribute_exists(pk)"))
		}
		output, err := at(f).update(expression, list...)
		return outcome(err, func() string { return show(output.Attributes) }) + at(f).state()
	}
}

func (r randomOperation) query(pk string) (string, func(*fixture) string) {
	condition := r.of("pk = :p", "pk = :p AND sk > :s", "pk = :p AND sk <= :s", "pk = :p AND sk BETWEEN :s AND :z", "pk = :p AND begins_with(sk, :s)")
	list := []option{values(mentioned(condition, m{":p": pk, ":s": r.of("a", "b", "c"), ":z": "d"}))}
	if r.IntN(2) == 0 {
		list = append(list, backwards())
	}
	return "query " + condition, func(f *fixture) string {
		output, err := f.query(condition, list...)
		return outcome(err, func() string { return fmt.Sprint(output.Count, output.ScannedCount, showAll(output.Items)) })
	}
}

// transaction writes two different items.
func (r randomOperation) transaction(pk string) (string, func(*fixture) string) {
	condition := r.of("attribute_exists(n)", "attribute_not_exists(pk)", "n > :n")
	v := m{":n": r.IntN(9), ":one": 1}
	if !strings.Contains(condition, ":n") {
		delete(v, ":n")
	}
	return "transaction on condition " + condition, func(f *fixture) string {
		key := func(sk string) map[string]types.AttributeValue { return m{"pk": pk, "sk": sk}.attributes() }
		update := types.TransactWriteItem{Update: &types.Update{TableName: &f.table, Key: key("a"), UpdateExpression: optional("ADD n :one"), ConditionExpression: &condition,
			ExpressionAttributeValues: v.attributes(), ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}}
		remove := types.TransactWriteItem{Delete: &types.Delete{TableName: &f.table, Key: key("b"), ConditionExpression: optional("attribute_exists(pk)")}}
		text := reasons(f.transact(update, remove))
		f.pk, f.sk = pk, "a"
		text += f.state()
		f.sk = "b"
		return text + f.state()
	}
}

func outcome(err error, answer func() string) string {
	if err != nil {
		return code(err)
	}
	return answer()
}

// state tells what the fixture's item holds.
func (f *fixture) state() string {
	output, err := f.get()
	return " → " + outcome(err, func() string { return show(output.Item) })
}
