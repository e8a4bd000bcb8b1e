package dynamodb

import (
	"strings"
)

// richVocabulary has everything in the expression language.
type richVocabulary struct{ *drawing }

func (d richVocabulary) condition() string { return d.nested(2) }

func (d richVocabulary) number() num {
	return num(d.of("0", "1", "2", "3", "5", "-1", "-2.5", "0.1", "0.2", "1.50", "1e2", "100",
		"99999999999999999999999999999999999998"))
}

func (d richVocabulary) word() string { return d.of("", "a", "ab", "b", "ba", "é", "🙂") }

func (d richVocabulary) strings() strs {
	return [...]strs{{"a"}, {"a", "b"}, {"b", "c"}, {"c"}}[d.IntN(4)]
}

func (d richVocabulary) numbers() nums {
	return [...]nums{{"1"}, {"1", "2.5"}, {"2.5", "3"}, {"-1"}}[d.IntN(4)]
}

func (d richVocabulary) list() l {
	list := l{}
	for range d.IntN(4) {
		list = append(list, one(d.drawing, func() any { return d.number() }, func() any { return d.word() },
			func() any { return m{"n": d.number()} }))
	}
	return list
}

func (d richVocabulary) document() m { return m{"n": d.number(), "l": d.list(), "s": d.word()} }

// literal is a value of any type.
func (d richVocabulary) literal() any {
	return one(d.drawing, func() any { return d.number() }, func() any { return d.number() },
		func() any { return d.word() }, func() any { return d.word() },
		func() any { return []byte(d.word()) }, func() any { return d.chance(50) }, func() any { return nil },
		func() any { return d.strings() },
		func() any { return d.numbers() }, func() any { return d.list() }, func() any { return d.document() })
}

// item has some of the attributes that expressions mention, mostly of the type that they expect.
func (d richVocabulary) item() m {
	item := m{}
	for name, v := range map[string]func() any{
		"n": func() any { return d.number() }, "s": func() any { return d.word() },
		"b": func() any { return []byte(d.word()) }, "t": func() any { return d.chance(50) },
		"l": func() any { return d.list() }, "m": func() any { return d.document() },
		"ss": func() any { return d.strings() }, "ns": func() any { return d.numbers() },
	} {
		item[name] = v
	}
	drawn := m{}
	// maps have no order, and the seed has to give the same item
	for _, name := range []string{"n", "s", "b", "t", "l", "m", "ss", "ns"} {
		switch {
		case d.chance(30):
		case d.chance(5):
			drawn[name] = d.literal()
		default:
			drawn[name] = item[name].(func() any)()
		}
	}
	return drawn
}

func (d richVocabulary) path() string {
	return d.of("n", "n", "s", "b", "t", "l", "m", "ss", "ns", "x", "pk", "m.n", "m.s", "m.l", "m.l[0]", "l[0]", "l[1]",
		"l[0].n", "m.x", "x.y")
}

func (d richVocabulary) operand() string {
	return one(d.drawing, d.path, d.path, func() string { return d.value(d.literal()) },
		func() string { return d.value(d.number()) }, func() string { return "size(" + d.path() + ")" })
}

func (d richVocabulary) nested(depth int) string {
	if depth > 0 && d.chance(40) {
		return one(d.drawing,
			func() string { return d.nested(depth-1) + d.of(" AND ", " OR ", " and ") + d.nested(depth-1) },
			func() string { return "(" + d.nested(depth-1) + ")" + d.of(" AND ", " OR ") + d.nested(depth-1) },
			func() string { return "NOT " + d.nested(0) },
			func() string { return "NOT (" + d.nested(depth-1) + ")" },
		)
	}
	compare := func() string { return d.operand() + d.of(" = ", " <> ", " < ", " <= ", " > ", " >= ") + d.operand() }
	return one(d.drawing, compare, compare,
		func() string { return d.of("attribute_exists(", "attribute_not_exists(") + d.path() + ")" },
		func() string {
			return "attribute_type(" + d.path() + ", " +
				d.value(d.of("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS")) + ")"
		},
		func() string { return "begins_with(" + d.path() + ", " + d.value(d.word()) + ")" },
		func() string { return "contains(" + d.path() + ", " + d.value(d.literal()) + ")" },
		func() string { return d.path() + " BETWEEN " + d.value(d.number()) + " AND " + d.value(d.number()) },
		// an absent attribute there crashes dynalite
		func() string { return d.path() + " IN (" + d.value(d.literal()) + ", " + d.value(d.number()) + ")" },
	)
}

// source draws the right side of an assignment. It is no list and no map: dynalite copies those by reference, and
// crashes when one contains itself.
func (d richVocabulary) source() string {
	return d.of("n", "n", "s", "b", "t", "ss", "ns", "pk", "m.n", "m.s", "nowhere")
}

func (d richVocabulary) assignment() string {
	term := func() string {
		return one(d.drawing, func() string { return d.value(d.number()) }, d.source,
			func() string { return "if_not_exists(" + d.source() + ", " + d.value(d.number()) + ")" })
	}
	lists := func() string {
		return one(d.drawing, func() string { return d.of("l", "m.l") }, func() string { return d.value(d.list()) },
			func() string { return "if_not_exists(" + d.of("l", "nowhere", "m.l") + ", " + d.value(d.list()) + ")" })
	}
	if d.chance(25) {
		return d.of("l", "m.l", "x", "s") + " = list_append(" + lists() + ", " + lists() + ")"
	}
	return d.path() + " = " + one(d.drawing, term, func() string { return d.value(d.literal()) },
		func() string { return term() + d.of(" + ", " - ") + term() })
}

// update draws an UpdateExpression of one or two sections.
func (d richVocabulary) update() string {
	sections := []func() string{
		func() string { return "SET " + d.assignment() },
		func() string { return "SET " + d.assignment() + ", " + d.assignment() },
		func() string { return "REMOVE " + d.path() },
		func() string { return "REMOVE " + d.of("l[0], l[1]", d.path()+", "+d.path()) },
		func() string { return "ADD " + d.of("n", "x", "m.n") + " " + d.value(d.number()) },
		func() string {
			return "ADD " + d.of("ss", "x") + " " + d.value(d.strings()) + ", " + d.of("ns", "n") + " " +
				d.value(d.numbers())
		},
		func() string { return "DELETE " + d.of("ss", "x") + " " + d.value(d.strings()) },
		func() string { return "DELETE ns " + d.value(d.numbers()) },
	}
	first := d.IntN(len(sections))
	if d.chance(60) {
		return sections[first]()
	}
	second := (first/2*2 + 2 + d.IntN(len(sections)-2)) % len(sections) // another keyword
	return sections[first]() + " " + sections[second]()
}

func (d richVocabulary) projection() string {
	paths := []string{d.path()}
	for range d.IntN(3) {
		paths = append(paths, d.path())
	}
	return strings.Join(paths, ", ")
}

func (d richVocabulary) sortCondition() string {
	return one(d.drawing,
		func() string {
			return "sk " + d.of("=", "<", "<=", ">", ">=") + " " + d.value(d.of("a", "b", "c", "bb"))
		},
		func() string { return "sk BETWEEN " + d.value("a") + " AND " + d.value(d.of("a", "b", "c")) },
		func() string { return "begins_with(sk, " + d.value(d.of("a", "b", "")) + ")" })
}
