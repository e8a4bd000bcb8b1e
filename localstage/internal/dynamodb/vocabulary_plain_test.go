package dynamodb

// plainVocabulary has the expressions of the chat's functions, on attributes of the type that the expressions expect.
// moto knows little more.
type plainVocabulary struct{ *drawing }

func (d plainVocabulary) number() int { return d.IntN(9) }

func (d plainVocabulary) word() string { return d.of("a", "ab", "b", "ba") }

func (d plainVocabulary) item() m {
	item := m{
		"n": d.number(), "s": d.word(), "m": m{"n": d.number()}, "ss": strs{"a", d.of("b", "c")},
		"l": l{d.word(), d.number()}, "b": d.word(), "t": d.word(),
	}
	delete(item, d.of("n", "s", "m", "ss", "l", "b", "t"))
	return item
}

func (d plainVocabulary) condition() string {
	order := func() string { return d.of(" = ", " <> ", " < ", " <= ", " > ", " >= ") }
	simple := func() string {
		return one(d.drawing,
			func() string { return d.of("n", "m.n") + order() + d.value(d.number()) },
			func() string { return "s" + order() + d.value(d.word()) },
			func() string {
				return d.of("attribute_exists(", "attribute_not_exists(") + d.of("n", "s", "m.n", "pk", "x") + ")"
			},
			func() string { return "begins_with(s, " + d.value(d.word()) + ")" },
			func() string { return "contains(" + d.of("s", "ss") + ", " + d.value(d.word()) + ")" },
			func() string { return "n BETWEEN " + d.value(d.IntN(4)) + " AND " + d.value(4+d.IntN(4)) },
			func() string { return "n IN (" + d.value(d.number()) + ", " + d.value(d.number()) + ")" })
	}
	return one(d.drawing, simple, simple,
		func() string { return simple() + d.of(" AND ", " OR ") + simple() },
		func() string {
			return "(" + simple() + d.of(" AND ", " OR ") + simple() + ")" + d.of(" AND ", " OR ") + simple()
		},
		func() string { return "NOT " + simple() })
}

func (d plainVocabulary) update() string {
	set := func() string {
		return one(d.drawing,
			func() string { return "SET n = " + d.value(d.number()) },
			func() string { return "SET n = n" + d.of(" + ", " - ") + d.value(d.number()) },
			func() string { return "SET n = if_not_exists(n, " + d.value(d.number()) + ") + " + d.value(d.number()) },
			func() string { return "SET m.n = " + d.value(d.number()) + ", n = " + d.value(d.number()) },
			func() string { return "SET m = " + d.value(m{"n": d.number()}) + ", s = " + d.value(d.word()) },
			func() string { return "SET x = n, n = " + d.value(d.number()) },
			func() string {
				return "SET l = list_append(if_not_exists(l, " + d.value(l{}) + "), " + d.value(l{d.word()}) + ")"
			})
	}
	add := func() string {
		return one(d.drawing,
			func() string { return "ADD x " + d.value(d.number()) },
			func() string { return "ADD ss " + d.value(strs{d.of("a", "b", "c")}) + ", x " + d.value(d.number()) })
	}
	remove := func() string { return "REMOVE " + d.of("b", "b, t", "y") }
	return one(d.drawing, set, set, add, remove,
		func() string { return "DELETE ss " + d.value(strs{d.of("a", "b", "c")}) },
		func() string { return set() + " " + remove() },
		func() string { return add() + " " + remove() })
}

func (d plainVocabulary) projection() string {
	return d.of("n", "s, n", "sk, ss", "m.n", "m, l", "l[0], x")
}

func (d plainVocabulary) sortCondition() string {
	return one(d.drawing,
		func() string { return "sk " + d.of("=", "<", "<=", ">", ">=") + " " + d.value(d.of("a", "b", "c")) },
		func() string { return "sk BETWEEN " + d.value("a") + " AND " + d.value(d.of("a", "b", "c")) },
		func() string { return "begins_with(sk, " + d.value(d.of("a", "b")) + ")" })
}
