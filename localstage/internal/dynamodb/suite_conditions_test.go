package dynamodb

import "strings"

// conditionItem is the item of the conditions.
func conditionItem() m {
	return m{"n": 5, "s": "hello", "b": []byte("hi there"), "t": true, "z": nil, "l": l{1, "two", l{3}, strs{"x"}},
		"m":  m{"x": 1, "y": l{-1, 2}},
		"ss": strs{"a", "b"}, "ns": nums{"1", "2"}, "bs": blobs{{1}, {2}}, "five": 5, "two": 2, "s2": "hello"}
}

// conditionTruths are conditions on conditionItem with their result. :v… stand for the values below them.
func conditionTruths() map[string]bool {
	return map[string]bool{
		"n = :5": true, "n = :s5": false, "n <> :5": false, "n <> :s5": true, "n = five": true, "n = two": false,
		":5 = n": true, "s = s2": true,
		"n < :9": true, "n < :5": false, "n <= :5": true, "n > :2": true, "n >= :5": true, "n >= :9": false,
		":2 < n": true, "n < :s5": false, "n > :s5": false,
		"s < :z": true, "s > :z": false, "b < :bz": true, "t = :t": true, "z = :null": true, "l = :l": true,
		"m = :m": true, "ss = :ss": true, "ns = :ns": true, "bs = :bs": true,
		"nowhere = :5": false, "nowhere <> :5": true, "nowhere < :5": false, "nowhere > :5": false,
		"nowhere = absent": false, "nowhere <> absent": true,
		"l < :5": false, "m.x = :1": true, "m.y[1] = :2": true, "m.y[9] = :2": false, "m.x < m.y[1]": true,
		"s.x = :1":            false,
		"n BETWEEN :2 AND :9": true, "n BETWEEN :5 AND :5": true, "n between two and :9": true,
		"n BETWEEN :sa AND :sb": false, "nowhere BETWEEN :2 AND :9": false,
		"NOT n BETWEEN :2 AND :9": false, "n BETWEEN two AND :1": false,
		"n IN (:1, :5)": true, "n IN (:1)": false, "nowhere IN (:1)": false, "s IN (:5, s2)": true, "ss in (:ss)": true,
		"attribute_exists(n)": true, "attribute_exists(m.y[0])": true, "attribute_exists(m.z)": false,
		"attribute_not_exists(n)": false, "attribute_not_exists (nowhere)": true,
		"attribute_type(n, :N)": true, "attribute_type(s, :N)": false, "attribute_type(nowhere, :N)": false,
		"attribute_type(ss, :SS)": true, "attribute_type(z, :NULL)": true,
		"begins_with(s, :he)": true, "begins_with(s, :lo)": false, "begins_with(b, :bh)": true,
		"begins_with(n, :he)": false, "begins_with(nowhere, :he)": false, "begins_with(s, s2)": true,
		"contains(s, :lo)": true, "contains(s, :z)": false, "contains(b, :bh)": true, "contains(ss, :sa)": true,
		"contains(ns, :2)": true, "contains(ns, :sa)": false,
		"contains(l, :1)": true, "contains(l, :l3)": true, "contains(l, :9)": false, "contains(n, :5)": false,
		"contains(nowhere, :5)": false, "contains(s, s2)": true,
		"size(s) = :5": true, "size(ss) = :2": true, "size(l) = :4": true, "size(m) = :2": true, "size(b) > :5": true,
		"size(n) = :1": false, "size(nowhere) = :1": false, "size(s) = five": true,
		":5 BETWEEN size(ss) AND size(b)": true, "size(s) IN (:1, :5)": true,
		"n = :5 AND s = :z": false, "n = :5 OR s = :z": true, "NOT n = :5": false, "NOT NOT n = :5": true,
		"n = :9 AND n = :9 OR n = :5": true, "n = :9 AND (n = :9 OR n = :5)": false, "NOT n = :9 AND n = :5": true,
		"NOT (n = :5 AND s = :z)": true,
		"(n = :5)":                true, "((n = :5) AND (s = s2))": true, "n = :5 aNd not s <> s2": true,
	}
}

func conditionValues() m {
	return m{":1": 1, ":2": 2, ":4": 4, ":5": 5, ":9": 9, ":s5": "5", ":sa": "a", ":sb": "b", ":z": "zebra",
		":bz": []byte("z"), ":t": true, ":null": nil,
		":l": l{1, "two", l{3}, strs{"x"}}, ":l3": l{3}, ":m": m{"y": l{-1, 2}, "x": 1}, ":ss": strs{"b", "a"},
		":ns": nums{"2", "1.0"}, ":bs": blobs{{2}, {1}},
		":N": "N", ":SS": "SS", ":NULL": "NULL", ":he": "he", ":lo": "lo", ":bh": []byte("hi")}
}

// mentioned returns the values that an expression mentions.
func mentioned(expression string, all m) m {
	var used m
	for _, word := range strings.FieldsFunc(expression,
		func(r rune) bool { return strings.ContainsRune(" (),=<>+-", r) }) {
		if strings.HasPrefix(word, ":") {
			if used == nil {
				used = m{}
			}
			used[word] = all[word]
		}
	}
	return used
}

