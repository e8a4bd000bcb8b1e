package dynamodb

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func projectionCases() map[string]func(*fixture) {
	cases := map[string]func(*fixture){}
	for expression, want := range map[string]string{
		"a": "{a:1}", "a,m": `{a:1 m:{l:[0 {x:1 y:2}] n:3}}`, " a , nowhere ": "{a:1}", "nowhere": "{}",
		"m.n": "{m:{n:3}}", "m.l[0]": "{m:{l:[0]}}",
		"m.l[1].y": "{m:{l:[{y:2}]}}", "m.l[1], m.l[0]": "{m:{l:[0 {x:1 y:2}]}}",
		"m.l[1].x, m.n, a": "{a:1 m:{l:[{x:1}] n:3}}",
		"m.l[9]":           "{}", "m.z.z": "{}", "a.b": "{}", "a[0]": "{}", "m.l.x": "{}", "m[0]": "{}",
		"l[2], l[0]": `{l:["a" "c"]}`, "pk": "{}",
	} {
		cases["projections/"+expression] = func(f *fixture) {
			f.given(m{"a": 1, "m": m{"l": l{0, m{"x": 1, "y": 2}}, "n": 3}, "l": l{"a", "b", "c"}})
			f.holds(want, project(expression))
		}
	}
	for expression, message := range map[string]string{
		"": "can not be empty", "a,": "Syntax error", ",a": "Syntax error", "a,,b": "Syntax error",
		"a b": "Syntax error", "a.": "Syntax error", "a[b]": "Syntax error", ":a": "Syntax error",
		"a, a": "overlap", "m, m.n": "overlap", "m.n, m": "overlap", "m.l[0].x, m.l[0]": "overlap",
		"m.n, m[0]": "conflict", "status": "reserved", "#x": "not defined",
	} {
		cases["refused projections/"+expression] = func(f *fixture) {
			_, err := f.get(project(expression))
			f.refused(expression, err, "ValidationException", message)
		}
	}
	cases["projections/names"] = func(f *fixture) {
		f.given(m{"status": m{"x.y": 1, "z": 2}})
		f.holds("{status:{x.y:1}}", project("#s.#x"), names("#s", "status", "#x", "x.y"))
	}
	return cases
}

// fill makes items a to j with n = 0 to 9.
func (f *fixture) fill() {
	f.table = "byS"
	for i := range 10 {
		f.sk = string(rune('a' + i))
		f.given(m{"n": i, "even": i%2 == 0})
	}
}

func queryCases() map[string]func(*fixture) {
	cases := map[string]func(*fixture){}
	for condition, want := range map[string]string{
		"pk = :p": "abcdefghij", ":p = pk": "abcdefghij", "(pk = :p)": "abcdefghij", "pk = :p AND sk = :c": "c",
		"sk = :c AND pk = :p": "c", "(pk = :p) and (sk = :c)": "c", "(pk = :p AND (sk = :c))": "c",
		"pk = :p AND sk < :c": "ab", "pk = :p AND sk <= :c": "abc", "pk = :p AND sk > :g": "hij",
		"pk = :p AND sk >= :g": "ghij", "pk = :p AND :c > sk": "ab", "pk = :p AND :g <= sk": "ghij",
		"pk = :p AND sk BETWEEN :c AND :g": "cdefg", "pk = :p AND begins_with(sk, :c)": "c",
		"pk = :p AND sk = :none": "", "pk = :none": "",
	} {
		for _, backward := range []bool{false, true} {
			cases[fmt.Sprintf("queries/%s, backwards %t", condition, backward)] = func(f *fixture) {
				f.fill()
				list := []option{values(mentioned(condition, m{":p": f.pk, ":c": "c", ":g": "g", ":none": "none"}))}
				want := strings.Split(want, "")
				if backward {
					list = append(list, backwards())
					for i, j := 0, len(want)-1; i < j; i, j = i+1, j-1 {
						want[i], want[j] = want[j], want[i]
					}
				}
				quoted := ""
				for _, key := range want {
					quoted += fmt.Sprintf(" %q", key)
				}
				f.finds(strings.TrimSpace(quoted), condition, list...)
			}
		}
	}
	cases["queries/of a table without sort key"] = func(f *fixture) {
		f.given(m{"sk": "not a key"})
		f.finds(`"not a key"`, "pk = :p", values(m{":p": f.pk}))
	}
	cases["queries/filter, count and projection"] = func(f *fixture) {
		f.fill()
		output := f.finds(`"a" "c" "e" "g" "i"`, "pk = :p", filterIs("even = :t"), values(m{":p": f.pk, ":t": true}))
		f.equal("counts", fmt.Sprint(output.Count, output.ScannedCount), "5 10")
		output = f.finds("", "pk = :p", filterIs("n >= :n"), values(m{":p": f.pk, ":n": 7}), counting())
		f.equal("counted", fmt.Sprint(output.Count, output.ScannedCount, len(output.Items)), "3 10 0")
		output, err := f.query("pk = :p AND sk > :h", project("n"), values(m{":p": f.pk, ":h": "h"}))
		f.ok("projection", err)
		if err == nil {
			f.equal("projected", showAll(output.Items), "{n:8}{n:9}")
		}
	}
	return cases
}

