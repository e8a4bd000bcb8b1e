package template

import (
	"fmt"
	"strings"
	"testing"
)

// templateMistakes are the cases of TestMistakesInTheTemplateNameTheirPlace.
var templateMistakes = map[string]struct {
	from, to string
	culprit  []string
}{
	"a socket's route without a function": {
		"FunctionArn: !GetAtt DisconnectFunction.Arn", "FunctionArn: !GetAtt Missing.Arn",
		[]string{"ChatApi", "$disconnect", "Missing"}},
	"a route whose function is no function": {
		"FunctionArn: !GetAtt DisconnectFunction.Arn", "FunctionArn: !GetAtt DisconnectRole.Arn",
		[]string{"ChatApi", "$disconnect"}},
	"an HTTP route without an integration": {
		"Target: !Sub integrations/${SignUrlIntegration}", "Target: integrations/nothing",
		[]string{"SignUrlRoute", "nothing"}},
	"an integration without a function": {
		"IntegrationUri: !GetAtt SignUrlFunction.Arn", "IntegrationUri: !GetAtt ConnectionsTable.Arn",
		[]string{"SignUrlIntegration", "no function"}},
	"a permission of an unknown function": {
		"FunctionName: !GetAtt SignUrlFunction.Arn", "FunctionName: !GetAtt Missing.Arn",
		[]string{"SignUrlPermission", "Missing"}},
	"a function without its role": {
		"Role: !GetAtt ConnectRole.Arn", "Role: !GetAtt Missing.Arn", []string{"ConnectFunction", "Missing"}},
	"a variable that is missing": {
		"          MESSAGES_PER_WINDOW: !Ref MessagesPerWindow\n", "",
		[]string{"SendMessageFunction", "MESSAGES_PER_WINDOW"}},
	"a variable that is misspelt": {
		"          URL_LIFETIME_SECONDS:", "          URL_LIFETIME:",
		[]string{"SignUrlFunction", "URL_LIFETIME_SECONDS"}},
	"a variable that no function reads": {
		"          EXTRA_SIGNER_ARNS:", "          DEBUG: \"1\"\n          EXTRA_SIGNER_ARNS:",
		[]string{"ConnectFunction", "DEBUG"}},
	"a parameter that is not there": {
		"!Ref UrlLifetimeSeconds", "!Ref UrlLifetime", []string{"UrlLifetime", "SignUrlFunction"}},
	"a policy with a wildcard for actions": {
		"Action: dynamodb:Query\n", "Action: dynamodb:*\n", []string{"SendMessageRole", "dynamodb:*"}},
	"a policy for every resource": {
		"Resource: !Sub " +
			"arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${ChatApi}/${StageName}/$connect",
		"Resource: \"*\"", []string{"SignUrlRole", "every resource"}},
	"a policy that posts anywhere": {
		"${ChatApi}/${StageName}/POST/@connections/*", "${ChatApi}/*", []string{"ConnectRole", "execute-api"}},
	"a policy for all keys": {
		"ForAllValues:StringLike: {dynamodb:LeadingKeys: [\"ROOM#*\"]}\n" +
			"                  \"Null\": {dynamodb:LeadingKeys: \"false\"}",
		"ForAllValues:StringLike: {dynamodb:LeadingKeys: [\"ROOM#*\"]}",
		[]string{"SendMessageRole", "dynamodb:Query", "whole table"}},
}

// TestMistakesInTheTemplateNameTheirPlace makes mistakes in the template's text, one at a time. The reader of the
// template, or the rules about it, must name the mistake and its place, before any deployment.
func TestMistakesInTheTemplateNameTheirPlace(t *testing.T) {
	t.Parallel()
	text := readText(t, "template.yaml")
	for name, mistake := range templateMistakes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mistaken := strings.Replace(text, mistake.from, mistake.to, 1)
			if mistaken == text {
				t.Fatal("the mistake cannot be made in this template any more: change the test")
			}
			said := complaints(t, mistaken)
			for _, word := range mistake.culprit {
				if !strings.Contains(said, word) {
					t.Errorf("%q is not in what is said about it: %q", word, said)
				}
			}
		})
	}
	if said := complaints(t, text); said != "" {
		t.Errorf("the template as it is: %s", said)
	}
}

// complaints returns the errors about a template, first of its reader and then of its rules.
func complaints(t *testing.T, text string) string {
	t.Helper()
	loaded, err := loadText(text, testOptions())
	if err != nil {
		return err.Error()
	}
	var said []string
	collect := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
	for _, rule := range []func(*testing.T, *Template, report){
		matchVariables, grantNoWildcards, manageByRoute, grantByKey,
	} {
		rule(t, loaded, collect)
	}
	return strings.Join(said, "\n")
}
