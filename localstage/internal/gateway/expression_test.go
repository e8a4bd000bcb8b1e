package gateway

import (
	"strings"
	"testing"
)

func TestExpressionSelectsFromTheBody(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expression, body, want string
		ok                     bool
	}{
		{"$request.body.action", `{"action":"send"}`, "send", true},
		{"${request.body.action}", `{"action":"send"}`, "send", true},
		{"$request.body.a.b.c", `{"a":{"b":{"c":"deep"}}}`, "deep", true},
		{"$request.body.list[1].x", `{"list":[0,{"x":"second"}]}`, "second", true},
		{"$request.body[0]", `["first"]`, "first", true},
		{"$request.body['a b']", `{"a b":"quoted"}`, "quoted", true},
		{`$request.body["a.b"].c`, `{"a.b":{"c":"quoted"}}`, "quoted", true},
		{"$request.body.my-action", `{"my-action":"dash"}`, "dash", true},
		{"$request.body", `"whole"`, "whole", true},
		{"${request.body.version}-beta", `{"version":"v1"}`, "v1-beta", true},
		{"${request.body.service}/${request.body.action}", `{"service":"chat","action":"send"}`, "chat/send", true},
		{"$request.body.service/$request.body.action", `{"service":"chat","action":"send"}`, "chat/send", true},
		{`\$default`, `{}`, "$default", true},
		{"$request.body.n", `{"n":7}`, "7", true},
		{"$request.body.n", `{"n":1.50}`, "1.50", true},
		{"$request.body.n", `{"n":true}`, "true", true},
		{"$request.body.n", `{"n":""}`, "", true},
		{"$request.body.n", `{"n":{"a": [1, 2]}}`, `{"a":[1,2]}`, true},
		{"$request.body.n", `{"n":"é\u00e9"}`, "éé", true},
		{"$request.body.n", `{"n":"a","n":"b"}`, "b", true},
		{"$request.body.n", `{"n":null}`, "", false},
		{"$request.body.n", `{"N":"x"}`, "", false},
		{"$request.body.n.m", `{"n":"x"}`, "", false},
		{"$request.body.n[0]", `{"n":[]}`, "", false},
		{"$request.body.n", `[]`, "", false},
		{"$request.body.n", `not JSON`, "", false},
		{"$request.body.n", ``, "", false},
		{"${request.body.a}-${request.body.b}", `{"a":"x"}`, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.expression+" of "+tt.body, func(t *testing.T) {
			t.Parallel()
			e, err := parseExpression(tt.expression)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := e.evaluate([]byte(tt.body)); got != tt.want || ok != tt.ok {
				t.Errorf("selected %q %v, want %q %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestExpressionThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"":                          "empty",
		"$request.header.x":         "not supported",
		"$context.routeKey":         "not supported",
		"$":                         "not supported",
		"${request.body.a":          "not closed",
		"$request.bodyaction":       "a dot is missing",
		"$request.body.":            "name is missing",
		"$request.body..a":          "name is missing",
		"$request.body[0":           "not closed",
		"$request.body[-1]":         "neither an index",
		"$request.body['']":         "neither an index",
		"$request.body['a\"]":       "neither an index",
		"$request.body[9999999999]": "neither an index",
	} {
		if _, err := parseExpression(expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that tells %q", expression, err, want)
		}
	}
}

func FuzzExpression(f *testing.F) {
	f.Add("$request.body.action", `{"action":"send"}`)
	f.Add("${request.body.a['b'][0]}-x", `{"a":{"b":["c"]}}`)
	f.Add(`\$default`, `{}`)
	f.Add("$request.body[", `null`)
	f.Fuzz(func(t *testing.T, expression, body string) {
		e, err := parseExpression(expression)
		if err != nil {
			return
		}
		key, ok := e.evaluate([]byte(body))
		if again, okAgain := e.evaluate([]byte(body)); again != key || okAgain != ok {
			t.Errorf("%q selects %q, then %q", expression, key, again)
		}
	})
}
