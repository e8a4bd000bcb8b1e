package dynamodb

import (
	"regexp"
	"strings"
)

// motoDifferences are the cases that moto 5.2.5 gets wrong, each with the reason to believe the engine instead. A case
// that moto gets right must not be here: the suite fails when a newer moto passes it.
func motoDifferences() map[string]string {
	return byCase(map[string][]string{
		"moto keeps a number as it was sent, and compares it as float or text; the guide has 38 digits, no spelling": {
			"types/numbers are canonical", "types/numbers out of range are refused",
			"types/a text that is no number is refused",
			"types/equal numbers of a set are duplicates", "updates/ADD unites sets", "updates/a sum may lose zeros",
		},
		"moto accepts sets that the developer guide forbids": {
			"types/empty sets and duplicates are refused",
		},
		"moto measures an item by other rules than the developer guide": {
			"types/an item has at most 400 KB", "types/an update cannot outgrow 400 KB",
			"consumed capacity/of single items",
		},
		"moto's index arithmetic and order of list updates is not that of the developer guide": {
			"updates/SET and REMOVE of one list", "updates/REMOVE and append in one list",
			"updates/SETs behind the end append in order",
		},
		"moto copies a map by reference": {"updates/a copy is a copy"},
		"moto makes an item of an update that only takes away; the service does not": {
			"updates/REMOVE alone makes no item", "updates/REMOVE of a path alone makes no item",
			"updates/DELETE alone makes no item",
			"return values/ALL_NEW of an update that makes nothing",
		},
		"moto answers 500 to requests that the service takes": {
			"updates/no expression keeps the item", "updates/no expression makes the item",
			"updates/SET with parentheses", "updates/keywords in any case and space",
			"conditions/NOT NOT n = :5", "conditions/:5 BETWEEN size(ss) AND size(b)", "projections/a.b",
			"conditions/l < :5", "conditions/n < :s5", "conditions/n > :s5", "conditions/n BETWEEN :sa AND :sb",
			"conditions/size(n) = :1", "conditions/size(nowhere) = :1",
		},
		"moto takes two absent attributes for equal; the service takes them for unequal": {
			"conditions/nowhere = absent", "conditions/nowhere <> absent",
		},
		"moto looks at the base64 text of a binary": {"conditions/begins_with(b, :bh)", "conditions/contains(b, :bh)"},
		"moto projects only one index of a list, and whole lists and maps into return values": {
			"projections/l[2], l[0]", "projections/m.l[1], m.l[0]",
			"return values/UPDATED_NEW, update in a list",
			"return values/UPDATED_OLD, update in a list",
			"return values/UPDATED_OLD, update nested",
		},
		"moto does not check the expression against the request": {
			"refused conditions/:list > n", "refused conditions/n < :list",
			"refused conditions/n BETWEEN :list AND :list", "refused conditions/n BETWEEN :5 AND :dog",
			"refused conditions/n BETWEEN :9 AND :5", "refused conditions/begins_with(s, :5)",
			"refused conditions/attribute_type(n, :5)", "refused conditions/attribute_type(n, :dog)",
			"refused conditions/contains(s, s)", "refused conditions/_n = :5", "refused conditions/n[99999999999] = :5",
			"refused conditions/too many operands",
			"refused conditions/Expression size has exceeded",
			"refused conditions/names and values without an expression",
			"refused projections/#x", "refused projections/:a", "refused projections/a.", "refused projections/a[b]",
			"refused projections/m, m.n", "refused projections/m.l[0].x, m.l[0]",
			"refused projections/m.n, m", "refused projections/m.n, m[0]", "refused updates/SET l.x = :1",
			"refused updates/SET n = n + n + n", "refused updates/SET s.x = :1",
			"refused updates/that nest too deep",
			"refused queries/((pk = :p)) AND sk = :a", "refused queries/a key in the filter",
			"refused queries/a limit of zero", "refused queries/a start key elsewhere",
			"refused queries/an undefined name, though nothing matches", "refused queries/pk = :1",
			"refused queries/pk = :p AND", "refused queries/pk = :p AND begins_with(sk, :1)",
			"refused queries/pk = :p AND pk = :p", "refused queries/pk = :p AND sk != :a",
			"refused queries/pk = :p AND sk = :1", "refused queries/pk = :p AND sk > :a AND sk < :b",
			"refused queries/pk = :p AND sk BETWEEN :b AND :a", "keys/a Key parameter is the key and nothing else",
		},
		"moto's key conditions want the attribute on the left; the service does not": {
			"queries/:p = pk, backwards false", "queries/:p = pk, backwards true",
			"queries/pk = :p AND :c > sk, backwards false", "queries/pk = :p AND :c > sk, backwards true",
			"queries/pk = :p AND :g <= sk, backwards false", "queries/pk = :p AND :g <= sk, backwards true",
		},
		"moto gives no LastEvaluatedKey when the limit falls on the last item": {
			"paging/the limit ends a page even at the end",
		},
		"moto ignores ClientRequestToken": {
			"transactions/a token makes the repetition do nothing", "transactions/a token is for one request",
		},
		"moto does not tell errors of a transaction from errors of its items, and lacks its limits": {
			"transactions/a bad expression is refused at once",
			"transactions/a mistyped key cancels, and is the only reason",
			"transactions/a mistyped key of a read cancels, and is the only reason",
			"transactions/an empty key is refused at once",
			"transactions/an update that does not fit its item cancels", "transactions/of 1 to 100 items",
			"transactions/of at most 4 MB",
			"transactions/reads", "transactions/reads of one item only once",
		},
		"moto does not check a batch of writes against the API reference": {
			"refused batches/too many items", "refused batches/one item twice",
			"refused batches/a wrong key refuses all",
			"refused batches/both put and delete", "batches/cost as much as their items",
		},
		"moto takes settings that change nothing and remembers the attribute": {"tables/time to live"},
	})
}

