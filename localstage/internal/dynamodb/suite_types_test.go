package dynamodb

import (
	"fmt"
	"strings"
)

var typeCases = map[string]func(*fixture){
	"types/every type comes back": func(f *fixture) {
		f.given(m{"s": "grüße 🙂 \"\\\n", "n": num("-1.5"), "b": []byte{0, 255}, "t": true, "f": false, "z": nil,
			"l": l{"a", 1, l{}, m{}}, "m": m{"x": m{"y": l{nil}}}, "ss": strs{"b", "a"}, "ns": nums{"2", "1"},
			"bs": blobs{{2}, {1}}})
		f.holds(`{b:b"\x00\xff" bs:<` + "\x01 \x02" + `> f:false l:["a" 1 [] {}] m:{x:{y:[null]}} n:-1.5 ns:<1 2> ` +
			`s:"grüße 🙂 \"\\\n" ss:<a b> t:true z:null}`)
	},
	"types/empty strings, binaries, lists and maps are values": func(f *fixture) {
		f.given(m{"s": "", "b": []byte{}, "l": l{}, "m": m{}})
		f.holds(`{b:b"" l:[] m:{} s:""}`)
	},
	"types/numbers are canonical": func(f *fixture) {
		for sent, kept := range map[string]string{
			"0": "0", "-0": "0", "0.0": "0", "0e9": "0", "00042": "42", "+3": "3", ".5": "0.5", "1.0": "1",
			"1.50": "1.5", "-7.1234": "-7.1234",
			"1e3": "1000", "1.5E2": "150", "1e-3": "0.001", "100": "100", "1E+2": "100",
			"12345678901234567890123456789012345678":       "12345678901234567890123456789012345678",
			"1234567890123456789012345678901234567800":     "1234567890123456789012345678901234567800",
			"0.00000000000000000000000000000000000001":     "0.00000000000000000000000000000000000001",
			"-9.9999999999999999999999999999999999999E125": "-" + strings.Repeat("9", 38) + strings.Repeat("0", 88),
			"1E-130": "0." + strings.Repeat("0", 129) + "1",
		} {
			f.given(m{"n": num(sent)})
			f.holds("{n:" + kept + "}")
		}
	},
	"types/a text that is no number is refused": func(f *fixture) {
		for _, sent := range []string{
			"", "abc", "NaN", "Infinity", "-Infinity", " 1", "1 ", "1e", ".", "--1", "1_000", "0x10", "1e1e1",
		} {
			_, err := f.put(m{"n": num(sent)})
			f.refused("number "+sent, err, "ValidationException", "numeric")
		}
	},
	"types/numbers out of range are refused": func(f *fixture) {
		for sent, message := range map[string]string{
			"1E126": "overflow", "-1E126": "overflow", "9.99E999": "overflow", "1E-131": "underflow",
			"-1e-131": "underflow",
			"123456789012345678901234567890123456789":  "38 significant",
			"1.23456789012345678901234567890123456789": "38 significant",
		} {
			_, err := f.put(m{"n": num(sent)})
			f.refused("number "+sent, err, "ValidationException", message)
		}
	},
	"types/empty sets and duplicates are refused": func(f *fixture) {
		for what, set := range map[string]any{
			"SS": strs{}, "NS": nums{}, "BS": blobs{}, "SS twice": strs{"a", "a"}, "NS twice": nums{"1", "2", "1"},
			"BS twice": blobs{{1}, {1}},
			"nested":   m{"x": l{strs{}}},
		} {
			_, err := f.put(m{"set": set})
			f.refused(what, err, "ValidationException", "One or more parameter values were invalid")
		}
	},
	"types/equal numbers of a set are duplicates": func(f *fixture) {
		_, err := f.put(m{"set": nums{"1", "1.0"}})
		f.refused("1 and 1.0", err, "ValidationException", "duplicates")
	},
	"types/an item has at most 400 KB": func(f *fixture) {
		room := 400<<10 - len("pk") - len(f.pk) - len("s")
		f.given(m{"s": strings.Repeat("x", room)})
		_, err := f.put(m{"s": strings.Repeat("x", room+1)})
		f.refused("one byte more", err, "ValidationException", "Item size has exceeded")
	},
	"types/an update cannot outgrow 400 KB": func(f *fixture) {
		f.given(m{"s": strings.Repeat("x", 399<<10)})
		_, err := f.update("SET t = :t", values(m{":t": strings.Repeat("x", 2<<10)}))
		f.refused("update", err, "ValidationException", "Item size to update has exceeded")
	},
}

