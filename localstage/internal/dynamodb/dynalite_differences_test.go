package dynamodb

import (
	"regexp"
	"strings"
)

// dynaliteDifferences are the cases that dynalite 4.0.0 gets wrong, each with the reason to believe the engine instead.
// A case that dynalite gets right must not be here.
func dynaliteDifferences() map[string]string {
	return byCase(map[string][]string{
		"dynalite has no transactions": {
			"transactions/a bad expression is refused at once", "transactions/a failed one leaves its token free",
			"transactions/a missing table",
			"transactions/a mistyped key cancels, and is the only reason",
			"transactions/a mistyped key of a read cancels, and is the only reason",
			"transactions/a token is for one request",
			"transactions/a token makes the repetition do nothing",
			"transactions/an empty key is refused at once", "transactions/an update that does not fit its item cancels",
			"transactions/exactly one action for each item",
			"transactions/four kinds, all applied", "transactions/of 1 to 100 items", "transactions/of at most 4 MB",
			"transactions/one item only once",
			"transactions/reads", "transactions/reads of one item only once",
			"transactions/reasons by index, nothing applied",
		},
		"dynalite has no time to live": {"tables/time to live"},
		"dynalite takes a write that is both for the put; the API reference wants one of them": {
			"refused batches/both put and delete",
		},
		"dynalite has no ReturnValuesOnConditionCheckFailure, and does not know which ReturnValues an operation has": {
			"return values/a failed condition shows the item", "return values/that an operation does not have",
		},
		"dynalite takes two absent attributes for equal; the service takes them for unequal": {
			"conditions/nowhere = absent", "conditions/nowhere <> absent",
		},
		"dynalite compares only the surface of lists and maps": {
			"conditions/l = :l", "conditions/m = :m", "conditions/contains(l, :l3)",
		},
		"dynalite knows an older grammar, which has no NOT NOT and other first letters": {
			"conditions/NOT NOT n = :5", "refused conditions/_n = :5", "refused updates/SET _x = :1",
		},
		"dynalite does not check operands and limits of an expression against the request": {
			"refused conditions/:list > n", "refused conditions/n < :list",
			"refused conditions/n BETWEEN :list AND :list", "refused conditions/n[99999999999] = :5",
			"refused conditions/too many operands", "refused conditions/Expression size has exceeded",
		},
		"dynalite takes an empty text for a key": {"refused queries/pk = :e"},
		"dynalite's numbers know neither a plus sign nor their limits": {
			"types/numbers are canonical", "refused updates/SET x = :big + :1", "refused updates/SET x = :big + :big",
			"refused updates/ADD big :big",
		},
		"dynalite works on a list while it changes": {
			"updates/REMOVE of indexes means the old positions", "updates/SET and REMOVE of one list",
		},
		"dynalite copies a map by reference": {"updates/a copy is a copy"},
		"dynalite makes an item of an update that only takes away; the service does not": {
			"updates/REMOVE alone makes no item", "updates/REMOVE of a path alone makes no item",
			"updates/DELETE alone makes no item",
			"return values/ALL_NEW of an update that makes nothing",
		},
		"dynalite answers an empty object where the service answers none": {"return values/UPDATED_OLD, update added"},
		"dynalite does not see how deep an update nests":                  {"refused updates/that nest too deep"},
	})
}

// dynaliteRandomDifferences are the wrong answers of dynalite to random operations.
func dynaliteRandomDifferences() []difference {
	const path, order = `[a-z]+(?:\.[a-z]+|\[\d+\])*`, ` (?:<|<=|>|>=) `
	const operand = `(?:` + path + `|size\(` + path + `\))`
	twoPaths := matching(operand + ` (?:=|<>|<|<=|>|>=) ` + operand)
	ordersLiteral := matching(`:v\d+` + order + `|` + order + `:v\d+`)
	emptyKey, removesElements := matching(`begins_with\(sk, `), matching(`REMOVE [^:]*\[\d\]`)
	looksAtValue, falsy := matching(`attribute_type\(|contains\(|size\(| IN `), regexp.MustCompile(`""|:false`)
	longNumber, sums := regexp.MustCompile(`\d{37}`), matching(`^update .*(?:ADD|[+-])`)
	return []difference{
		{"dynalite does not refuse an operand that has no order", func(d disagreement) bool {
			return strings.HasPrefix(d.engine, "ValidationException") && ordersLiteral(d)
		}},
		{"dynalite takes an empty text for a key", func(d disagreement) bool {
			return d.engine == "ValidationException" && emptyKey(d)
		}},
		{"dynalite makes an item of an update that only takes away, or refuses the path", func(d disagreement) bool {
			return d.before == " → none" && removesOnly(d)
		}},
		{"dynalite adds with more than 38 digits", func(d disagreement) bool {
			return strings.HasPrefix(d.engine, "ValidationException") && sums(d) &&
				longNumber.MatchString(d.operation+d.before)
		}},
		{"dynalite answers an empty object where the service answers none", func(d disagreement) bool {
			return strings.Replace(d.oracle, "{}", "none", 1) == d.engine
		}},
		{"dynalite takes two absent attributes for equal", twoPaths},
		{"dynalite takes false and empty values for absent", func(d disagreement) bool {
			return looksAtValue(d) && falsy.MatchString(d.operation+d.before+d.engine)
		}},
		{"dynalite works on a list while it changes", removesElements},
	}
}