var pagingCases = map[string]func(*fixture){
	"paging/the limit counts before the filter": func(f *fixture) {
		f.fill()
		output := f.finds(`"a" "c"`, "pk = :p", limitTo(4), filterIs("even = :t"),
			values(m{":p": f.pk, ":t": true}))
		f.equal("counts", fmt.Sprint(output.Count, output.ScannedCount), "2 4")
		f.equal("last key", show(output.LastEvaluatedKey), `{sk:"d"}`)
	},
	"paging/the limit ends a page even at the end": func(f *fixture) {
		f.fill()
		output := f.finds(`"a" "b" "c" "d" "e" "f" "g" "h" "i" "j"`, "pk = :p", limitTo(10), values(m{":p": f.pk}))
		f.equal("last key", show(output.LastEvaluatedKey), `{sk:"j"}`)
		output = f.finds("", "pk = :p", startAfter(output.LastEvaluatedKey), values(m{":p": f.pk}))
		f.equal("last key of nothing", show(output.LastEvaluatedKey), "none")
		output = f.finds(`"a" "b" "c" "d" "e" "f" "g" "h" "i" "j"`, "pk = :p", limitTo(11), values(m{":p": f.pk}))
		f.equal("last key below the limit", show(output.LastEvaluatedKey), "none")
	},
	"paging/pages join, both ways": func(f *fixture) {
		f.fill()
		for want, list := range map[string][]option{"abcdefghij": nil, "jihgfedcba": {backwards()}} {
			got, start := "", map[string]types.AttributeValue(nil)
			for range 6 {
				output, err := f.query("pk = :p",
					append(list, limitTo(3), startAfter(start), values(m{":p": f.pk}))...)
				if err != nil {
					f.failf("page: %v", err)
					return
				}
				got += strings.NewReplacer(`"`, "", " ", "").Replace(sortKeys(output.Items))
				if start = output.LastEvaluatedKey; start == nil {
					break
				}
			}
			f.equal("all pages", got, want)
		}
	},
	"paging/the start key's item need not exist": func(f *fixture) {
		f.fill()
		start := m{"pk": f.pk, "sk": "cc"}.attributes()
		f.finds(`"d" "e"`, "pk = :p", limitTo(2), startAfter(start), values(m{":p": f.pk}))
		f.finds(`"c" "b"`, "pk = :p", limitTo(2), backwards(), startAfter(start), values(m{":p": f.pk}))
	},
	"paging/a page has 1 MB": func(f *fixture) {
		f.table = "byN"
		for i := range 25 {
			f.sk = i
			f.given(m{"data": strings.Repeat("x", 60_000)})
		}
		first, err := f.query("pk = :p", values(m{":p": f.pk}))
		f.ok("first page", err)
		if err != nil || len(first.Items) == 0 || len(first.Items) > 20 || first.LastEvaluatedKey == nil {
			f.failf("first page has %d items of 60 KB", len(first.Items))
			return
		}
		second, err := f.query("pk = :p", values(m{":p": f.pk}), startAfter(first.LastEvaluatedKey))
		f.ok("second page", err)
		if err == nil && (len(first.Items)+len(second.Items) != 25 || second.LastEvaluatedKey != nil) {
			f.failf("pages of %d and %d items, then %s", len(first.Items), len(second.Items),
				show(second.LastEvaluatedKey))
		}
	},
	"paging/a scan finds everything once": func(f *fixture) {
		f.fill()
		found, start := 0, map[string]types.AttributeValue(nil)
		for {
			output, err := f.client.Scan(f.ctx,
				&awsdynamodb.ScanInput{TableName: &f.table, Limit: aws.Int32(7), ExclusiveStartKey: start,
					FilterExpression: aws.String("pk = :p"), ExpressionAttributeValues: m{":p": f.pk}.attributes()})
			if err != nil {
				f.failf("scan: %v", err)
				return
			}
			found += int(output.Count)
			if start = output.LastEvaluatedKey; start == nil {
				break
			}
		}
		f.equal("found", fmt.Sprint(found), "10")
	},
}

