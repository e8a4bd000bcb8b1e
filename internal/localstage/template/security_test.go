package template

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The rules that this project's template keeps, whatever is added to it.

// statement is one statement of a role's policy.
type statement struct {
	role             string
	Effect           string
	Action, Resource texts
	Condition        map[string]map[string]texts
}

// texts is a JSON string or list of strings.
type texts []string

func (t *texts) UnmarshalJSON(data []byte) error {
	if data[0] == '[' {
		return json.Unmarshal(data, (*[]string)(t))
	}
	*t = make(texts, 1)
	return json.Unmarshal(data, &(*t)[0])
}

func statements(t *testing.T, roles []Role) []statement {
	t.Helper()
	var all []statement
	for _, role := range roles {
		for _, data := range role.Policies {
			var document struct{ Statement []statement }
			if err := json.Unmarshal(data, &document); err != nil {
				t.Fatalf("policy of %s: %v", role.LogicalID, err)
			}
			for _, s := range document.Statement {
				s.role = role.LogicalID
				all = append(all, s)
			}
		}
	}
	return all
}

func TestPoliciesGrantNoWildcards(t *testing.T) {
	t.Parallel()
	for _, s := range statements(t, loadRepository(t).Roles) {
		for _, action := range s.Action {
			if strings.Contains(action, "*") {
				t.Errorf("%s: action %s has a wildcard", s.role, action)
			}
		}
		if s.Effect == "Allow" && slices.Contains(s.Resource, "*") {
			t.Errorf("%s: %v is allowed on every resource", s.role, s.Action)
		}
	}
}

func TestOnlySignUrlOpensConnections(t *testing.T) {
	t.Parallel()
	var roles []string
	for _, s := range statements(t, loadRepository(t).Roles) {
		if s.Effect != "Allow" || !slices.Contains(s.Action, "execute-api:Invoke") {
			continue
		}
		roles = append(roles, s.role)
		for _, resource := range s.Resource {
			if !strings.HasSuffix(resource, "/prod/$connect") {
				t.Errorf("%s may invoke %s, only $connect is to be signed for", s.role, resource)
			}
		}
	}
	if !slices.Equal(roles, []string{"SignUrlRole"}) {
		t.Errorf("roles that may open connections: %v, want SignUrlRole alone", roles)
	}
}

func TestConnectionsArePostedToByRoute(t *testing.T) {
	t.Parallel()
	for _, s := range statements(t, loadRepository(t).Roles) {
		if s.Effect != "Allow" || !slices.Contains(s.Action, "execute-api:ManageConnections") {
			continue
		}
		allowed := map[string][]string{
			"SendMessageRole": {"/prod/POST/@connections/*"},
			"ReaperRole":      {"/prod/POST/@connections/*", "/prod/DELETE/@connections/*"},
		}[s.role]
		for _, resource := range s.Resource {
			if _, path, _ := strings.Cut(resource, "/"); !slices.Contains(allowed, "/"+path) {
				t.Errorf("%s may manage %s, only the reaper closes and only it and sendmessage post", s.role, resource)
			}
		}
	}
}

func TestTableIsGrantedByKeyOrTransaction(t *testing.T) {
	t.Parallel()
	for _, s := range statements(t, loadRepository(t).Roles) {
		if !slices.ContainsFunc(s.Action, func(a string) bool { return strings.HasPrefix(a, "dynamodb:") }) {
			continue
		}
		keys := s.Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
		// ForAllValues holds for a request without the key: only with its Null twin does it limit anything.
		present := s.Condition["Null"]["dynamodb:LeadingKeys"]
		transaction := s.Condition["ForAnyValue:StringEquals"]["dynamodb:EnclosingOperation"]
		byKey := len(keys) > 0 && slices.Equal(present, []string{"false"})
		if !byKey && !slices.Equal(transaction, []string{"TransactWriteItems"}) {
			t.Errorf("%s: %v is granted for the whole table", s.role, s.Action)
		}
	}
}

func TestEachFunctionHasARoleOfItsOwn(t *testing.T) {
	t.Parallel()
	owner := make(map[string]string)
	for _, f := range loadRepository(t).Functions {
		if other := owner[f.Role]; other != "" {
			t.Errorf("%s and %s share %s", f.LogicalID, other, f.Role)
		}
		owner[f.Role] = f.LogicalID
	}
}

