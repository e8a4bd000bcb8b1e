package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mustParse returns the parsed document and fails the test if there is none.
func mustParse(t *testing.T, text string) Document {
	t.Helper()
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return d
}

func TestParseRefusesDocumentsThatIAMRefuses(t *testing.T) {
	t.Parallel()
	const rest = `"Action":"a:B","Resource":"*"`
	for name, tt := range map[string]struct{ text, want string }{
		"no JSON":              {`{"Statement":`, "parse policy document"},
		"repeated member":      {`{"Statement":{"Effect":"Allow","Effect":"Deny",` + rest + `}}`, "duplicate"},
		"member in lower case": {`{"statement":[]}`, "statement"},
		"unknown member":       {`{"Statment":[],"Statement":{"Effect":"Allow",` + rest + `}}`, "Statment"},
		"unknown version": {
			`{"Version":"2012-10-18","Statement":{"Effect":"Allow",` + rest + `}}`, `"2012-10-17"`,
		},
		"no statement":             {`{"Version":"2012-10-17"}`, "Statement is missing"},
		"empty list of statements": {`{"Statement":[]}`, "empty list"},
		"statement is a string":    {`{"Statement":"Allow"}`, "neither an object nor a list"},
		"no effect":                {`{"Statement":{` + rest + `}}`, "statement #1: Effect"},
		"effect in lower case":     {`{"Statement":{"Effect":"allow",` + rest + `}}`, "Effect"},
		"no action": {
			`{"Statement":{"Effect":"Allow","Resource":"*"}}`, "exactly one of Action and NotAction",
		},
		"action and not action": {
			`{"Statement":{"Effect":"Allow","NotAction":"c:D",` + rest + `}}`, "exactly one of Action and NotAction",
		},
		"no resource": {
			`{"Statement":{"Effect":"Allow","Action":"a:B"}}`, "exactly one of Resource and NotResource",
		},
		"empty resources": {
			`{"Statement":{"Effect":"Allow","Action":"a:B","Resource":[]}}`, "Resource is an empty list",
		},
		"action is a number": {
			`{"Statement":{"Effect":"Allow","Action":1,"Resource":"*"}}`, "Action: a string or a list",
		},
		"action without a service": {
			`{"Statement":{"Effect":"Allow","Action":"Invoke","Resource":"*"}}`, `action "Invoke"`,
		},
		"wildcard as a service": {
			`{"Statement":{"Effect":"Allow","Action":"*:Invoke","Resource":"*"}}`, `action "*:Invoke"`,
		},
		"resource that is no ARN": {
			`{"Statement":{"Effect":"Allow","Action":"a:B","Resource":"/prod/*"}}`, `resource "/prod/*"`,
		},
		"resource is a bare prefix": {
			`{"Statement":{"Effect":"Allow","Action":"a:B","Resource":"arn"}}`, `resource "arn"`,
		},
		"condition is a list": {`{"Statement":{"Effect":"Allow","Condition":[],` + rest + `}}`, "Condition"},
		"condition value is null": {
			`{"Statement":{"Effect":"Allow","Condition":{"Bool":{"k":null}},` + rest + `}}`, "Condition: Bool: k",
		},
		"sid is a number":     {`{"Statement":{"Sid":1,"Effect":"Allow",` + rest + `}}`, "Sid"},
		"error names the sid": {`{"Statement":{"Sid":"Post","Effect":"Allow","Action":"a:B"}}`, "statement Post"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse(%s) = %v, want an error with %q", tt.text, err, tt.want)
			}
		})
	}
}

func TestParseTakesEveryForm(t *testing.T) {
	t.Parallel()
	d := mustParse(t, `{
		"Version": "2012-10-17",
		"Id": "anything",
		"Statement": [
			{"Effect": "Allow", "Action": "a:B", "Resource": "*"},
			{"Sid": "Two", "Effect": "Deny", "NotAction": ["a:B", "c:*"],
				"NotResource": ["arn:aws:s3:::b", "arn:aws:s3"],
			 "Condition": {"Null": {"k": false}, "NumericLessThan": {"n": [1, "2"]}}}
		]}`)
	if problems := d.Problems(); len(problems) != 0 {
		t.Errorf("Problems() = %v, want none", problems)
	}
	if got, want := d.ConditionKeys(), []string{"k", "n"}; !cmp.Equal(got, want) {
		t.Errorf("ConditionKeys() = %q, want %q", got, want)
	}
}

