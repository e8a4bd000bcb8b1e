package template

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What holds for deployments only: the local stage has no user pool and tells nobody of alarms.

func TestParametersOfADeploymentFitTogether(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		parameters map[string]string
		want       string // empty: it can be deployed
	}{
		"cognito with an issuer": {map[string]string{"IdentityProvider": "cognito"}, "Rules.CognitoBringsItsIssuer"},
		"cognito for guests": {
			map[string]string{"IdentityProvider": "cognito", "OidcIssuer": "", "AuthMode": "guest"}, "has no sign-in",
		},
		"cognito on a local stage": {
			map[string]string{"IdentityProvider": "cognito", "OidcIssuer": ""},
			"(AWS::Cognito::UserPool) is not supported by the local stage",
		},
		"two ways to tell": {map[string]string{
			"AlarmEmail": "a@b.example", "AlarmTopicArn": "arn:aws:sns:us-east-1:111122223333:alarms",
		}, "Rules.OneWayToTell"},
		"mail": {map[string]string{"AlarmEmail": "a@b.example"}, ""},
		"a topic": {
			map[string]string{"AlarmTopicArn": "arn:aws:sns:us-east-1:111122223333:alarms"}, "",
		},
		"no mail address": {map[string]string{"AlarmEmail": "somebody"}, "AlarmEmail"},
		"no topic": {
			map[string]string{"AlarmTopicArn": "arn:aws:sqs:us-east-1:111122223333:alarms"}, "AlarmTopicArn",
		},
		"another word for off":        {map[string]string{"WebSocketLogs": "false"}, "WebSocketLogs"},
		"an unknown provider":         {map[string]string{"IdentityProvider": "ldap"}, "IdentityProvider"},
		"sign-up, neither yes nor no": {map[string]string{"CognitoSignUp": "maybe"}, "CognitoSignUp"},
	} {
		_, err := loadWith(test.parameters)
		t.Log(name)
		checkError(t, err, test.want)
	}
}

// goldenProperties are the properties of a resource of the SAM transform.
func goldenProperties(t *testing.T, logicalID string) map[string]any {
	t.Helper()
	resource, found := readGolden(t)["Resources"].(map[string]any)[logicalID].(map[string]any)
	if !found {
		t.Fatalf("the template has no %s", logicalID)
	}
	return resource["Properties"].(map[string]any)
}

// encodedIs checks a value by its JSON.
func encodedIs(t *testing.T, what string, value any, want string) {
	t.Helper()
	if got, err := json.Marshal(value); err != nil || string(got) != want {
		t.Errorf("%s is %s, want %s", what, got, want)
	}
}

func TestThePoolIsClosedUnlessSomebodyOpensIt(t *testing.T) {
	t.Parallel()
	pool, client := goldenProperties(t, "UserPool"), goldenProperties(t, "PageClient")
	encodedIs(t, "who makes users", pool["AdminCreateUserConfig"],
		`{"AllowAdminCreateUserOnly":{"Fn::If":["SignUpIsOpen",false,true]}}`)
	encodedIs(t, "the pool's protection", pool["DeletionProtection"], `{"Fn::If":["Protect","ACTIVE","INACTIVE"]}`)
	for property, want := range map[string]string{
		"GenerateSecret":             "false", // a page can keep none; PKCE takes its place
		"AllowedOAuthFlows":          `["code"]`,
		"AllowedOAuthScopes":         `["openid","profile"]`,
		"PreventUserExistenceErrors": `"ENABLED"`,
		"EnableTokenRevocation":      "true",
		"ExplicitAuthFlows": `["ALLOW_USER_SRP_AUTH","ALLOW_REFRESH_TOKEN_AUTH",{"Fn::If":["DevelopersSign",` +
			`"ALLOW_ADMIN_USER_PASSWORD_AUTH",{"Ref":"AWS::NoValue"}]}]`,
		"CallbackURLs": `[{"Fn::Sub":"https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/callback"},` +
			`{"Fn::If":["DevelopersSign","http://localhost:3000/callback",{"Ref":"AWS::NoValue"}]}]`,
	} {
		encodedIs(t, "PageClient."+property, client[property], want)
	}
}

// TestWhoSignsUsersInIsTheSameForAll: an authorizer that trusts one issuer and a function that trusts another let
// nobody in, or worse.
func TestWhoSignsUsersInIsTheSameForAll(t *testing.T) {
	t.Parallel()
	const issuer = `{"Fn::If":["UseCognito",{"Fn::GetAtt":["UserPool","ProviderURL"]},{"Ref":"OidcIssuer"}]}`
	configuration := goldenProperties(t, "SignUrlAuthorizer")["JwtConfiguration"].(map[string]any)
	encodedIs(t, "the authorizer's issuer", configuration["Issuer"], issuer)
	encodedIs(t, "the authorizer's audience", configuration["Audience"],
		`{"Fn::If":["UseCognito",[{"Ref":"PageClient"}],{"Ref":"OidcAudience"}]}`)
	readers := 0
	for logicalID, r := range readGolden(t)["Resources"].(map[string]any) {
		properties, _ := r.(map[string]any)["Properties"].(map[string]any)
		environment, _ := properties["Environment"].(map[string]any)
		variables, _ := environment["Variables"].(map[string]any)
		if given, found := variables["OIDC_ISSUER"]; found {
			readers++
			encodedIs(t, logicalID+".OIDC_ISSUER", given, issuer)
		}
	}
	if readers < 2 {
		t.Errorf("%d functions know the issuer, want signurl and the reaper at least", readers)
	}
}

