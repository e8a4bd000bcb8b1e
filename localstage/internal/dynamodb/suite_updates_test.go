package dynamodb

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// updateOf is an update with the item before and after it.
type updateOf struct {
	before     m // nil: no item
	expression string
	values     m
	after      string
}

func updates() map[string]updateOf {
	ab := m{"a": 1, "b": 2}
	list := func() m { return m{"l": l{0, 1, 2, 3, 4, 5}} }
	return map[string]updateOf{
		"no expression makes the item":          {nil, "", nil, "{}"},
		"no expression keeps the item":          {ab, "", nil, "{a:1 b:2}"},
		"SET makes the item":                    {nil, "SET a = :v", m{":v": "x"}, `{a:"x"}`},
		"SET adds and replaces":                 {ab, "SET a = :v, c = :v", m{":v": l{}}, "{a:[] b:2 c:[]}"},
		"SET reads the old item":                {ab, "SET a = b, b = a", nil, "{a:2 b:1}"},
		"SET reads a value that REMOVE removes": {ab, "REMOVE a SET c = a", nil, "{b:2 c:1}"},
		"keywords in any case and space":        {ab, " set\ta=:v\n remove  b ", m{":v": 9}, "{a:9}"},
		"SET + and -":                           {ab, "SET a = a + b, b = :v - b", m{":v": 10}, "{a:3 b:8}"},
		"SET with parentheses":                  {ab, "SET a = (b - :v)", m{":v": 3}, "{a:-1 b:2}"},
		"numbers are decimal": {
			nil, "SET a = :x + :y", m{":x": num("0.1"), ":y": num("0.2")}, "{a:0.3}",
		},
		"numbers have 38 digits": {
			m{"a": num("99999999999999999999999999999999999998")},
			"ADD a :v",
			m{":v": 1},
			"{a:99999999999999999999999999999999999999}",
		},
		"a sum may lose zeros": {m{"a": num("0.5")}, "ADD a :v", m{":v": num("0.5")}, "{a:1}"},
		"if_not_exists keeps an existing value": {
			ab, "SET a = if_not_exists(a, :v), c = if_not_exists(b, :v)", m{":v": 9}, "{a:1 b:2 c:2}",
		},
		"if_not_exists falls back": {
			ab, "SET c = if_not_exists(x, :v), d = if_not_exists(x, a)", m{":v": 9}, "{a:1 b:2 c:9 d:1}",
		},
		"if_not_exists makes the item": {nil, "SET n = if_not_exists(n, :v) + :v", m{":v": 1}, "{n:2}"},
		"list_append both ways": {
			m{"l": l{2}},
			"SET a = list_append(l, :v), b = list_append(:v, l)",
			m{":v": l{1}},
			"{a:[2 1] b:[1 2] l:[2]}",
		},
		"list_append begins a list": {
			nil, "SET l = list_append(if_not_exists(l, :none), :v)", m{":none": l{}, ":v": l{1}}, "{l:[1]}",
		},
		"REMOVE takes attributes":              {ab, "REMOVE a, nowhere", nil, "{b:2}"},
		"REMOVE alone makes no item":           {nil, "REMOVE a", nil, "none"},
		"REMOVE of a path alone makes no item": {nil, "REMOVE a.b, c[0]", nil, "none"},
		"DELETE alone makes no item":           {nil, "DELETE a :v", m{":v": strs{"x"}}, "none"},
		"ADD makes the item":                   {nil, "ADD n :v", m{":v": 5}, "{n:5}"},
		"ADD adds numbers":                     {m{"n": 5}, "ADD n :v", m{":v": -7}, "{n:-2}"},
		"ADD begins a set":                     {ab, "ADD s :v", m{":v": strs{"x"}}, "{a:1 b:2 s:<x>}"},
		"ADD unites sets": {
			m{"s": nums{"1", "2"}}, "ADD s :v", m{":v": nums{"2.0", "3"}}, "{s:<1 2 3>}",
		},
		"DELETE takes members": {
			m{"s": strs{"a", "b", "c"}}, "DELETE s :v", m{":v": strs{"b", "x"}}, "{s:<a c>}",
		},
		"DELETE of all members takes the attribute": {
			m{"s": blobs{{1}}, "a": 1}, "DELETE s :v", m{":v": blobs{{1}, {2}}}, "{a:1}",
		},
		"DELETE of nothing is fine": {ab, "DELETE s :v", m{":v": strs{"x"}}, "{a:1 b:2}"},
		"all sections, in any order": {
			m{"a": 1, "r": 1, "s": strs{"x", "y"}},
			"DELETE s :x REMOVE r ADD a :1 SET b = :1",
			m{":x": strs{"x"}, ":1": 1},
			"{a:2 b:1 s:<y>}",
		},
		"paths into maps and lists": {
			m{"m": m{"l": l{1, m{"x": 1}}}},
			"SET m.l[1].x = :v, m.l[0] = m.l[1].x, m.y = :v",
			m{":v": 9},
			"{m:{l:[1 {x:9}] y:9}}",
		},
		"ADD in a path": {
			m{"m": m{"n": 1}}, "ADD m.n :v, m.k :v", m{":v": 2}, "{m:{k:2 n:3}}",
		},
		"SET behind the end appends": {list(), "SET l[9] = :v", m{":v": "x"}, `{l:[0 1 2 3 4 5 "x"]}`},
		"SETs behind the end append in order": {
			m{"l": l{}},
			"SET l[84] = :d, l[37] = :b, l[17] = :a, l[50] = :c",
			m{":a": "a", ":b": "b", ":c": "c", ":d": "d"},
			`{l:["a" "b" "c" "d"]}`,
		},
		"REMOVE of indexes means the old positions": {list(), "REMOVE l[1], l[3], l[0], l[99]", nil, "{l:[2 4 5]}"},
		"SET and REMOVE of one list": {
			list(), "REMOVE l[1] SET l[3] = :v", m{":v": "x"}, `{l:[0 2 "x" 4 5]}`,
		},
		"REMOVE and append in one list": {
			m{"l": l{0, 1}}, "SET l[5] = :v REMOVE l[0], l[2]", m{":v": "x"}, `{l:[1 "x"]}`,
		},
		"REMOVE leaves empty containers": {m{"l": l{1}, "m": m{"x": 1}}, "REMOVE l[0], m.x, m.y", nil, "{l:[] m:{}}"},
		"a copy is a copy":               {m{"m": m{"x": 1}}, "SET m.x = :v, k = m", m{":v": 2}, "{k:{x:1} m:{x:2}}"},
	}
}

