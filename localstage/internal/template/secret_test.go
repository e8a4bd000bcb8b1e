package template

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const secretTemplate = `
Resources:
  Role: {Type: AWS::IAM::Role}
  Key: {Type: AWS::SecretsManager::Secret,
    Properties: {GenerateSecretString: {PasswordLength: 40, ExcludePunctuation: true}}}
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties:
      FunctionName: f
      Role: !GetAtt Role.Arn
      Runtime: provided.al2023
      Handler: bootstrap
      CodeUri: .
      Environment: {Variables: {KEY: !Sub "{{resolve:secretsmanager:${Key}}}",
        SAME: !Sub "{{resolve:secretsmanager:${Key.Id}}}"}}
`

func TestSecretIsReferredToByItsARN(t *testing.T) {
	t.Parallel()
	loaded, err := loadText(secretTemplate, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded.Secrets) != 1 ||
		!strings.HasPrefix(loaded.Secrets[0].ARN, "arn:aws:secretsmanager:us-east-1:111122223333:secret:local-Key-") {
		t.Fatalf("secrets %+v", loaded.Secrets)
	}
	secret := loaded.Secrets[0]
	if diff := cmp.Diff(Secret{LogicalID: "Key", ARN: secret.ARN, Length: 40, ExcludePunctuation: true},
		secret); diff != "" {
		t.Errorf("secret (-want +got):\n%s", diff)
	}
	reference := "{{resolve:secretsmanager:" + secret.ARN + "}}"
	if diff := cmp.Diff(map[string]string{"KEY": reference, "SAME": reference},
		loaded.Functions[0].Environment); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}

func TestDynamicReferencesThatWouldStayTextAreRefused(t *testing.T) {
	t.Parallel()
	const unsupported = "dynamic references are supported by the local stage as the whole value of a function's " +
		"variable"
	checkMistakes(t, secretTemplate, map[string]mistake{
		"elsewhere": {
			"FunctionName: f", `FunctionName: "{{resolve:ssm:/a}}"`, "F Properties.FunctionName: " + unsupported,
		},
		"parameter store": {
			`!Sub "{{resolve:secretsmanager:${Key}}}"`,
			`"{{resolve:ssm:/a}}"`,
			"F Properties.Environment.Variables.KEY: " + unsupported,
		},
		"another secret": {"${Key}}}", "other}}", unsupported},
		"a member of it": {"${Key}}}", "${Key}:SecretString:password}}", unsupported},
		"within a text": {
			`"{{resolve:secretsmanager:${Key}}}"`, `"key={{resolve:secretsmanager:${Key}}}"`, unsupported,
		},
		"in a list": {
			"Handler: bootstrap", `Layers: ["{{resolve:ssm:/a}}"]`, "F Properties.Layers[0]: " + unsupported,
		},
		"a value of its own": {
			"GenerateSecretString: {PasswordLength: 40, ExcludePunctuation: true}",
			"SecretString: x",
			"Key Properties.GenerateSecretString: is needed",
		},
		"letters of its choice": {
			"ExcludePunctuation: true",
			"ExcludeCharacters: x",
			"Key Properties.GenerateSecretString.ExcludeCharacters: is not supported",
		},
	})
}
