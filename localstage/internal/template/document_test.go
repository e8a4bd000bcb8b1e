package template

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// documentErrors are the cases of TestDocumentErrors.
var documentErrors = map[string]struct{ text, want string }{
	"empty":         {"", "template.yaml: the file is empty"},
	"broken YAML":   {"Resources:\n  A: [1,\n  B: }\n", "template.yaml:2: not valid YAML: "},
	"no mapping":    {"- a\n", "template.yaml: a template is a mapping"},
	"two documents": {"Resources: {}\n---\na: b\n", "more than one YAML document"},
	"no resources":  {"Outputs: {}\n", "template.yaml: the template has no Resources section"},
	"unknown section": {
		"Resources: {}\nMappings: {}\n", "template.yaml:2: section Mappings is not supported by the local stage",
	},
	"section is a list": {"Resources: []\n", "section Resources must be a mapping"},
	"other transform":   {"Transform: My::Macro\nResources: {}\n", "supports AWS::Serverless-2016-10-31 only"},
	"same key twice":    {"Resources:\n  A: {}\n  A: {}\n", `template.yaml:3: key "A" appears twice`},
	"alias":             {"Resources:\n  A: &x {}\n  B: *x\n", "template.yaml:3: YAML alias *x"},
	"merge":             {"Resources:\n  A: &x {}\n  B:\n    <<: *x\n", "a key must be a plain name"},
	"null key":          {"Resources:\n  Null: {}\n", "a key must be a plain name"},
	"deep nesting": {
		"Resources: " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "\n", "nested more than 100 levels",
	},
	"globals of APIs": {"Globals: {Api: {}}\nResources: {}\n", "Globals.Api: is not supported"},
	"logical id": {
		"Resources:\n  a-b: {Type: AWS::Logs::LogGroup}\n", "a logical id is made of letters and digits",
	},
	"no type": {"Resources:\n  A: {Properties: {}}\n", "template.yaml:2: A: has no Type"},
	"unknown type": {
		"Resources:\n  Queue:\n    Type: AWS::S3::Bucket\n",
		"template.yaml:2: Queue: type AWS::S3::Bucket is not supported by the local stage",
	},
	"unknown attribute": {
		"Resources:\n  A: {Type: AWS::Logs::LogGroup, UpdatePolicy: {}}\n", "A UpdatePolicy: is not supported",
	},
	"properties as list": {
		"Resources:\n  A: {Type: AWS::Logs::LogGroup, Properties: []}\n", "A Properties: must be a mapping",
	},
	"unknown dependency": {
		"Resources:\n  A: {Type: AWS::Logs::LogGroup, DependsOn: [B]}\n", `A DependsOn: there is no resource "B"`,
	},
	"property without use": {
		"Resources:\n  A:\n    Type: AWS::Logs::LogGroup\n    Properties:\n      Color: red\n",
		"template.yaml:5: A Properties.Color: is not supported by the local stage; it knows KmsKeyId",
	},
	"reference without use": {
		"Resources:\n  A: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: !Ref Days}}\n",
		`there is no parameter or resource "Days"`},
	"name of itself": {
		"Resources:\n  A: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Ref A}}\n",
		"A: its name refers to itself",
	},
	"output export": {
		"Resources: {}\nOutputs:\n  O: {Value: a, Export: {Name: b}}\n", "Outputs.O Export: is not supported",
	},
	"output's value": {
		"Resources: {}\nOutputs:\n  O: {Description: a}\n", "Outputs.O: an output is a mapping with a Value",
	},
}

func TestDocumentErrors(t *testing.T) {
	t.Parallel()
	tests := documentErrors
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadText(test.text, testOptions())
			checkError(t, err, test.want)
		})
	}
}

func TestLoadNamesAMissingFile(t *testing.T) {
	t.Parallel()
	_, err := Load(filepath.Join(t.TempDir(), "template.yaml"), testOptions())
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want an error that the file does not exist", err)
	}
	checkError(t, err, "read template: open ")
}

func TestConditionalOutputsAndResources(t *testing.T) {
	t.Parallel()
	text := `
Parameters: {On: {Type: String, Default: "no"}}
Conditions: {IsOn: !Equals [!Ref On, "yes"]}
Resources:
  Extra: {Type: AWS::DynamoDB::Table, Condition: IsOn, Properties: {BillingMode: PAY_PER_REQUEST, KeySchema: []}}
Outputs:
  Extra: {Condition: IsOn, Value: !Ref Extra}
`
	for on, want := range map[string]int{"no": 0, "yes": 1} {
		o := testOptions()
		o.Parameters = map[string]string{"On": on}
		loaded, err := loadText(text, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(loaded.Tables) != want || len(loaded.Outputs) != want {
			t.Errorf("On=%s: %d tables and %d outputs, want "+
				"%d of each", on, len(loaded.Tables), len(loaded.Outputs), want)
		}
	}
}
