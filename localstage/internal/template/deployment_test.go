package template

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// These tests are about deployments only: the local stage has no user pool and sends no alarms.

func TestParametersOfADeploymentFitTogether(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		parameters map[string]string
		want       string // empty: can be deployed
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
		"no mail address": {map[string]string{"AlarmEmail": "alice"}, "AlarmEmail"},
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

// goldenProperties returns the properties of a resource of the SAM transform.
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

func TestThePoolIsClosedByDefault(t *testing.T) {
	t.Parallel()
	pool, client := goldenProperties(t, "UserPool"), goldenProperties(t, "PageClient")
	encodedIs(t, "the maker of users", pool["AdminCreateUserConfig"],
		`{"AllowAdminCreateUserOnly":{"Fn::If":["SignUpIsOpen",false,true]}}`)
	encodedIs(t, "the pool's protection", pool["DeletionProtection"], `{"Fn::If":["Protect","ACTIVE","INACTIVE"]}`)
	for property, want := range map[string]string{
		"GenerateSecret":             "false", // a page cannot keep a secret; PKCE takes its place
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

// TestEveryPartTrustsTheSameIssuer compares the authorizer with the function: if they trust different issuers, no user
// gets in, or a wrong one does.
func TestEveryPartTrustsTheSameIssuer(t *testing.T) {
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

// TestNothingHasAFixedName matters because several stacks live in one account and Region.
func TestNothingHasAFixedName(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`^(?:.*Name|Name|Domain)$`)
	notNames := []string{"StageName", "FunctionName", "MetricName"} // names of other things, or below an API
	for logicalID, r := range readGolden(t)["Resources"].(map[string]any) {
		for property, value := range r.(map[string]any)["Properties"].(map[string]any) {
			if !named.MatchString(property) || slices.Contains(notNames, property) {
				continue
			}
			text, err := json.Marshal(value)
			unique := strings.Contains(string(text), "${AWS::StackName}") ||
				strings.Contains(string(text), "${HttpApi}") || strings.Contains(string(text), `{"Ref":`)
			// names inside of a resource that has its own
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

// TestResourcesWithDataDeclareTheirDeletion matters because CloudFormation deletes by default, and an update that
// replaces a resource loses its data.
func TestResourcesWithDataDeclareTheirDeletion(t *testing.T) {
	t.Parallel()
	for logicalID, r := range readGolden(t)["Resources"].(map[string]any) {
		resource := r.(map[string]any)
		kinds := []string{"AWS::DynamoDB::Table", "AWS::Logs::LogGroup", "AWS::SQS::Queue", "AWS::Cognito::UserPool"}
		if kind, _ := resource["Type"].(string); slices.Contains(kinds, kind) &&
			(resource["DeletionPolicy"] == nil || resource["UpdateReplacePolicy"] == nil) {
			t.Errorf("%s does not declare its deletion", logicalID)
		}
	}
	encodedIs(t, "the table's protection", goldenProperties(t, "ConnectionsTable")["DeletionProtectionEnabled"],
		`{"Fn::If":["Protect",true,false]}`)
}

// TestNoUserIsSentToLocalhostUnlessDevelopersSign matters because any program may listen there, and would read the code
// of a sign-in.
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

// TestAlarmsExistWithoutAnAddress matters because an alarm without an address still shows in the console, and to other
// programs.
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
		// The queue that it watches exists only without history.
		if resource["Condition"] != nil && logicalID != "LostSegments" {
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

// TestEveryRoleTakesTheBoundary matters because a deployment role may make no role without it.
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