func updateCases() map[string]func(*fixture) {
	cases := map[string]func(*fixture){}
	for name, u := range updates() {
		cases["updates/"+name] = func(f *fixture) {
			if u.before != nil {
				f.given(u.before)
			}
			_, err := f.update(u.expression, values(u.values))
			f.ok(u.expression, err)
			f.holds(u.after)
		}
	}
	cases["updates/names stand for anything"] = func(f *fixture) {
		_, err := f.update("SET #1 = :v, #status = :v", names("#1", "a.b", "#status", "status"), values(m{":v": 1}))
		f.ok("update", err)
		f.holds("{a.b:1 status:1}")
	}
	return cases
}

// updateRefusals are invalid updates of the item below, with a part of the message.
func updateRefusals() map[string]string {
	return byCase(map[string][]string{
		`token: "INVALID", near: "INVALID SYNTAX"`: {"INVALID SYNTAX HERE"},
		"Syntax error": {
			"SET", "SET n", "SET n = ", "SET n = :1,", "SET :1 = n", "SET n = :1 n = :1", "SET n = n + n + n",
			"SET x = if_not_exists(x, n + :1)", "ADD n n", "REMOVE", "SET _x = :1", "SET l[:1] = :1", "SET n = 1",
			"REMOVE n, ", "SET n * :1",
		},
		"can only be used once": {"SET n = :1 SET x = :1"},
		"overlap": {
			"SET n = :1 REMOVE n", "SET m = :1, m.x = :1", "REMOVE m.x, m", "SET l[0] = :1, l[0] = :1",
		},
		"conflict":                             {"SET m.x = :1, m[0] = :1"},
		"part of the key":                      {"SET pk = :s", "REMOVE pk", "ADD pk :1"},
		"reserved keyword":                     {"SET value = :1"},
		"not allowed":                          {"SET x = size(n)"},
		"Invalid function name; function: dog": {"SET x = dog(n)"},
		"Invalid function name":                {"SET x = LIST_APPEND(l, l)"},
		"number of operands: 1":                {"SET x = list_append(l)"},
		"Incorrect operand type": {
			"SET x = list_append(l, :1)", "SET x = :1 + :s", "ADD n :s", "ADD l :list", "DELETE ss :1",
		},
		"requires a document path":   {"SET x = if_not_exists(:1, :1)"},
		"does not exist in the item": {"SET x = y", "SET x = m.y", "SET x = list_append(y, :list)"},
		"incorrect data type": {
			"SET x = s + :1", "SET x = list_append(n, :list)", "ADD s :1", "ADD ss :ns", "DELETE ss :ns",
			"DELETE n :ns",
		},
		"invalid for update": {
			"SET y.x = :1", "SET s.x = :1", "SET l.x = :1", "SET m[0] = :1", "SET y[0] = :1", "REMOVE y.x",
			"REMOVE s[0]", "REMOVE l.x",
		},
		"Number overflow": {"SET x = :big + :big", "SET x = :big + :1", "ADD big :big"},
		"not defined":     {"SET x = :undefined", "SET #undefined = :1"},
	})
}

