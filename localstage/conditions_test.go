package localstage

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"signedsocket/localstage/internal/iamauth"
	"signedsocket/localstage/internal/policy"
)

func TestPoliciesSeeTheSourceOfARequest(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]bool{
		`{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`:              true,
		`{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}}`:           false,
		`{"Bool":{"aws:SecureTransport":"true"}}`:                    true,
		`{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01"}}`:       true,
		`{"DateLessThan":{"aws:CurrentTime":"2020-01-01"}}`:          false,
		`{"NumericGreaterThan":{"aws:EpochTime":"1577836800"}}`:      true,
		`{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}`:       true,
		`{"StringEquals":{"aws:PrincipalArn":"arn:aws:iam::1:a/b"}}`: false,
	} {
		document, err := policy.Parse([]byte(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":` +
			condition + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		caller := iamauth.NewUserPrincipal(iamauth.User{
			AccountID: AccountID, Name: "someone", Policies: []policy.Document{document},
		})
		// the request comes from 192.0.2.1
		request := policy.Request{
			Action: "execute-api:Invoke", Resource: "*", Context: conditions(httptest.NewRequest("GET", "/prod", nil)),
		}
		if got := caller.Allows(request).Allowed(); got != want {
			t.Errorf("%s: allowed %v, want %v", condition, got, want)
		}
	}
}

func TestEveryConditionKeyOfARequestCountsAsSupplied(t *testing.T) {
	t.Parallel()
	for key := range conditions(httptest.NewRequest("GET", "/prod", nil)) {
		if !slices.Contains(suppliedKeys(), strings.ToLower(key)) {
			t.Errorf("%s is supplied and warned of", key)
		}
	}
}

func TestTheLogWarnsOfConditionKeysThatNoRequestHas(t *testing.T) {
	t.Parallel()
	document, err := policy.Parse([]byte(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{
		"StringEquals":{"aws:PrincipalOrgID":"o-1","aws:username":"admin"},
		"ForAllValues:StringLike":{"dynamodb:LeadingKeys":"USER#*"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	warnOfPolicy(slog.New(slog.NewTextHandler(&log, nil)), "SomeRole", document)
	if lines := strings.Count(log.String(), "\n"); lines != 1 ||
		!strings.Contains(log.String(), "role=SomeRole key=aws:principalorgid") {
		t.Errorf("want one warning, of aws:PrincipalOrgID:\n%s", log.String())
	}
}
