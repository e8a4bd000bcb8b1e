package policy

import (
	"fmt"
	"testing"
)

const (
	connectARN = "arn:aws:execute-api:us-east-1:111122223333:chat/prod/$connect"
	postARN    = "arn:aws:execute-api:us-east-1:111122223333:chat/prod/POST/@connections/L0SM9cOFvHcCIhw="
	tableARN   = "arn:aws:dynamodb:us-east-1:111122223333:table/Connections"
)

// actionAndResourceCases are the cases of TestEvaluateActionAndResource.
var actionAndResourceCases = map[string]struct {
	statement        string
	action, resource string
	want             Effect
}{
	"exact": {
		`{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"` + connectARN + `"}`,
		"execute-api:Invoke", connectARN, Allow,
	},
	"action in another case": {
		`{"Effect":"Allow","Action":"Execute-API:inVOKE","Resource":"*"}`, "execute-api:Invoke", connectARN, Allow,
	},
	"resource in another case": {
		`{"Effect":"Allow","Action":"execute-api:Invoke",` +
			`"Resource":"arn:aws:execute-api:us-east-1:111122223333:CHAT/prod/$connect"}`,
		"execute-api:Invoke", connectARN, ImplicitDeny,
	},
	"another action": {
		`{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"*"}`,
		"execute-api:Invoke", connectARN, ImplicitDeny,
	},
	"action by wildcard": {
		`{"Effect":"Allow","Action":["s3:*","execute-api:I?v*e"],"Resource":"*"}`,
		"execute-api:Invoke", connectARN, Allow,
	},
	"callback of any connection": {
		`{"Effect":"Allow","Action":"execute-api:ManageConnections",` +
			`"Resource":"arn:aws:execute-api:us-east-1:111122223333:chat/prod/POST/@connections/*"}`,
		"execute-api:ManageConnections", postARN, Allow,
	},
	"callback of another method": {
		`{"Effect":"Allow","Action":"execute-api:ManageConnections",` +
			`"Resource":"arn:aws:execute-api:us-east-1:111122223333:chat/prod/DELETE/@connections/*"}`,
		"execute-api:ManageConnections", postARN, ImplicitDeny,
	},
	"wildcard crosses slashes": {
		`{"Effect":"Allow","Action":"execute-api:*",` +
			`"Resource":"arn:aws:execute-api:us-east-1:111122223333:chat/*"}`,
		"execute-api:ManageConnections", postARN, Allow,
	},
	"wildcard in the last part matches colons": {
		`{"Effect":"Allow","Action":"lambda:InvokeFunction",` +
			`"Resource":"arn:aws:lambda:us-east-1:111122223333:function:*"}`,
		"lambda:InvokeFunction", "arn:aws:lambda:us-east-1:111122223333:function:Reaper:live", Allow,
	},
	"incomplete ARN is completed": {
		`{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api"}`,
		"execute-api:Invoke", connectARN, Allow,
	},
	"incomplete ARN of another service": {
		`{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:dynamodb"}`,
		"execute-api:Invoke", connectARN, ImplicitDeny,
	},
	"empty parts are empty": {
		`{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:::chat/prod/$connect"}`,
		"execute-api:Invoke", connectARN, ImplicitDeny,
	},
	"second of several resources": {
		`{"Effect":"Allow","Action":"execute-api:Invoke","Resource":["` + tableARN + `","` + connectARN + `"]}`,
		"execute-api:Invoke", connectARN, Allow,
	},
	"action without a resource needs a star": {
		`{"Effect":"Allow","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:*:*:*"}`,
		"dynamodb:ListTables", "*", ImplicitDeny,
	},
	"action without a resource under a star": {
		`{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}`, "dynamodb:ListTables", "*", Allow,
	},
	"resource that is no whole ARN": {
		`{"Effect":"Allow","Action":"s3:*","Resource":"arn:*:s3:*:*:*"}`, "s3:GetObject", "arn:aws:s3", ImplicitDeny,
	},
	"not action excludes": {
		`{"Effect":"Allow","NotAction":["dynamodb:Scan","dynamodb:Delete*"],"Resource":"*"}`,
		"dynamodb:DeleteTable", tableARN, ImplicitDeny,
	},
	"not action includes the rest": {
		`{"Effect":"Allow","NotAction":["dynamodb:Scan","dynamodb:Delete*"],"Resource":"*"}`,
		"dynamodb:GetItem", tableARN, Allow,
	},
	"not resource excludes": {
		`{"Effect":"Allow","Action":"dynamodb:*","NotResource":"` + tableARN + `"}`,
		"dynamodb:GetItem", tableARN, ImplicitDeny,
	},
	"not resource includes the rest": {
		`{"Effect":"Allow","Action":"dynamodb:*","NotResource":"` + tableARN + `"}`,
		"dynamodb:GetItem", tableARN + "2", Allow,
	},
	"not resource star excludes all": {
		`{"Effect":"Allow","Action":"dynamodb:*","NotResource":"*"}`, "dynamodb:GetItem", tableARN, ImplicitDeny,
	},
}

