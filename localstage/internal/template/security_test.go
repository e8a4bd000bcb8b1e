package template

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// These are the rules of this project's template, which every change must keep.

// report reports a broken rule. A test of the template fails with it; a test of the rules collects it.
type report func(format string, args ...any)

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
	grantNoWildcards(t, loadRepository(t), t.Errorf)
}

// grantNoWildcards reports actions with a wildcard, and permissions for every resource.
func grantNoWildcards(t *testing.T, loaded *Template, fail report) {
	t.Helper()
	for _, s := range statements(t, loaded.Roles) {
		for _, action := range s.Action {
			if strings.Contains(action, "*") {
				fail("%s: action %s has a wildcard", s.role, action)
			}
		}
		if s.Effect == "Allow" && slices.Contains(s.Resource, "*") {
			fail("%s: %v is allowed on every resource", s.role, s.Action)
		}
	}
}

func TestOnlySignUrlOpensConnections(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string][]string{
		"jwt": {"SignUrlRole"}, "guest": {"SignUrlRole"}, "iam": {"FrontendRole", "SignUrlRole"},
	} {
		var roles []string
		loaded := mustLoadWith(t, map[string]string{"AuthMode": mode})
		connect := loaded.WebSocketAPIs[0].ID + "/prod/$connect"
		ask := loaded.HTTPAPIs[0].ID + "/*/POST/sign"
		for _, s := range statements(t, loaded.Roles) {
			if s.Effect != "Allow" || !slices.Contains(s.Action, "execute-api:Invoke") {
				continue
			}
			roles = append(roles, s.role)
			only := map[string][]string{"SignUrlRole": {connect}, "FrontendRole": {ask + "url", ask + "out"}}[s.role]
			var want texts
			for _, resource := range only {
				want = append(want, "arn:aws:execute-api:us-east-1:111122223333:"+resource)
			}
			if !slices.Equal(s.Resource, want) {
				t.Errorf("mode %s: %s may invoke %v, want %q alone", mode, s.role, s.Resource, want)
			}
		}
		if !slices.Equal(roles, want) {
			t.Errorf("mode %s: roles that may invoke an API are %v, want %v", mode, roles, want)
		}
	}
}

func TestRolesPostToConnectionsByRouteOnly(t *testing.T) {
	t.Parallel()
	manageByRoute(t, loadRepository(t), t.Errorf)
}

// manageByRoute reports roles that may post to connections or close them by other routes than theirs.
func manageByRoute(t *testing.T, loaded *Template, fail report) {
	t.Helper()
	for _, s := range statements(t, loaded.Roles) {
		if s.Effect != "Allow" || !slices.Contains(s.Action, "execute-api:ManageConnections") {
			continue
		}
		allowed := map[string][]string{
			"ConnectRole":     {"/prod/POST/@connections/*", "/prod/DELETE/@connections/*"},
			"SendMessageRole": {"/prod/POST/@connections/*", "/prod/DELETE/@connections/*"},
			"HistoryRole":     {"/prod/POST/@connections/*", "/prod/DELETE/@connections/*"},
			"FanoutRole":      {"/prod/POST/@connections/*"},
			"PresenceRole":    {"/prod/POST/@connections/*"},
			"ReaperRole":      {"/prod/POST/@connections/*", "/prod/DELETE/@connections/*"},
		}[s.role]
		for _, resource := range s.Resource {
			if _, path, _ := strings.Cut(resource, "/"); !slices.Contains(allowed, "/"+path) {
				fail("%s may manage %s: only connect, sendmessage, history and the reaper post and close, and fanout "+
					"and presence post", s.role, resource)
			}
		}
	}
}

