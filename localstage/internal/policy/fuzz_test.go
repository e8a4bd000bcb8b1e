package policy

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// slowMatch is wildcardMatch by a regular expression: slow, and hard to get wrong.
func slowMatch(pattern, s string, flags string) bool {
	expr := regexp.QuoteMeta(pattern)
	expr = strings.ReplaceAll(expr, `\*`, `.*`)
	expr = strings.ReplaceAll(expr, `\?`, `.`)
	return regexp.MustCompile(`(?s` + flags + `)\A` + expr + `\z`).MatchString(s)
}

func FuzzWildcardMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"", ""}, {"*", ""}, {"?", ""}, {"*a*b*c", "abcabc"}, {"a?c", "abc"}, {"**?", "é"}, {"*??", "€"},
		{"*.example", "a.example.example"}, {"a*", "b"}, {"*a?", "aaab"}, {"?*?", "é"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(s) {
			return // policies and ARNs are valid UTF-8
		}
		if got, want := wildcardMatch(pattern, s), slowMatch(pattern, s, ""); got != want {
			t.Errorf("wildcardMatch(%q, %q) = %v, want %v", pattern, s, got, want)
		}
	})
}

// slowARNMatch is the rule for resources, written differently than in pattern.go.
func slowARNMatch(pattern, resource string) bool {
	if pattern == "*" {
		return true
	}
	p, r := strings.SplitN(pattern, ":", 6), strings.SplitN(resource, ":", 6)
	for len(p) < 6 {
		p = append(p, "*")
	}
	if len(r) < 6 {
		return false
	}
	for i := range p {
		if !slowMatch(p[i], r[i], "") {
			return false
		}
	}
	return true
}

// FuzzPolicyEval compares Evaluate with slow code for the rules of IAM, for a document of one allowing and one denying
// statement.
func FuzzPolicyEval(f *testing.F) {
	f.Add("execute-api:*", connectARN, false, false, "dynamodb:Scan", "*", false, false, "execute-api:Invoke",
		connectARN)
	f.Add("*", "arn:aws:s3", false, true, "s3:Put?bject", "arn:aws:s3:::b/*", true, false, "S3:putobject",
		"arn:aws:s3:::b/x")
	f.Add("a:*", "arn:*:a:*:*:x:*", true, false, "b:*", "*", false, true, "c:D", "arn:aws:a:r:1:x:y")
	f.Fuzz(func(t *testing.T, allowAction, allowResource string, allowNotAction, allowNotResource bool,
		denyAction, denyResource string, denyNotAction, denyNotResource bool, action, resource string) {
		statement := func(effect, a, r string, notAction, notResource bool) map[string]string {
			return map[string]string{
				"Effect": effect,
				map[bool]string{false: "Action", true: "NotAction"}[notAction]:       a,
				map[bool]string{false: "Resource", true: "NotResource"}[notResource]: r,
			}
		}
		text, err := json.Marshal(map[string]any{"Statement": []any{
			statement("Allow", allowAction, allowResource, allowNotAction, allowNotResource),
			statement("Deny", denyAction, denyResource, denyNotAction, denyNotResource),
		}})
		texts := []string{allowAction, allowResource, denyAction, denyResource, action, resource}
		if err != nil || !utf8.ValidString(strings.Join(texts, "\n")) {
			return // policies are valid UTF-8
		}
		d, err := Parse(text)
		if err != nil || len(d.Problems()) > 0 || !isASCII(allowAction+denyAction+action) {
			return // it did not panic; Unicode has letters that fold in several ways
		}
		applies := func(a, r string, notAction, notResource bool) bool {
			return slowMatch(a, action, "i") != notAction && slowARNMatch(r, resource) != notResource
		}
		want := ImplicitDeny
		if applies(allowAction, allowResource, allowNotAction, allowNotResource) {
			want = Allow
		}
		if applies(denyAction, denyResource, denyNotAction, denyNotResource) {
			want = ExplicitDeny
		}
		if got := Evaluate([]Document{d}, Request{Action: action, Resource: resource}); got.Effect != want {
			t.Errorf("Evaluate(%s on %s) by %s = %v, want %v", action, resource, text, got.Effect, want)
		}
	})
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// FuzzParse checks that every document that parses can be evaluated.
func FuzzParse(f *testing.F) {
	f.Add(`{"Statement":{"Effect":"Allow","Action":"a:B","Resource":"*"}}`)
	f.Add(`{"Statement":[{"Effect":"Deny","NotAction":["a:B"],"NotResource":"arn:aws:s3",` +
		`"Condition":{"ForAllValues:NumericLessThanIfExists":{"k":[1,"2"]}}}]}`)
	f.Add(`{"Statement":{"Effect":"Allow","Action":"a:B","Resource":"*","Condition":{"IpAddress":{"k":"10.0.0.0/8"},` +
		`"DateEquals":{"k":"2026-11-22"}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse([]byte(text))
		if err != nil {
			return
		}
		decision := Evaluate([]Document{d}, Request{Action: "a:B", Resource: tableARN, Context: Context{"k": {"1"}}})
		if decision.Allowed() && !strings.Contains(text, "Allow") {
			t.Errorf("Evaluate by %s = %v", text, decision)
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	d, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["dynamodb:UpdateItem","dynamodb:Query"],"Resource":"` + tableARN + `",
		 "Condition":{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["CONN#*","ROOM#*"]},
			"Null":{"dynamodb:LeadingKeys":"false"}}},
		{"Effect":"Allow","Action":"execute-api:ManageConnections",
		 "Resource":"arn:aws:execute-api:us-east-1:111122223333:chat/prod/POST/@connections/*"}]}`))
	if err != nil {
		b.Fatal(err)
	}
	documents := []Document{d}
	r := Request{Action: "execute-api:ManageConnections", Resource: postARN}
	b.ReportAllocs()
	for b.Loop() {
		if !Evaluate(documents, r).Allowed() {
			b.Fatal("denied")
		}
	}
}