func TestEvaluateActionAndResource(t *testing.T) {
	t.Parallel()
	for name, tt := range actionAndResourceCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantEffect(t, tt.statement, tt.action, tt.resource, tt.want)
		})
	}
}

// A wildcard stands for a part of an ARN, or for some of it. One that crosses a colon allows nothing, but denies.
func TestEvaluateWildcards(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		effect, element, api string // the part of the ARN before the route
		want                 Effect
	}{
		"past a colon allows nothing":      {"Allow", "Resource", "arn:aws:execute-api:*:chat", ImplicitDeny},
		"past a colon denies":              {"Deny", "Resource", "arn:aws:execute-api:*:chat", ExplicitDeny},
		"in a part past a colon denies":    {"Deny", "Resource", "arn:aws:execute-api:us-*3333:chat", ExplicitDeny},
		"NotResource past a colon":         {"Allow", "NotResource", "arn:aws:execute-api:*:chat", ImplicitDeny},
		"NotResource past a colon denies":  {"Deny", "NotResource", "arn:aws:execute-api:*:chat", ExplicitDeny},
		"NotResource that reaches nothing": {"Allow", "NotResource", "arn:aws:execute-api:*:other", Allow},
		"for whole parts":                  {"Allow", "Resource", "arn:*:execute-api:*:*:*", Allow},
		"does not cross a colon":           {"Allow", "Resource", "arn:aws:execute-api:us*:chat", ImplicitDeny},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			statement := fmt.Sprintf(`{"Effect":%q,"Action":"execute-api:Invoke",%q:"%s/prod/$connect"}`,
				tt.effect, tt.element, tt.api)
			wantEffect(t, statement, "execute-api:Invoke", connectARN, tt.want)
		})
	}
}

// wantEffect checks the effect of a statement alone on an action on a resource.
func wantEffect(t *testing.T, statement, action, resource string, want Effect) {
	t.Helper()
	d := mustParse(t, `{"Version":"2012-10-17","Statement":[`+statement+`]}`)
	if got := Evaluate([]Document{d}, Request{Action: action, Resource: resource}); got.Effect != want {
		t.Errorf("Evaluate(%s on %s) = %v, want %v", action, resource, got.Effect, want)
	}
}

func TestEvaluateDenyWins(t *testing.T) {
	t.Parallel()
	allow := mustParse(t, `{"Statement":[
		{"Sid":"Read","Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"},
		{"Sid":"All","Effect":"Allow","Action":"*","Resource":"*"}]}`)
	deny := mustParse(t, `{"Statement":{"Effect":"Deny","Action":"execute-api:ManageConnections","Resource":"*"}}`)
	for name, tt := range map[string]struct {
		documents []Document
		action    string
		want      Decision
	}{
		"no policy":            {nil, "dynamodb:GetItem", Decision{Effect: ImplicitDeny}},
		"the zero document":    {[]Document{{}}, "dynamodb:GetItem", Decision{Effect: ImplicitDeny}},
		"first allow is named": {[]Document{allow, deny}, "dynamodb:GetItem", Decision{Allow, "Read"}},
		"deny after allow": {
			[]Document{allow, deny}, "execute-api:ManageConnections", Decision{ExplicitDeny, "#1"},
		},
		"deny before allow": {
			[]Document{deny, allow}, "execute-api:ManageConnections", Decision{ExplicitDeny, "#1"},
		},
		"deny of another action":     {[]Document{deny, allow}, "execute-api:Invoke", Decision{Allow, "All"}},
		"deny alone allows nothing":  {[]Document{deny}, "execute-api:Invoke", Decision{Effect: ImplicitDeny}},
		"an implicit deny is unsaid": {[]Document{deny}, "dynamodb:GetItem", Decision{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Evaluate(tt.documents, Request{Action: tt.action, Resource: postARN})
			if got != tt.want {
				t.Errorf("Evaluate = %+v, want %+v", got, tt.want)
			}
			if got.Allowed() != (tt.want.Effect == Allow) {
				t.Errorf("Allowed() = %v for %v", got.Allowed(), got.Effect)
			}
		})
	}
}

func TestEffectNames(t *testing.T) {
	t.Parallel()
	for effect, want := range map[Effect]string{
		Allow: "allow", ExplicitDeny: "explicit deny", ImplicitDeny: "implicit deny",
	} {
		if got := effect.String(); got != want {
			t.Errorf("Effect(%d).String() = %q, want %q", effect, got, want)
		}
	}
}