// TestNothingHasAFixedName: several stacks live in one account and Region.
func TestNothingHasAFixedName(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`^(?:.*Name|Name|Domain)$`)
	notNames := []string{"StageName", "FunctionName", "MetricName"} // names of something else, or below an API
	for logicalID, r := range readGolden(t)["Resources"].(map[string]any) {
		for property, value := range r.(map[string]any)["Properties"].(map[string]any) {
			if !named.MatchString(property) || slices.Contains(notNames, property) {
				continue
			}
			text, err := json.Marshal(value)
			unique := strings.Contains(string(text), "${AWS::StackName}") ||
				strings.Contains(string(text), "${HttpApi}") || strings.Contains(string(text), `{"Ref":`)
			// names inside of something that has its own
			local := []string{"SignUrlAuthorizer.Name", "PageClient.ClientName"}
			if err != nil || !unique && !slices.Contains(local, logicalID+"."+property) {
				t.Errorf("%s.%s is %s in every stack", logicalID, property, text)
			}
		}
	}
	if _, exports := readGolden(t)["Exports"]; exports ||
		strings.Contains(readText(t, "template.yaml"), "\n    Export:") {
		t.Error("an output is exported under a name of the whole account")
	}
}

// TestWhatHoldsDataSaysWhatBecomesOfIt: CloudFormation deletes by default, and what an update replaces without a word
// is gone.
func TestWhatHoldsDataSaysWhatBecomesOfIt(t *testing.T) {
	t.Parallel()
	for logicalID, r := range readGolden(t)["Resources"].(map[string]any) {
		resource := r.(map[string]any)
		kinds := []string{"AWS::DynamoDB::Table", "AWS::Logs::LogGroup", "AWS::SQS::Queue", "AWS::Cognito::UserPool"}
		if kind, _ := resource["Type"].(string); slices.Contains(kinds, kind) &&
			(resource["DeletionPolicy"] == nil || resource["UpdateReplacePolicy"] == nil) {
			t.Errorf("%s does not say what becomes of it", logicalID)
		}
	}
	encodedIs(t, "the table's protection", goldenProperties(t, "ConnectionsTable")["DeletionProtectionEnabled"],
		`{"Fn::If":["Protect",true,false]}`)
}

// TestNoUserIsSentToLocalhostUnlessDevelopersSign: any program may listen there, and would read the code of a sign-in.
func TestNoUserIsSentToLocalhostUnlessDevelopersSign(t *testing.T) {
	t.Parallel()
	for logicalID, r := range readGolden(t)["Resources"].(map[string]any) {
		properties, _ := r.(map[string]any)["Properties"].(map[string]any)
		for _, name := range []string{"CallbackURLs", "LogoutURLs", "DefaultRedirectURI"} {
			list, _ := properties[name].([]any)
			for _, address := range list {
				text, err := json.Marshal(address)
				if err != nil ||
					strings.Contains(string(text), "localhost") &&
						!strings.HasPrefix(string(text), `{"Fn::If":["DevelopersSign",`) {
					t.Errorf("%s.%s sends users to %s in every deployment", logicalID, name, text)
				}
			}
		}
	}
}

// TestAlarmsExistWithoutAnAddress: an alarm that tells no address still shows in the console, and for other programs.
func TestAlarmsExistWithoutAnAddress(t *testing.T) {
	t.Parallel()
	const told = `{"Fn::If":["TellTopic",[{"Ref":"AlarmTopicArn"}],` +
		`{"Fn::If":["TellByMail",[{"Ref":"AlarmTopic"}],{"Ref":"AWS::NoValue"}]}]}`
	alarms := 0
	for logicalID, r := range readGolden(t)["Resources"].(map[string]any) {
		resource := r.(map[string]any)
		if resource["Type"] != "AWS::CloudWatch::Alarm" {
			continue
		}
		alarms++
		if resource["Condition"] != nil {
			t.Errorf("%s exists only under the condition %v", logicalID, resource["Condition"])
		}
		for _, actions := range []string{"AlarmActions", "OKActions"} {
			encodedIs(t, logicalID+"."+actions, resource["Properties"].(map[string]any)[actions], told)
		}
	}
	if alarms < 15 {
		t.Errorf("found %d alarms: the form of the template has changed", alarms)
	}
}

// TestEveryRoleTakesTheBoundary: a role that forgot it would be the one that a deployment role may not make.
func TestEveryRoleTakesTheBoundary(t *testing.T) {
	t.Parallel()
	roles := 0
	for logicalID, r := range readGolden(t)["Resources"].(map[string]any) {
		resource := r.(map[string]any)
		if resource["Type"] != "AWS::IAM::Role" {
			continue
		}
		roles++
		encodedIs(t, logicalID+".PermissionsBoundary", resource["Properties"].(map[string]any)["PermissionsBoundary"],
			`{"Fn::If":["Bounded",{"Ref":"PermissionsBoundaryArn"},{"Ref":"AWS::NoValue"}]}`)
	}
	if roles < 7 {
		t.Errorf("found %d roles: the form of the template has changed", roles)
	}
}
