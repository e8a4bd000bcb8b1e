package template

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const functionTemplate = `
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    CodeUri: .
    Timeout: 10
    Layers: [arn:aws:lambda:us-east-1:1:layer:a:1]
    Environment: {Variables: {SHARED: global, OVER: global}}
Resources:
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}}}
  One:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties:
      FunctionName: one
      Role: !GetAtt Role.Arn
      Timeout: 29
      Layers: [arn:aws:lambda:us-east-1:1:layer:b:2]
      Environment: {Variables: {OVER: own, NUMBER: 3, FLAG: true}}
`

func TestFunctionTakesGlobals(t *testing.T) {
	t.Parallel()
	loaded, err := loadText(functionTemplate, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	want := []Function{{
		LogicalID:           "One",
		Name:                "one",
		ARN:                 "arn:aws:lambda:us-east-1:111122223333:function:one",
		Handler:             "bootstrap",
		Runtime:             "provided.al2023",
		CodeURI:             ".",
		BuildMethod:         "makefile",
		Environment:         map[string]string{"SHARED": "global", "OVER": "own", "NUMBER": "3", "FLAG": "true"},
		Layers:              []string{"arn:aws:lambda:us-east-1:1:layer:a:1", "arn:aws:lambda:us-east-1:1:layer:b:2"},
		MemoryMB:            128,
		Timeout:             29 * time.Second,
		ReservedConcurrency: -1,
		Role:                "Role",
		LogGroup:            "/aws/lambda/one",
	}}
	if diff := cmp.Diff(want, loaded.Functions); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
}

// resourceMistakes are the cases of TestResourceErrors.
var resourceMistakes = map[string]mistake{
	"function property": {
		"FunctionName: one",
		"SnapStart: {}",
		"One Properties.SnapStart: is not supported by the local stage; it knows Architectures",
	},
	"nested property": {
		"{Variables: {OVER",
		"{Extra: 1, Variables: {OVER",
		"template.yaml:20: One Properties.Environment.Extra: is not supported by the local stage; it knows Variables",
	},
	"log format": {
		"FunctionName: one",
		"LoggingConfig: {LogFormat: JSON}",
		"One Properties.LoggingConfig.LogFormat: is not supported",
	},
	"build method": {
		"BuildMethod: makefile",
		"BuildMethod: go1.x",
		`One Metadata.BuildMethod: "go1.x" is not supported by the local stage, only makefile`,
	},
	"other metadata": {
		"BuildMethod: makefile", "SkipBuild: true", "One Metadata.SkipBuild: is not supported",
	},
	"no build method": {"    Metadata: {BuildMethod: makefile}\n", "", "One Metadata.BuildMethod: is needed"},
	"no handler":      {"    Handler: bootstrap\n", "", "One Properties.Handler: is needed"},
	"no role":         {"      Role: !GetAtt Role.Arn\n", "", "One Properties.Role: is needed"},
	"foreign role": {
		"!GetAtt Role.Arn",
		"arn:aws:iam::1:role/x",
		`One Properties.Role: "arn:aws:iam::1:role/x" is no AWS::IAM::Role of this template`,
	},
	"timeout":      {"Timeout: 29", "Timeout: 901", `"901" is not a whole number from 1 to 900`},
	"timeout text": {"Timeout: 29", "Timeout: long", `"long" is not a whole number`},
	"list as text": {
		"Handler: bootstrap", "Handler: [a]", "One Properties.Handler: must be a single value",
	},
	"text as list": {
		"Layers: [arn:aws:lambda:us-east-1:1:layer:b:2]", "Layers: {a: b}", "One Properties.Layers: must be a list",
	},
	"too many variables": {
		"OVER: own",
		"OVER: " + strings.Repeat("x", 4096),
		"One Properties.Environment.Variables: has 4127 bytes of names and values, and Lambda takes 4096",
	},
	"object in variables": {
		"OVER: own", "OVER: {a: b}", "One Properties.Environment.Variables.OVER: must be a single value",
	},
	"managed policy": {
		"AssumeRolePolicyDocument: {}", "ManagedPolicyArns: [x]", "Role Properties.ManagedPolicyArns: is not supported",
	},
	"policy is no mapping": {
		"AssumeRolePolicyDocument: {}",
		"Policies: [{PolicyName: a, PolicyDocument: text}]",
		"Role Properties.Policies[0].PolicyDocument: must be a mapping",
	},
}

func TestResourceErrors(t *testing.T) {
	t.Parallel()
	checkMistakes(t, functionTemplate, resourceMistakes)
}

func TestPolicyKeepsItsMeaningAsJSON(t *testing.T) {
	t.Parallel()
	text := `
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: 2012-10-17
            Statement:
              - {Effect: Allow, Action: [a:B], Resource: "*",
                 Condition: {Bool: {"aws:SecureTransport": true}, NumericLessThan: {"x:y": "10"}}}
              - !If [Never, {Effect: Deny}, !Ref "AWS::NoValue"]
Conditions: {Never: !Equals [a, b]}
`
	loaded, err := loadText(text, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"Statement":[{"Action":["a:B"],"Condition":{"Bool":{"aws:SecureTransport":true},` +
		`"NumericLessThan":{"x:y":"10"}},` +
		`"Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}`
	if got := string(loaded.Roles[0].Policies[0]); got != want {
		t.Errorf("policy is\n%s, want\n%s", got, want)
	}
}

func TestTableBecomesARequest(t *testing.T) {
	t.Parallel()
	tables := loadRepository(t).Tables
	table := tables[slices.IndexFunc(tables, func(table Table) bool { return table.LogicalID == "ConnectionsTable" })]
	want := `{"TableName":"` + table.Name + `","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},` +
		`{"AttributeName":"sk","AttributeType":"S"}],` +
		`"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],` +
		`"BillingMode":"PAY_PER_REQUEST"}`
	if got := string(table.CreateTable); got != want {
		t.Errorf("CreateTable is\n%s, want\n%s", got, want)
	}
	if table.TTLAttribute != "expiresAt" {
		t.Errorf("TTL attribute is %q, want expiresAt", table.TTLAttribute)
	}
}

func TestCheckSources(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ makefile, want string }{
		"target":         {"build-One:\n\ttrue\n", ""},
		"pattern rule":   {"build-%:\n\ttrue\n", ""},
		"part of a name": {"all: x\nbuild-%Function: x\n\ttrue\n", ""},
		"two targets":    {"build-Two build-One: x\n\ttrue\n", ""},
		"first of two":   {"build-One build-Two:\n\ttrue\n", ""},
		"variable":       {"ALL = One\n$(ALL:%=build-%):\n\ttrue\n", ""},
		"included":       {"include rules.mk\n", ""},
		"other target":   {"build-OneMore:\n\ttrue\n", "has no target build-One"},
		"prerequisite":   {"all: build-One\n\ttrue\n", "has no target build-One"},
		"assignment":     {"build-One := x\n", "has no target build-One"},
		"no Makefile":    {"", "has no Makefile"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if test.makefile != "" {
				if err := os.WriteFile(filepath.Join(dir, "Makefile"), []byte(test.makefile), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			checkError(t, Function{LogicalID: "One", CodeURI: "."}.CheckSources(dir), test.want)
		})
	}
	checkError(t, Function{LogicalID: "One", CodeURI: "missing"}.CheckSources(t.TempDir()), "One: its CodeUri ")
}