var keyCases = map[string]func(*fixture){
	"keys/a missing, mistyped or empty key is refused": func(f *fixture) {
		for what, item := range map[string]m{
			"missing": {"a": 1}, "number": {"pk": 1}, "list": {"pk": l{}}, "empty": {"pk": ""},
		} {
			_, err := f.client.PutItem(f.ctx, putInput("simple", item))
			f.refused(what, err, "ValidationException", "One or more parameter values")
		}
		for what, item := range map[string]m{
			"no sort key": {"pk": f.pk}, "mistyped sort key": {"pk": f.pk, "sk": 1},
			"empty sort key": {"pk": f.pk, "sk": ""},
		} {
			_, err := f.client.PutItem(f.ctx, putInput("byS", item))
			f.refused(what, err, "ValidationException", "One or more parameter values")
		}
	},
	"keys/a Key parameter is the key and nothing else": func(f *fixture) {
		for what, key := range map[string]m{
			"without": {}, "more": {"pk": f.pk, "x": "y"}, "other": {"x": "y"}, "mistyped": {"pk": 1},
		} {
			_, err := f.client.GetItem(f.ctx, getInput("simple", key))
			f.refused("get "+what, err, "ValidationException", "does not match the schema")
		}
		_, err := f.client.GetItem(f.ctx, getInput("byS", m{"pk": f.pk}))
		f.refused("get without sort key", err, "ValidationException", "does not match the schema")
	},
	"keys/1.0 and 1 are one key": func(f *fixture) {
		f.table = "byN"
		f.sk = num("1.0")
		f.given(m{"a": "first"})
		f.sk = 1
		f.given(m{"a": "second"})
		f.finds("1", "pk = :p", values(m{":p": f.pk}))
		f.holds(`{a:"second" sk:1}`)
	},
	"keys/numbers sort by value": func(f *fixture) {
		f.table = "byN"
		sorted := []string{"-1" +
			strings.Repeat("0", 125), "-100", "-99.5", "-99.25", "-10", "-2", "-1.5", "-1", "-0.001",
			"-0." + strings.Repeat("0", 129) + "1", "0", "0." + strings.Repeat("0", 129) + "1", "0.001", "0.0011",
			"0.5", "1", "1.5", "2", "9",
			"10", "10.5", "99", "100", "12345678901234567890123456789012345678", "1" + strings.Repeat("0", 125)}
		for i := range sorted {
			f.sk = num(sorted[i*7%len(sorted)])
			f.given(nil)
		}
		f.finds(strings.Join(sorted, " "), "pk = :p", values(m{":p": f.pk}))
		f.finds("-2 -1.5 -1", "pk = :p AND sk BETWEEN :a AND :b", values(m{":p": f.pk, ":a": -2, ":b": -1}))
		f.finds("10.5 99", "pk = :p AND sk BETWEEN :a AND :b",
			values(m{":p": f.pk, ":a": num("10.1"), ":b": num("99.9")}))
	},
	"keys/strings sort by their UTF-8 bytes": func(f *fixture) {
		f.table = "byS"
		sorted := []string{
			"\x00", "\x00\x01", "\x01", " ", "A", "Z", "a", "a\x00", "a\x00b", "aa", "b", "é", "ﬀ", "🙂",
		}
		var want []string
		for i := range sorted {
			f.sk = sorted[i*5%len(sorted)]
			f.given(nil)
			want = append(want, fmt.Sprintf("%q", sorted[i]))
		}
		f.finds(strings.Join(want, " "), "pk = :p", values(m{":p": f.pk}))
		f.finds(`"a" "a\x00" "a\x00b" "aa"`, "pk = :p AND begins_with(sk, :a)", values(m{":p": f.pk, ":a": "a"}))
	},
	"keys/binaries sort as unsigned bytes": func(f *fixture) {
		f.table = "byB"
		for _, key := range [][]byte{{255}, {127}, {128}, {127, 0}, {255, 255}, {0}} {
			f.sk = key
			f.given(nil)
		}
		f.finds(`b"\x00" b"\x7f" b"\x7f\x00" b"\x80" b"\xff" b"\xff\xff"`, "pk = :p", values(m{":p": f.pk}))
		f.finds(`b"\xff" b"\xff\xff"`, "pk = :p AND begins_with(sk, :a)", values(m{":p": f.pk, ":a": []byte{255}}))
		f.finds(`b"\x80" b"\xff" b"\xff\xff"`, "pk = :p AND sk > :a", values(m{":p": f.pk, ":a": []byte{127, 0}}))
	},
	"keys/a partition is not the beginning of another": func(f *fixture) {
		f.table, f.sk = "byS", "x"
		f.given(nil)
		for _, other := range []string{f.pk + "\x00", f.pk + "\x00\x01", f.pk + "\x00\xc3\xbf", f.pk + "x"} {
			g := *f
			g.pk = other
			g.given(nil)
		}
		f.finds(`"x"`, "pk = :p", values(m{":p": f.pk}))
		f.finds(`"x"`, "pk = :p", values(m{":p": f.pk + "\x00"}))
	},
	"keys/a key has a largest size": func(f *fixture) {
		f.table = "byS"
		for _, size := range []struct{ partition, sort int }{{2048, 1024}, {2049, 1}, {1, 1025}} {
			g := *f
			g.pk, g.sk = strings.Repeat("p", size.partition), strings.Repeat("s", size.sort)
			_, err := g.put(nil)
			if size.partition+size.sort == 3072 {
				f.ok("largest", err)
			} else {
				f.refused(fmt.Sprint(size), err, "ValidationException", "has exceeded the maximum size limit")
			}
		}
	},
}
