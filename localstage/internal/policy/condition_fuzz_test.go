package policy

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// slowMatchers are the operators without order, written differently than in operator.go.
func slowMatchers() map[string]func(want, got string) bool {
	same := func(want, got string) bool { return slices.Equal([]byte(want), []byte(got)) }
	sameFolded := func(want, got string) bool { return strings.EqualFold(want, got) }
	like := func(want, got string) bool { return slowMatch(want, got, "") }
	arnLike := func(want, got string) bool { return strings.Count(want, ":") >= 5 && slowARNMatch(want, got) }
	return map[string]func(want, got string) bool{
		"StringEquals": same, "StringEqualsIgnoreCase": sameFolded, "StringLike": like, "ArnLike": arnLike,
		"ArnEquals": arnLike, "Bool": sameFolded,
	}
}

// slowCondition is the rule for condition operators, quantifiers and IfExists. It is undecided where IAM defines
// nothing: several values without a quantifier.
func slowCondition(name string, wants, got []string) (holds, decided bool) {
	quantifier, base, found := strings.Cut(name, ":")
	if !found {
		quantifier, base = "", name
	}
	base, ifExists := strings.CutSuffix(base, "IfExists")
	negated := strings.Contains(base, "Not")
	matches := slowMatchers()[strings.Replace(base, "Not", "", 1)]
	one := func(value string) bool {
		return slices.ContainsFunc(wants, func(want string) bool { return matches(want, value) }) != negated
	}
	switch {
	case len(got) == 0 && ifExists:
		return true, true
	case quantifier == "ForAllValues":
		return !slices.ContainsFunc(got, func(value string) bool { return !one(value) }), true
	case quantifier == "ForAnyValue":
		return slices.ContainsFunc(got, one), true
	case len(got) == 0:
		return negated, true
	case len(got) > 1:
		return false, false
	}
	return one(got[0]), true
}

// conditionNames are the operators that slowCondition knows, with each quantifier and IfExists.
func conditionNames() []string {
	var names []string
	for _, base := range []string{
		"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
		"StringNotLike",
		"ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals", "Bool",
	} {
		for _, quantifier := range []string{"", "ForAllValues:", "ForAnyValue:"} {
			names = append(names, quantifier+base, quantifier+base+"IfExists")
		}
	}
	return names
}

// FuzzConditions compares conditions with slow code for the rules of IAM: an allowing statement applies when its
// condition holds, and a denying one also when the condition cannot be decided.
func FuzzConditions(f *testing.F) {
	for i := range conditionNames() {
		f.Add(uint8(i), "CONN#*", "arn:aws:s3:::a?", "CONN#1\narn:aws:s3:::ab")
		f.Add(uint8(i), "true", "A", "a")
		f.Add(uint8(i), "", "*", "")
	}
	f.Fuzz(func(t *testing.T, operator uint8, want1, want2, values string) {
		names := conditionNames()
		name, wants := names[int(operator)%len(names)], []string{want1, want2}
		var got []string
		if values != "" {
			got = strings.Split(values, "\n")
		}
		text, err := json.Marshal(map[string]map[string][]string{name: {"k": wants}})
		if err != nil || !utf8.ValidString(want1+"\n"+want2+"\n"+values) {
			return // policies and requests are valid UTF-8
		}
		holds, decided := slowCondition(name, wants, got)
		for effect, expected := range map[string]bool{"Allow": decided && holds, "Deny": !decided || holds} {
			d, err := Parse([]byte(`{"Statement":{"Effect":"` + effect +
				`","Action":"a:B","Resource":"*","Condition":` + string(text) + `}}`))
			if err != nil || len(d.Problems()) > 0 {
				return // it did not panic, and it reported the problem at the start
			}
			decision := Evaluate([]Document{d}, Request{Action: "a:B", Resource: tableARN, Context: Context{"k": got}})
			if applies := decision.Effect != ImplicitDeny; applies != expected {
				t.Errorf("%s under %s with %q: applies is %v, want %v", effect, text, got, applies, expected)
			}
		}
	})
}
