package dynamodb

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

// itemOf reads an item from its JSON form.
func itemOf(tb testing.TB, text string) mapValue {
	tb.Helper()
	var item mapValue
	if err := json.Unmarshal([]byte(text), &item); err != nil {
		tb.Fatal(err)
	}
	return item
}

const fuzzItem = `{"pk":{"S":"k"},"n":{"N":"5"},"s":{"S":"text"},
	"l":{"L":[{"N":"1"},{"M":{"x":{"N":"2"}}},{"SS":["a"]}]},"m":{"M":{"x":{"L":[]},"y":{"N":"3"}}},
	"ss":{"SS":["a","b"]},"ns":{"NS":["1","2.5"]},"b":{"B":"AAE="},"t":{"BOOL":true},"z":{"NULL":true},
	"a.b[0]":{"S":"odd"},"q\"\\}":{"S":"]}\"\\"}}`

const fuzzValues = `{":n":{"N":"1.5"},":s":{"S":"te"},":ss":{"SS":["b","c"]},":l":{"L":[{"S":"x"}]},` +
	`":m":{"M":{"x":{"N":"1"}}},":b":{"B":"AA=="}}`

func fuzzBindings(tb testing.TB) *bindings {
	tb.Helper()
	bound, err := newBindings(map[string]string{"#n": "n", "#x": "x", "#odd": "a.b[0]"}, itemOf(tb, fuzzValues))
	if err != nil {
		tb.Fatal(err)
	}
	return bound
}

// FuzzCondition checks that a condition is refused or evaluated, that De Morgan's laws hold, and that the condition
// reads only the attributes that it mentions.
func FuzzCondition(f *testing.F) {
	for expression := range conditionTruths() {
		f.Add(expression)
	}
	for expression := range conditionRefusals() {
		f.Add(expression)
	}
	item := itemOf(f, fuzzItem)
	f.Fuzz(func(t *testing.T, expression string) {
		c, mentioned, err := parseConditionAttributes(conditionExpression, &expression, fuzzBindings(t))
		if err != nil {
			return
		}
		if part, err := encodeItem(item).decodeOnly(mentioned); err != nil || c.holds(part) != c.holds(item) {
			t.Fatalf("%q is %t for the item and %t for the attributes %v of it (%v)", expression, c.holds(item),
				c.holds(part), mentioned, err)
		}
		negated := "NOT (" + expression + ")"
		n, err := parseCondition(conditionExpression, &negated, fuzzBindings(t))
		if err == nil && c.holds(item) == n.holds(item) {
			t.Fatalf("%q and its negation are both %t", expression, c.holds(item))
		}
		c.holds(nil)
	})
}

// FuzzUpdate checks that an update is refused or makes an item that can be stored, and never changes the old one.
func FuzzUpdate(f *testing.F) {
	for _, u := range updates() {
		f.Add(u.expression)
	}
	for expression := range updateRefusals() {
		f.Add(expression)
	}
	f.Add("SET l[1].x = :n, l[9] = :s, l[8] = :ss REMOVE l[0], m.y, l[2] ADD ns :n, n :n DELETE ss :ss")
	old, key := itemOf(f, fuzzItem), itemOf(f, `{"pk":{"S":"k"}}`)
	before := appendItem(nil, old)
	f.Fuzz(func(t *testing.T, expression string) {
		u, err := parseUpdate(&expression, fuzzBindings(t))
		if err != nil {
			return
		}
		for _, item := range []mapValue{old, nil} {
			updated, err := u.apply(item, key)
			if err == nil && updated != nil {
				checkStorable(t, updated)
				u.written.item(updated)
			}
		}
		if !bytes.Equal(appendItem(nil, old), before) {
			t.Fatalf("%q changed the old item", expression)
		}
	})
}

// FuzzProjection checks that a projection is refused or returns a part of the item, the same for a stored item.
func FuzzProjection(f *testing.F) {
	for _, expression := range []string{"n", "l[1].x, m.y", "#n, #odd", "l[0], l[2], m", "a, a.b", "x[1], x.y"} {
		f.Add(expression)
	}
	item := itemOf(f, fuzzItem)
	f.Fuzz(func(t *testing.T, expression string) {
		tree, err := parseProjection(&expression, fuzzBindings(t))
		if err != nil {
			return
		}
		projected := tree.item(item)
		checkStorable(t, projected)
		if projected.itemSize() > item.itemSize() {
			t.Fatalf("%q left more than there was: %s", expression, appendItem(nil, projected))
		}
		wire, err := appendProjected(nil, encodeItem(item), tree)
		if want := appendItem(nil, projected); err != nil || !bytes.Equal(wire, want) {
			t.Fatalf("%q left %s of the stored item, want %s (%v)", expression, wire, want, err)
		}
	})
}

// FuzzItem checks that the engine refuses an item of a client or keeps it as it is.
func FuzzItem(f *testing.F) {
	f.Add([]byte(fuzzItem))
	f.Add([]byte(fuzzValues))
	for _, seed := range []string{
		`{}`, `null`, `{"a":{}}`, `{"a":{"S":"x","N":"1"}}`, `{"a":{"X":"y"}}`, `{"a":{"N":1}}`, `{"a":{"NULL":false}}`,
		`{"a":{"S":"\u0000\ud83d\ude00\""}}`, `{"a":{"SS":[]}}`, `[]`, `{"a":`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var item mapValue
		if err := json.Unmarshal(body, &item); err == nil && item != nil {
			checkStorable(t, item)
		}
	})
}

func checkStorable(t *testing.T, item mapValue) {
	t.Helper()
	stored := encodeItem(item)
	read, err := stored.decode()
	if err != nil {
		t.Fatalf("%s: %v", stored, err)
	}
	if diff := cmp.Diff(item, read, cmp.AllowUnexported(setValue{})); diff != "" {
		t.Fatalf("stored and read again (-want +got):\n%s", diff)
	}
	all := map[string]bool{}
	for name := range item {
		all[name] = true
	}
	if read, err = stored.decodeOnly(all); err != nil || !cmp.Equal(item, read, cmp.AllowUnexported(setValue{})) {
		t.Fatalf("one attribute at a time it is %v (%v), want %v", read, err, item)
	}
	var received mapValue
	if err := json.Unmarshal(stored.wire(), &received); err != nil {
		t.Fatalf("a client cannot send back %s: %v", stored.wire(), err)
	}
	if !bytes.Equal(encodeItem(received), stored) {
		t.Fatalf("%s became %s", stored, encodeItem(received))
	}
	if stored.size() != item.itemSize() {
		t.Fatalf("stored with size %d, want %d", stored.size(), item.itemSize())
	}
}

func TestDocumentsNestTo32Levels(t *testing.T) {
	t.Parallel()
	nested := func(levels int) []byte {
		return []byte(`{"a":` + string(bytes.Repeat([]byte(`{"L":[`), levels)) + `{"N":"1"}` +
			string(bytes.Repeat([]byte(`]}`), levels)) + `}`)
	}
	var item mapValue
	if err := json.Unmarshal(nested(32), &item); err != nil {
		t.Errorf("32 levels: %v", err)
	}
	for _, levels := range []int{33, 5000} {
		if err := json.Unmarshal(nested(levels), &item); err == nil {
			t.Errorf("%d levels are accepted", levels)
		}
	}
}