// unsupported are statements that IAM may know and this package does not.
var unsupported = map[string]struct{ part, want string }{
	"NotPrincipal":           {`"Resource":"*","NotPrincipal":{"AWS":"x"}`, `element "NotPrincipal"`},
	"misspelt element":       {`"Resource":"*","Conditions":{}`, `element "Conditions"`},
	"BinaryEquals":           {`"Resource":"*","Condition":{"BinaryEquals":{"k":"QQ=="}}`, `"BinaryEquals"`},
	"operator in lower case": {`"Resource":"*","Condition":{"stringEquals":{"k":"v"}}`, `"stringEquals"`},
	"NullIfExists":           {`"Resource":"*","Condition":{"NullIfExists":{"k":"true"}}`, `"NullIfExists"`},
	"Null for all values": {
		`"Resource":"*","Condition":{"ForAllValues:Null":{"k":"true"}}`, `"ForAllValues:Null"`,
	},
	"unknown qualifier": {
		`"Resource":"*","Condition":{"ForSomeValues:StringEquals":{"k":"v"}}`, `"ForSomeValues:StringEquals"`,
	},
	"number that is none":        {`"Resource":"*","Condition":{"NumericEquals":{"k":"ten"}}`, `"ten"`},
	"date that is none":          {`"Resource":"*","Condition":{"DateEquals":{"k":"today"}}`, `"today"`},
	"boolean that is none":       {`"Resource":"*","Condition":{"Bool":{"k":"yes"}}`, `"yes"`},
	"null that is none":          {`"Resource":"*","Condition":{"Null":{"k":"maybe"}}`, `"maybe"`},
	"address that is none":       {`"Resource":"*","Condition":{"IpAddress":{"k":"here"}}`, `"here"`},
	"ARN pattern that is none":   {`"Resource":"*","Condition":{"ArnLike":{"k":"*"}}`, `"*"`},
	"variable in a resource":     {`"Resource":"arn:aws:s3:::b/${aws:username}"`, "policy variables"},
	"variable in a not resource": {`"NotResource":"arn:aws:s3:::b/${aws:username}"`, "policy variables"},
	"variable in a condition": {
		`"Resource":"*","Condition":{"StringLike":{"k":"${aws:userid}"}}`, "policy variables",
	},
	"wildcard service": {`"Resource":"arn:aws:*:*:*:*"`, "service part"},
}

func TestParseReportsUnsupportedParts(t *testing.T) {
	t.Parallel()
	for name, tt := range unsupported {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := mustParse(t, `{"Statement":{"Sid":"S","Effect":"Allow","Action":"a:B",`+tt.part+`}}`)
			problems := d.Problems()
			if len(problems) != 1 || problems[0].Statement != "S" || !strings.Contains(problems[0].Detail, tt.want) {
				t.Fatalf("Problems() = %v, want one about statement S and %q", problems, tt.want)
			}
			if line := problems[0].String(); !strings.Contains(line, "allows nothing") || strings.Contains(line, "\n") {
				t.Errorf("String() = %q, want one line with the effect", line)
			}
		})
	}
}

func TestUnsupportedStatementsFailClosed(t *testing.T) {
	t.Parallel()
	allowAll := mustParse(t, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	// The context satisfies all of the conditions above that can be satisfied.
	r := Request{Action: "a:B", Resource: "arn:aws:s3:::b/alice", Context: Context{"k": {"v"}}}
	for name, tt := range unsupported {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			allow := mustParse(t, `{"Statement":{"Effect":"Allow","Action":"a:B",`+tt.part+`}}`)
			if got := Evaluate([]Document{allow}, r); got.Effect != ImplicitDeny {
				t.Errorf("as an Allow: %v, want implicit deny", got)
			}
			deny := mustParse(t, `{"Statement":{"Effect":"Deny","Action":"a:B",`+tt.part+`}}`)
			if got := Evaluate([]Document{allowAll, deny}, r); got.Effect != ExplicitDeny {
				t.Errorf("as a Deny: %v, want explicit deny", got)
			}
			other := r
			other.Action = "c:D"
			if got := Evaluate([]Document{allowAll, deny}, other); got.Effect != Allow {
				t.Errorf("as a Deny, for an action it does not name: %v, want allow", got)
			}
		})
	}
}