func TestPermissionsNameAccountAndRoute(t *testing.T) {
	t.Parallel()
	source := regexp.MustCompile(`^arn:aws:execute-api:us-east-1:111122223333:[a-z0-9]{10}/(prod/[$a-z]+|\*/[A-Z]+/[a-z/]+)$`)
	loaded := loadRepository(t)
	for _, p := range loaded.Permissions {
		if p.Principal == "events.amazonaws.com" && slices.ContainsFunc(loaded.Schedules, func(s Schedule) bool {
			return s.Function == p.Function && s.ARN == p.SourceARN
		}) {
			continue
		}
		if p.Principal != "apigateway.amazonaws.com" || !source.MatchString(p.SourceARN) {
			t.Errorf("%s may be invoked by %s for %q", p.Function, p.Principal, p.SourceARN)
		}
	}
}

func TestRoutesAreAuthorizedAndThrottled(t *testing.T) {
	t.Parallel()
	loaded := loadRepository(t)
	for _, api := range loaded.WebSocketAPIs {
		connect := slices.IndexFunc(api.Routes, func(r Route) bool { return r.Key == "$connect" })
		if connect < 0 || api.Routes[connect].AuthorizationType != "AWS_IAM" || api.Routes[connect].Throttle == nil {
			t.Errorf("%s: $connect must be authorized by AWS_IAM and have a throttle of its own", api.LogicalID)
		}
		if api.Throttle.RateLimit == 0 || api.Throttle.BurstLimit == 0 {
			t.Errorf("%s has no throttle", api.LogicalID)
		}
	}
	for _, api := range loaded.HTTPAPIs {
		if api.Throttle.RateLimit == 0 || api.Throttle.BurstLimit == 0 {
			t.Errorf("%s has no throttle", api.LogicalID)
		}
		for _, r := range api.Routes {
			if r.AuthorizationType != "JWT" {
				t.Errorf("%s: %s is authorized by %s unless somebody chooses otherwise", api.LogicalID, r.Key, r.AuthorizationType)
			}
		}
	}
}

func TestUnconfiguredIsClosed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ issuer, want string }{
		"no issuer":         {"", "Rules.JwtNeedsIssuer: AuthMode jwt needs OidcIssuer"},
		"issuer over http":  {"http://id.example.com", `Parameters.OidcIssuer: "http://id.example.com" does not meet AllowedPattern`},
		"issuer is no URL":  {"id.example.com", "does not meet AllowedPattern"},
		"issuer over https": {"https://id.example.com", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := testOptions()
			o.Parameters = map[string]string{"OidcIssuer": test.issuer}
			_, err := Load(root+"/template.yaml", o)
			checkError(t, err, test.want)
		})
	}
}

// checkError holds an error to a part of its text; an empty want stands for no error.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("got error %q, want none", err)
	case want != "" && err == nil:
		t.Errorf("got no error, want one with %q", want)
	case want != "" && !strings.Contains(err.Error(), want):
		t.Errorf("got error %q, want one with %q", err, want)
	case err != nil && strings.Contains(err.Error(), "\n"):
		t.Errorf("error %q has more than one line", err)
	}
}

func TestDeployedSettings(t *testing.T) {
	t.Parallel()
	resources := readGolden(t)["Resources"].(map[string]any)
	logs := 0
	for logicalID, r := range resources {
		resource := r.(map[string]any)
		properties := resource["Properties"].(map[string]any)
		set := func(name string, want any) {
			if got, _ := json.Marshal(properties[name]); string(got) != want {
				t.Errorf("%s: %s is %s, want %s", logicalID, name, got, want)
			}
		}
		switch resource["Type"] {
		case "AWS::Lambda::Function":
			set("Runtime", `"provided.al2023"`)
			set("Architectures", `["arm64"]`)
		case "AWS::DynamoDB::Table":
			set("TimeToLiveSpecification", `{"AttributeName":"expiresAt","Enabled":true}`)
			set("BillingMode", `"PAY_PER_REQUEST"`)
		case "AWS::Logs::LogGroup":
			logs++
			set("RetentionInDays", `{"Ref":"LogRetentionDays"}`)
		case "AWS::ApiGatewayV2::Stage":
			set("AutoDeploy", "true")
			// Traces and access logs could hold the signed query.
			set("AccessLogSettings", "null")
			if text, _ := json.Marshal(properties); strings.Contains(string(text), `"DataTraceEnabled":true`) {
				t.Errorf("%s traces data", logicalID)
			}
		case "AWS::Lambda::Url":
			t.Errorf("%s is a function URL: functions are reached through an API", logicalID)
		}
	}
	if functions := len(loadRepository(t).Functions); logs != functions {
		t.Errorf("%d log groups for %d functions", logs, functions)
	}
}