func TestOnlySendMessageInvokesAndOnlyFanout(t *testing.T) {
	t.Parallel()
	loaded := loadRepository(t)
	fanout := slices.IndexFunc(loaded.Functions, func(f Function) bool { return f.LogicalID == "FanoutFunction" })
	for _, s := range statements(t, loaded.Roles) {
		if !slices.ContainsFunc(s.Action, func(a string) bool { return strings.HasPrefix(a, "lambda:") }) {
			continue
		}
		if s.role != "SendMessageRole" || !slices.Equal(s.Action, texts{"lambda:InvokeFunction"}) ||
			!slices.Equal(s.Resource, texts{loaded.Functions[fanout].ARN}) {
			t.Errorf("%s: %v is allowed on %v", s.role, s.Action, s.Resource)
		}
	}
}

// Events that Lambda gave up are kept encrypted, and for a limited time: they hold the messages of users.
func TestFailedEventsAreKeptForALimitedTime(t *testing.T) {
	t.Parallel()
	for logicalID, r := range readGolden(t)["Resources"].(map[string]any) {
		resource := r.(map[string]any)
		if resource["Type"] != "AWS::SQS::Queue" {
			continue
		}
		properties := resource["Properties"].(map[string]any)
		if properties["SqsManagedSseEnabled"] != true || properties["MessageRetentionPeriod"] != 259200.0 {
			t.Errorf("%s: %v", logicalID, properties)
		}
	}
	want := []EventInvokeConfig{
		{
			Function:             "FanoutFunction",
			MaximumRetryAttempts: 0,
			MaximumEventAge:      time.Minute,
		},
		// These run again in a minute anyway.
		{Function: "PresenceFunction", MaximumRetryAttempts: 0, MaximumEventAge: time.Minute},
		{Function: "ReaperFunction", MaximumRetryAttempts: 0, MaximumEventAge: time.Minute},
	}
	got := loadRepository(t).EventInvokeConfigs
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(EventInvokeConfig{}, "OnFailureARN")); diff != "" {
		t.Errorf("asynchronous invocations (-want +got):\n%s", diff)
	}
}

func TestTableIsGrantedByKeyOrTransaction(t *testing.T) {
	t.Parallel()
	grantByKey(t, loadRepository(t), t.Errorf)
}

// grantByKey reports grants on the table of connections that are neither by key nor by transaction. It also reports
// grants on the table of bans that are not by single actions.
func grantByKey(t *testing.T, loaded *Template, fail report) {
	t.Helper()
	for _, s := range statements(t, loaded.Roles) {
		if !slices.ContainsFunc(s.Action, func(a string) bool { return strings.HasPrefix(a, "dynamodb:") }) {
			continue
		}
		keys := s.Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
		// ForAllValues holds for a request without the key. It limits nothing without its Null twin.
		present := s.Condition["Null"]["dynamodb:LeadingKeys"]
		transaction := s.Condition["ForAnyValue:StringEquals"]["dynamodb:EnclosingOperation"]
		if len(s.Resource) == 1 && strings.Contains(s.Resource[0], "BansTable") && len(s.Action) == 1 &&
			!strings.Contains(s.Action[0], "*") {
			continue
		}
		byKey := len(keys) > 0 && slices.Equal(present, []string{"false"})
		if !byKey && !slices.Equal(transaction, []string{"TransactWriteItems"}) &&
			!slices.Equal(transaction, []string{"TransactGetItems"}) {
			fail("%s: %v is granted for the whole table", s.role, s.Action)
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
	source := regexp.MustCompile(`^arn:aws:execute-api:us-east-1:111122223333:[a-z0-9]{10}/` +
		`(prod/[$a-z]+|\*/[A-Z]+/[a-z/]+|\*/\$default)$`)
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
		if connect < 0 || api.Routes[connect].AuthorizationType != "AWS_IAM" {
			t.Errorf("%s: $connect must be authorized by AWS_IAM", api.LogicalID)
		}
		for _, r := range api.Routes {
			if (r.Throttle == nil) != (r.Key == "$connect") {
				t.Errorf("%s: %s: only $connect takes the throttle of the stage, which the parameters set",
					api.LogicalID, r.Key)
			}
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
			// The page is public.
			page := r.Key == "$default" && r.Function == pageFunction
			if r.AuthorizationType != "JWT" && !page {
				t.Errorf("%s: %s is authorized by %s by default", api.LogicalID, r.Key,
					r.AuthorizationType)
			}
			if (r.Throttle == nil) != (r.Key == "POST /signurl") {
				t.Errorf("%s: %s: only POST /signurl takes the throttle of the stage, which the parameters set",
					api.LogicalID, r.Key)
			}
		}
	}
}

func TestDeploymentNeedsAnHTTPSIssuer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ issuer, want string }{
		"no issuer": {"", "Rules.JwtNeedsIssuer: AuthMode jwt needs OidcIssuer"},
		"issuer over http": {
			"http://id.example.com", `Parameters.OidcIssuer: "http://id.example.com" does not meet AllowedPattern`,
		},
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

// checkError checks that an error has a part of its text. An empty want stands for no error.
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

// mistake is an edit of a template, and a part of the error that it causes.
type mistake struct{ old, replacement, want string }

// checkMistakes makes each mistake once in a template.
func checkMistakes(t *testing.T, template string, mistakes map[string]mistake) {
	t.Helper()
	for name, test := range mistakes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(template, test.old, test.replacement, 1)
			if text == template {
				t.Fatalf("%q is not in the template of this test", test.old)
			}
			_, err := loadText(text, testOptions())
			checkError(t, err, test.want)
		})
	}
}