func queryErrorCases() map[string]func(*fixture) {
	cases := map[string]func(*fixture){}
	all := m{":p": "p", ":1": 1, ":a": "a", ":b": "b", ":e": ""}
	for condition, message := range map[string]string{
		"": "can not be empty", "pk": "Syntax error", "pk = :p AND": "Syntax error",
		"pk = :p AND sk != :a": "Syntax error", "pk < :p": "not supported", "begins_with(pk, :p)": "not supported",
		"sk = :a": "missed key schema element: pk",
		"n = :a":  "missed key schema element: pk", "pk = :p AND n = :a": "missed key schema element: sk",
		"pk = :p AND sk > :a AND sk < :b": "one condition per key", "pk = :p AND pk = :p": "one condition per key",
		"pk = :p AND sk > :a AND n > :a": "",
		"pk = :p OR sk = :a":             "OR", "NOT pk = :p": "NOT", "pk = :p AND sk <> :a": "<>",
		"pk = :p AND sk IN (:a)": "IN", "pk = :p AND attribute_exists(sk)": "attribute_exists",
		"pk = :p AND contains(sk, :a)": "contains",
		"pk = :p AND dog(sk, :a)":      "dog", "pk = :p AND sk.x = :a": "nested attributes", "pk = sk": "",
		":p = :a": "", "pk = :1": "does not match schema type", "pk = :p AND sk = :1": "does not match schema type",
		"pk = :e":                 "empty string",
		"((pk = :p)) AND sk = :a": "redundant parentheses", "pk = :p AND sk BETWEEN :b AND :a": "greater than or equal",
		"pk = :p AND begins_with(sk, :1)": "Incorrect operand type", "pk = :undefined": "not defined",
	} {
		cases["refused queries/"+condition] = func(f *fixture) {
			f.table = "byS"
			used := mentioned(condition, all)
			delete(used, ":undefined")
			if len(used) == 0 {
				used = nil
			}
			_, err := f.query(condition, values(used))
			f.refused(condition, err, "ValidationException", message)
		}
	}
	cases["refused queries/a key in the filter"] = func(f *fixture) {
		f.table = "byS"
		_, err := f.query("pk = :p", filterIs("sk > :p"), values(m{":p": f.pk}))
		f.refused("filter", err, "ValidationException", "non-primary key attributes")
	}
	cases["refused queries/a start key elsewhere"] = func(f *fixture) {
		f.fill()
		for what, start := range map[string]m{
			"partition": {"pk": "other", "sk": "a"}, "range": {"pk": f.pk, "sk": "a"}, "not a key": {"pk": f.pk},
		} {
			_, err := f.query("pk = :p AND sk > :c", startAfter(start.attributes()), values(m{":p": f.pk, ":c": "c"}))
			f.refused(what, err, "ValidationException", "starting key")
		}
	}
	cases["refused queries/a limit of zero"] = func(f *fixture) {
		f.table = "byS"
		_, err := f.query("pk = :p", limitTo(0), values(m{":p": f.pk}))
		f.refused("limit", err, "ValidationException", "greater than or equal to 1")
	}
	cases["refused queries/an undefined name, though nothing matches"] = func(f *fixture) {
		_, err := f.query("pk = :p", project("#undefined"), values(m{":p": f.pk}))
		f.refused("projection", err, "ValidationException", "not defined")
		_, err = f.query("pk = :p", filterIs("begins_with(a, :n)"), values(m{":p": f.pk, ":n": 5}))
		f.refused("filter", err, "ValidationException", "Incorrect operand type")
	}
	return cases
}
