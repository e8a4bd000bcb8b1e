package iamauth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"signedsocket/localstage/internal/policy"
	"signedsocket/localstage/internal/sigv4"
)

func TestRolePrincipalHasTheFormsOfARoleSession(t *testing.T) {
	t.Parallel()
	p := newSignURL(t)
	c := p.Credentials()
	for what, tt := range map[string]struct{ got, want string }{
		"access key ID":     {c.AccessKeyID, `^ASIA[A-Z2-7]{16}$`},
		"secret access key": {c.SecretAccessKey, `^[A-Za-z0-9+/]{40}$`},
		"session token":     {c.SessionToken, `^IQoJb3JpZ2luX2Vj[A-Za-z0-9+/]{815}=$`},
		"ARN":               {p.ARN, `^arn:aws:sts::111122223333:assumed-role/SignUrlRole/SignUrlFunction$`},
		"user ID":           {p.UserID, `^AROAEXAMPLEROLEID1234:SignUrlFunction$`},
		"account":           {p.AccountID, `^111122223333$`},
	} {
		if !regexp.MustCompile(tt.want).MatchString(tt.got) {
			t.Errorf("%s is %q, want %s", what, tt.got, tt.want)
		}
	}
	if p.AccessKeyID != c.AccessKeyID {
		t.Errorf("AccessKeyID is %s, the credentials have %s", p.AccessKeyID, c.AccessKeyID)
	}
	if n := len(url.QueryEscape(c.SessionToken)); n < 600 || n > 1000 {
		t.Errorf("the session token has %d characters in a URL, want 600 to 1000 as AWS's have", n)
	}
}

func TestUserPrincipalHasTheFormsOfAUser(t *testing.T) {
	t.Parallel()
	p := newAdmin(t)
	c := p.Credentials()
	for what, tt := range map[string]struct{ got, want string }{
		"access key ID":     {c.AccessKeyID, `^AKIA[A-Z2-7]{16}$`},
		"secret access key": {c.SecretAccessKey, `^[A-Za-z0-9+/]{40}$`},
		"session token":     {c.SessionToken, `^$`},
		"ARN":               {p.ARN, `^arn:aws:iam::111122223333:user/admin$`},
		"user ID":           {p.UserID, `^AIDA[A-Z2-7]{17}$`},
	} {
		if !regexp.MustCompile(tt.want).MatchString(tt.got) {
			t.Errorf("%s is %q, want %s", what, tt.got, tt.want)
		}
	}
}

func TestCredentialsAreNewForEachPrincipal(t *testing.T) {
	t.Parallel()
	a, b := newSignURL(t).Credentials(), newSignURL(t).Credentials()
	if a.AccessKeyID == b.AccessKeyID || a.SecretAccessKey == b.SecretAccessKey || a.SessionToken == b.SessionToken {
		t.Error("two principals share a part of their credentials")
	}
}

func TestAllowsAddsThePrincipalsConditionKeys(t *testing.T) {
	t.Parallel()
	when := func(condition string) []policy.Document {
		return parsePolicy(t,
			`{"Statement":{"Effect":"Allow","Action":"a:B","Resource":"*","Condition":`+condition+`}}`)
	}
	role := func(condition string) *Principal {
		return NewRolePrincipal(RoleSession{
			AccountID: testAccount, RoleName: "R", RoleID: "AROA", FunctionName: "F", Policies: when(condition),
		})
	}
	user := func(condition string) *Principal {
		return NewUserPrincipal(User{AccountID: testAccount, Name: "admin", Policies: when(condition)})
	}
	given := policy.Context{"k": {"v"}, "aws:PrincipalArn": {"arn:aws:iam::999999999999:role/Forged"}}
	for name, tt := range map[string]struct {
		principal *Principal
		context   policy.Context
		want      bool
	}{
		"role's ARN, not the session's": {
			role(`{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/R"}}`), nil, true,
		},
		"role's account":        {role(`{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`), nil, true},
		"role's user ID":        {role(`{"StringLike":{"aws:userId":"AROA:*"}}`), nil, true},
		"role has no user name": {role(`{"Null":{"aws:username":"true"}}`), nil, true},
		"user's name": {
			user(`{"StringEquals":{"aws:username":"admin","aws:PrincipalType":"User"}}`), nil, true,
		},
		"keys of the request stay": {
			role(`{"StringEquals":{"k":"v","aws:PrincipalType":"AssumedRole"}}`), given, true,
		},
		"keys of the principal win": {
			role(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::999999999999:role/*"}}`), given, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.principal.Allows(policy.Request{
				Action: "a:B", Resource: "*", Context: tt.context,
			}); got.Allowed() != tt.want {
				t.Errorf("Allows = %v, want %v", got, tt.want)
			}
		})
	}
	if len(given) != 2 {
		t.Errorf("the request's context was changed to %v", given)
	}
}

func TestNothingPrintsASecret(t *testing.T) {
	t.Parallel()
	p := newSignURL(t)
	a := newAuthority(t, p)
	signed := signedPost(t, p, "hello")
	_, refusal := a.Authenticate(signed, []byte("another body"), sigv4.ServiceExecuteAPI)
	c := p.Credentials()
	if refusal == nil || !strings.Contains(refusal.Message(), c.SessionToken) {
		t.Fatalf("Authenticate = %v, want a refusal that shows the client its token", refusal)
	}
	type holder struct {
		Shown  any
		hidden any
		p      *Principal
		r      *Refusal
	}
	for name, value := range map[string]any{
		"principal": p, "value of principal": *p, "refusal": refusal, "value of refusal": *refusal, "authority": a,
		"holder": holder{p, p, p, refusal}, "pointer to holder": &holder{refusal, *p, p, refusal},
		"list": []any{p, *p, refusal, c},
	} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("text", "value", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "value", value)
		if text, err := json.Marshal(value); err == nil {
			out.Write(text)
		}
		for _, secret := range []string{
			c.SecretAccessKey, c.SessionToken, fmt.Sprintf("%x", c.SecretAccessKey), fmt.Sprintf("%x", c.SessionToken),
		} {
			if strings.Contains(out.String(), secret) {
				t.Errorf("%s prints a secret:\n%s", name, out.String())
			}
		}
	}
}

func TestPrincipalAndRefusalPrintTheirFacts(t *testing.T) {
	t.Parallel()
	p := newSignURL(t)
	if got, want := p.String(), p.AccessKeyID+
		" (arn:aws:sts::111122223333:assumed-role/SignUrlRole/SignUrlFunction)"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	if got, want := unexpected().String(), "403 ForbiddenException: not of package sigv4"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("refused", "principal", p, "refusal", unexpected())
	for _, want := range []string{
		"principal.accessKeyId=ASIA", "principal.arn=arn:aws:sts::", "refusal.status=403",
		`refusal.reason="not of package sigv4"`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("log line %q lacks %q", out.String(), want)
		}
	}
}