func updateErrorCases() map[string]func(*fixture) {
	all := m{":1": 1, ":s": "s", ":list": l{1}, ":ns": nums{"1"}, ":big": num("9e125")}
	cases := map[string]func(*fixture){}
	for expression, message := range updateRefusals() {
		cases["refused updates/"+expression] = func(f *fixture) {
			f.given(m{
				"n": 1, "s": "s", "l": l{1, 2}, "m": m{"x": 1}, "ss": strs{"a"},
				"big": num("9" + strings.Repeat("0", 125)),
			})
			used := mentioned(strings.ReplaceAll(strings.ReplaceAll(expression, "[", " "), "]", " "), all)
			delete(used, ":undefined")
			if len(used) == 0 {
				used = nil
			}
			_, err := f.update(expression, values(used))
			f.refused(expression, err, "ValidationException", message)
			f.holds(`{big:9` + strings.Repeat("0", 125) + ` l:[1 2] m:{x:1} n:1 s:"s" ss:<a>}`)
		}
	}
	cases["refused updates/that nest too deep"] = func(f *fixture) {
		deep := any(1)
		for range 20 {
			deep = l{deep}
		}
		f.given(m{"l": deep})
		_, err := f.update("SET l"+strings.Repeat("[0]", 12)+" = :v", values(m{":v": deep}))
		f.ok("32 levels", err)
		_, err = f.update("SET l"+strings.Repeat("[0]", 13)+" = :v", values(m{":v": deep}))
		f.refused("33 levels", err, "ValidationException", "Nesting Levels")
		_, err = f.get()
		f.ok("get", err)
	}
	cases["refused updates/of an absent item"] = func(f *fixture) {
		for _, expression := range []string{
			"SET a.b = :v", "SET a[0] = :v", "SET a = a + :v", "SET a = b, c = :v", "SET a = :v REMOVE b.c",
		} {
			_, err := f.update(expression, values(m{":v": 1}))
			f.refused(expression, err, "ValidationException", "")
			f.holds("none")
		}
	}
	return cases
}

// returnValues are the cases of returnCases.
var returnValues = map[string]struct {
	before                 m
	expression             string
	allOld, allNew         string
	updatedOld, updatedNew string
}{
	"replaced": {m{"a": 1, "b": 2}, "SET a = :v", "{a:1 b:2}", "{a:9 b:2}", "{a:1}", "{a:9}"},
	"added":    {m{"a": 1}, "SET b = :v", "{a:1}", "{a:1 b:9}", "none", "{b:9}"},
	"removed":  {m{"a": 1, "b": 2}, "REMOVE a SET c = :v", "{a:1 b:2}", "{b:2 c:9}", "{a:1}", "{c:9}"},
	"made":     {nil, "SET a = :v", "none", "{a:9}", "none", "{a:9}"},
	"nested": {
		m{"m": m{"x": 1, "y": 2}}, "SET m.x = :v", "{m:{x:1 y:2}}", "{m:{x:9 y:2}}", "{m:{x:1}}", "{m:{x:9}}",
	},
	"in a list": {m{"l": l{1, 2, 3}}, "SET l[1] = :v", "{l:[1 2 3]}", "{l:[1 9 3]}", "{l:[2]}", "{l:[9]}"},
}