// motoRandomDifferences are the wrong answers of moto to random operations.
func motoRandomDifferences() []difference {
	reads, updates := matching(`^transaction reads`), matching(`^update `)
	startKey := matching(`after \{`)
	returnsUpdated := matching(`UPDATED_(?:OLD|NEW)$`)
	filtersKeys, bareItem := matching(`^query .* filter .*\bpk\b`), regexp.MustCompile(`{sk:"."}`)
	lastKey := regexp.MustCompile(` then .*`)
	return []difference{
		{"moto makes an item of an update that only takes away", func(d disagreement) bool {
			return d.before == " → none" && removesOnly(d) || d.engine == bareItem.ReplaceAllString(d.oracle, "none")
		}},
		{"moto does not project in transactions", reads},
		{"moto does not compare the start key with the key condition", func(d disagreement) bool {
			return d.engine == "ValidationException" && startKey(d)
		}},
		{"moto gives no LastEvaluatedKey when the limit falls on the last item", func(d disagreement) bool {
			return strings.HasSuffix(d.oracle, " then none") &&
				lastKey.ReplaceAllString(d.engine, "") == lastKey.ReplaceAllString(d.oracle, "")
		}},
		{"moto lets a filter look at keys", func(d disagreement) bool {
			return d.engine == "ValidationException" && filtersKeys(d)
		}},
		{"moto returns other updated attributes", func(d disagreement) bool {
			return updates(d) && returnsUpdated(d) && d.stateOf(d.engine) == d.stateOf(d.oracle)
		}},
		{"moto does not tell errors of a transaction from errors of its items", func(d disagreement) bool {
			return strings.Contains(d.engine, "ValidationError") &&
				strings.HasPrefix(d.oracle, "ValidationException") && d.stateOf(d.engine) == d.stateOf(d.oracle)
		}},
	}
}