// checkAccessLog checks that the socket's access log exists on demand, and that of the HTTP API always. Both must hold
// no variable with a part of the path, the query or the headers.
func checkAccessLog(t *testing.T, logicalID string, settings any) {
	t.Helper()
	text, err := json.Marshal(settings)
	demanded := strings.HasPrefix(string(text), `{"Fn::If":["LogWebSocket",`) &&
		strings.HasSuffix(string(text), `{"Ref":"AWS::NoValue"}]}`)
	always := strings.HasPrefix(
		string(text),
		`{"DestinationArn":{"Fn::Sub":"arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:`+
			`${HttpAccessLogs}"}`,
	)
	if err != nil || demanded == (logicalID == "HttpStage") || always != (logicalID == "HttpStage") {
		t.Errorf("%s has the access log %s", logicalID, text)
	}
	harmless := []string{
		"requestId",
		"connectionId",
		"routeKey",
		"eventType",
		"status",
		"error.responseType",
		"integration.error",
		"integrationLatency",
		"connectedAt",
		"identity.sourceIp",
		"responseLatency",
		"integrationStatus",
		"authorizer.error",
	}
	if logicalID == "HttpStage" {
		findsAFlood := []string{"identity.sourceIp", "routeKey", "status", "responseLatency", "authorizer.error"}
		for _, needed := range findsAFlood {
			if !strings.Contains(string(text), "$context."+needed+`\"`) {
				t.Errorf("%s does not log $context.%s, by which a flood is found", logicalID, needed)
			}
		}
	}
	for _, m := range regexp.MustCompile(`\$context\.([\w.]+)`).FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(harmless, m[1]) {
			t.Errorf("%s logs $context.%s, which is on no list of harmless variables", logicalID, m[1])
		}
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
			runtime := `"provided.al2023"`
			if logicalID == pageFunction {
				runtime = `"nodejs24.x"`
			}
			set("Runtime", runtime)
			set("Architectures", `["arm64"]`)
		case "AWS::DynamoDB::Table":
			set("TimeToLiveSpecification", `{"AttributeName":"expiresAt","Enabled":true}`)
			set("BillingMode", `"PAY_PER_REQUEST"`)
		case "AWS::Logs::LogGroup":
			if !strings.HasSuffix(logicalID, "AccessLogs") { // the gateway's own logs
				logs++
			}
			set("RetentionInDays", `{"Ref":"LogRetentionDays"}`)
		case "AWS::ApiGatewayV2::Stage":
			set("AutoDeploy", "true")
			checkAccessLog(t, logicalID, properties["AccessLogSettings"])
			// Traces hold the signed query.
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