func returnCases() map[string]func(*fixture) {
	cases := map[string]func(*fixture){}
	for name, r := range returnValues {
		for what, want := range map[string]string{
			"ALL_OLD": r.allOld, "ALL_NEW": r.allNew, "UPDATED_OLD": r.updatedOld, "UPDATED_NEW": r.updatedNew,
			"NONE": "none",
		} {
			cases[fmt.Sprintf("return values/%s, update %s", what, name)] = func(f *fixture) {
				if r.before != nil {
					f.given(r.before)
				}
				output, err := f.update(r.expression, values(m{":v": 9}), returning(what))
				if err != nil {
					f.failf("%v", err)
					return
				}
				f.equal("attributes", show(output.Attributes), want)
			}
		}
	}
	cases["return values/ALL_NEW of an update that makes nothing"] = func(f *fixture) {
		output, err := f.update("REMOVE a", returning("ALL_NEW"))
		f.ok("update", err)
		if output != nil {
			f.equal("attributes", show(output.Attributes), "none")
		}
	}
	cases["return values/of put and delete"] = func(f *fixture) {
		first, err := f.put(m{"a": 1}, returning("ALL_OLD"))
		f.ok("first put", err)
		second, err := f.put(m{"a": 2}, returning("ALL_OLD"))
		f.ok("second put", err)
		deleted, err := f.delete(returning("ALL_OLD"))
		f.ok("delete", err)
		again, err := f.delete(returning("ALL_OLD"))
		f.ok("delete again", err)
		if len(f.failures) == 0 {
			for what, pair := range map[string][2]string{
				"first put": {show(first.Attributes), "none"}, "second put": {show(second.Attributes), "{a:1}"},
				"delete": {show(deleted.Attributes), "{a:2}"}, "delete again": {show(again.Attributes), "none"},
			} {
				f.equal(what, pair[0], pair[1])
			}
		}
	}
	cases["return values/that an operation does not have"] = func(f *fixture) {
		_, err := f.put(nil, returning("ALL_NEW"))
		f.refused("put", err, "ValidationException", "")
		_, err = f.delete(returning("UPDATED_OLD"))
		f.refused("delete", err, "ValidationException", "")
		_, err = f.update("", returning("none"))
		f.refused("update", err, "ValidationException", "")
	}
	cases["return values/a failed condition shows the item"] = func(f *fixture) {
		_, err := f.update("SET a = :v", condIs("a = :v"), values(m{":v": 1}), oldOnFailure())
		f.equal("no item", failedItem(err), "none")
		f.given(m{"a": 5})
		_, err = f.update("SET a = :v", condIs("a = :v"), values(m{":v": 1}), oldOnFailure())
		f.equal("update", failedItem(err), "{a:5}")
		_, err = f.put(nil, condIs("a = :v"), values(m{":v": 1}), oldOnFailure())
		f.equal("put", failedItem(err), "{a:5}")
		_, err = f.delete(condIs("a = :v"), values(m{":v": 1}), oldOnFailure())
		f.equal("delete", failedItem(err), "{a:5}")
		_, err = f.delete(condIs("a = :v"), values(m{":v": 1}))
		f.equal("not asked for", failedItem(err), "none")
	}
	cases["consumed capacity/of single items"] = func(f *fixture) {
		put, err := f.put(m{"a": strings.Repeat("x", 1500)}, consuming())
		f.ok("put", err)
		got, err := f.get(consuming())
		f.ok("get", err)
		if len(f.failures) == 0 {
			f.equal("put", showCapacity(put.ConsumedCapacity), "simple 2")
			f.equal("get", showCapacity(got.ConsumedCapacity), "simple 1")
		}
	}
	return cases
}

func showCapacity(c *types.ConsumedCapacity) string {
	if c == nil {
		return "none"
	}
	return fmt.Sprint(*c.TableName, " ", *c.CapacityUnits)
}