// conditionCases has one case for each truth, because oracles differ in single ones.
func conditionCases() map[string]func(*fixture) {
	cases := map[string]func(*fixture){
		"conditions/put, update and delete obey them": func(f *fixture) {
			f.given(m{"a": 1})
			for what, run := range map[string]func(option) error{
				"put":    func(o option) error { _, err := f.put(m{"a": 2}, o); return err },
				"update": func(o option) error { _, err := f.update("REMOVE a", o); return err },
				"delete": func(o option) error { _, err := f.delete(o); return err },
			} {
				f.refused(what, run(condIs("attribute_not_exists(pk)")), "ConditionalCheckFailedException",
					"The conditional request failed")
				f.holds("{a:1}")
			}
		},
		"conditions/an absent item has no attributes": func(f *fixture) {
			_, err := f.delete(condIs("attribute_exists(pk)"))
			f.refused("delete", err, "ConditionalCheckFailedException", "")
			_, err = f.put(m{"a": 1}, condIs("attribute_not_exists(pk) AND a <> :1"), values(m{":1": 1}))
			f.ok("put", err)
		},
		"conditions/a failed update leaves no item": func(f *fixture) {
			_, err := f.update("ADD n :1", values(m{":1": 1}), condIs("attribute_exists(pk)"))
			f.refused("update", err, "ConditionalCheckFailedException", "")
			f.holds("none")
		},
	}
	for expression, want := range conditionTruths() {
		cases["conditions/"+expression] = func(f *fixture) {
			f.given(conditionItem())
			_, err := f.update("SET n = n", condIs(expression), values(mentioned(expression, conditionValues())))
			f.equal(expression, code(err), map[bool]string{true: "", false: "ConditionalCheckFailedException"}[want])
		}
	}
	return cases
}

// conditionRefusals are conditions that are invalid for any item, with a part of the message.
func conditionRefusals() map[string]string {
	return byCase(map[string][]string{
		"can not be empty": {""},
		"Syntax error": {
			"n", "n =", "= :5", "n == :5", "n != :5", "n = :5 AND", "n = :5 :5", "(n = :5", "n = :5)", "n IN ()",
			"n IN :5", "n BETWEEN :5", "hello!", "n = 5", "n = 'x'", "n[x] = :5", "_n = :5", "n..x = :5", ":5", "()",
			"size(n)", "n = :5 AND NOT",
		},
		"redundant parentheses":                    {"((n = :5))"},
		"not defined; attribute value: :undefined": {"n = :undefined"},
		"not defined; attribute name: #undefined":  {"#undefined = :5"},
		"reserved keyword: status":                 {"status = :5"},
		"reserved keyword: Name":                   {"Name = :5"},
		"reserved keyword: value":                  {"m.value = :5"},
		"Invalid function name; function: dog":     {"dog(n)"},
		"Invalid function name":                    {"Attribute_exists(n)"},
		"not allowed":                              {"if_not_exists(n, :5) = :5"},
		"requires a document path":                 {"attribute_exists(:5)"},
		"number of operands: 2":                    {"attribute_exists(n, s)"},
		"number of operands: 1":                    {"contains(n)"},
		"Incorrect operand type": {
			"attribute_type(n, s)", "attribute_type(n, :5)", "begins_with(s, :5)", "n < :list", ":list > n",
			"n BETWEEN :list AND :list", "size(:5) = :5",
		},
		"Invalid attribute type name found; type: dog": {"attribute_type(n, :dog)"},
		"greater than or equal":                        {"n BETWEEN :9 AND :5"},
		"same data type":                               {"n BETWEEN :5 AND :dog"},
		"must be distinct":                             {"n = n", "contains(s, s)"},
		"List index":                                   {"n[99999999999] = :5"},
		"too many operands":                            {"n IN (" + strings.Repeat(":5, ", 100) + ":5)"},
		"too many operators":                           {strings.Repeat("NOT ", 301) + "n = :5"},
		"Expression size has exceeded":                 {strings.Repeat(" ", 4096) + "n = :5"},
	})
}

func conditionErrorCases() map[string]func(*fixture) {
	all := m{":5": 5, ":9": 9, ":dog": "dog", ":list": l{1}}
	cases := map[string]func(*fixture){}
	for expression, message := range conditionRefusals() {
		name := expression
		if len(name) > 80 {
			name = message
		}
		cases["refused conditions/"+name] = func(f *fixture) {
			used := mentioned(expression, all)
			delete(used, ":undefined")
			if len(used) == 0 {
				used = nil
			}
			_, err := f.update("SET x = y", condIs(expression), values(used))
			f.refused(expression, err, "ValidationException", message)
		}
	}
	for what, o := range map[string]option{
		"unused value": values(m{":v": 1, ":w": 2}), "unused name": names("#x", "y"),
		"value without colon": values(m{":v": 1, "w": 2}),
		"name without hash":   names("x", "y"), "no values at all": values(m{}),
	} {
		cases["refused conditions/"+what] = func(f *fixture) {
			_, err := f.update("SET a = :v", values(m{":v": 1}), o)
			f.refused(what, err, "ValidationException", "")
		}
	}
	cases["refused conditions/names and values without an expression"] = func(f *fixture) {
		_, err := f.put(nil, names("#x", "y"))
		f.refused("names", err, "ValidationException", "")
		_, err = f.put(nil, values(m{":v": 1}))
		f.refused("values", err, "ValidationException", "")
	}
	return cases
}
