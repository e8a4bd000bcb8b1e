package template

import (
	"strings"
	"testing"
)

// resources are the parameters and resources for the intrinsic functions below.
const resources = `
Parameters:
  Stage: {Type: String, Default: prod}
  Rooms: {Type: CommaDelimitedList, Default: "lobby, dev"}
  Count: {Type: Number, Default: 3}
Conditions:
  Yes: !Equals [!Ref Stage, prod]
  No: !Not [!Condition Yes]
  Both: !And [!Condition Yes, !Condition No]
  Either: {"Fn::Or": [{Condition: "Yes"}, {Condition: "No"}]}
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
  Named:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: !Sub "/aws/${AWS::StackName}/x"}
  Role:
    Type: AWS::IAM::Role
    Properties: {AssumeRolePolicyDocument: {}}
  Off:
    Type: AWS::Logs::LogGroup
    Condition: "No"
Outputs:
  Out: {Value: `

func TestIntrinsicFunctions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ expression, want string }{
		"text":                  {`plain`, "plain"},
		"number keeps its text": {`10`, "10"},
		"date stays text":       {`2012-10-17`, "2012-10-17"},
		"Ref of a parameter":    {`!Ref Stage`, "prod"},
		"long form":             {`{Ref: Stage}`, "prod"},
		"Ref of a number":       {`!Ref Count`, "3"},
		"Ref of an account":     {`!Ref AWS::AccountId`, "111122223333"},
		"Ref of a stack":        {`!Ref AWS::StackName`, "local"},
		"Ref of a stack's id": {
			`!Ref AWS::StackId`,
			"arn:aws:cloudformation:us-east-1:111122223333:stack/local/63bdb9a0-dacb-5fe3-aefe-3ca06dfe78e2",
		},
		"Ref of a given name": {`!Ref Named`, "/aws/local/x"},
		"GetAtt": {
			`!GetAtt Named.Arn`, "arn:aws:logs:us-east-1:111122223333:log-group:/aws/local/x:*",
		},
		"GetAtt as a list": {
			`{"Fn::GetAtt": [Named, Arn]}`, "arn:aws:logs:us-east-1:111122223333:log-group:/aws/local/x:*",
		},
		"Sub": {`!Sub "${AWS::Partition}:${Stage}:${Named}"`, "aws:prod:/aws/local/x"},
		"Sub of an attribute": {
			`!Sub "<${Named.Arn}>"`, "<arn:aws:logs:us-east-1:111122223333:log-group:/aws/local/x:*>",
		},
		"Sub with names of its own":  {`!Sub ["${A}-${Stage}-${B}", {A: !Ref Count, B: b}]`, "3-prod-b"},
		"own name goes before":       {`!Sub ["${Stage}", {Stage: mine}]`, "mine"},
		"long Sub":                   {`{"Fn::Sub": "${Stage}/$connect"}`, "prod/$connect"},
		"Sub of a literal":           {`!Sub "${!Stage}"`, "${Stage}"},
		"Sub without names":          {`!Sub plain`, "plain"},
		"Join":                       {`!Join ["/", [a, !Ref Stage, !Ref Count]]`, "a/prod/3"},
		"Join of a list parameter":   {`!Join [".", !Ref Rooms]`, "lobby.dev"},
		"Join leaves out NoValue":    {`!Join [",", [a, !If [No, b, !Ref "AWS::NoValue"], c]]`, "a,c"},
		"Split and Select":           {`!Select [1, !Split [":", "a:b:c"]]`, "b"},
		"If true":                    {`!If [Yes, a, b]`, "a"},
		"If false":                   {`!If [No, a, b]`, "b"},
		"If of And":                  {`!If [Both, a, b]`, "b"},
		"If of Or":                   {`!If [Either, a, b]`, "a"},
		"branch not taken is unread": {`!If [Yes, a, !Ref Off]`, "a"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			loaded, err := loadText(resources+test.expression+"}\n", testOptions())
			if err != nil {
				t.Fatal(err)
			}
			if got := loaded.Outputs["Out"]; got != test.want {
				t.Errorf("%s gives %q, want %q", test.expression, got, test.want)
			}
		})
	}
}

// Ids of users depend on the stack's id. They have to fit the table that an earlier run has left in the state folder.
func TestTheIDOfAStackComesFromItsName(t *testing.T) {
	t.Parallel()
	idOf := func(name string) string {
		options := testOptions()
		options.StackName = name
		loaded, err := loadText(resources+"!Ref AWS::StackId}\n", options)
		if err != nil {
			t.Fatal(err)
		}
		_, id, _ := strings.Cut(loaded.Outputs["Out"], ":stack/"+name+"/")
		return id
	}
	if id := idOf("local"); len(id) != 36 || idOf("local") != id || idOf("other") == id {
		t.Errorf("the stack local has the id %q and then %q; the stack other has %q", id, idOf("local"), idOf("other"))
	}
}

func TestIntrinsicFunctionErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ expression, want string }{
		"unknown name": {
			`!Ref Missing`, `template.yaml:28: Outputs.Out Value: there is no parameter or resource "Missing"`,
		},
		"unknown name in Sub": {`!Sub "${Missing}"`, `there is no parameter or resource "Missing"`},
		"resource that is off": {
			`!Ref Off`, "refers to Off, which the stack does not have: its condition is false",
		},
		"unknown attribute": {
			`!GetAtt Table.StreamArn`,
			"attribute StreamArn of Table (AWS::DynamoDB::Table) is not supported by the local stage",
		},
		"attribute of a parameter": {`!GetAtt Stage.Arn`, `there is no parameter or resource "Stage"`},
		"unknown pseudo parameter": {
			`!Ref AWS::NotificationARNs`, "pseudo parameter AWS::NotificationARNs is not supported",
		},
		"unsupported function": {
			`!ImportValue x`, "intrinsic function Fn::ImportValue is not supported by the local stage",
		},
		"unsupported long form":  {`{"Fn::FindInMap": [a, b, c]}`, "intrinsic function Fn::FindInMap is not supported"},
		"condition as value":     {`!Equals [a, b]`, "Fn::Equals gives a condition"},
		"function beside names":  {`{"Fn::Sub": a, other: b}`, "Fn::Sub must stand alone"},
		"list as text":           {`!Ref Rooms`, "must be a single value"},
		"list in Sub":            {`!Sub "${Rooms}"`, "${Rooms} is not a single value"},
		"open Sub":               {`!Sub "${Stage"`, "${ without }"},
		"no name in Sub":         {`!Sub "${a b}"`, "${a b} is not a name"},
		"Sub of a function":      {`{"Fn::Sub": !Ref Stage}`, "Fn::Sub needs a text of its own"},
		"Join without list":      {`!Join [",", abc]`, "Fn::Join needs a list of values"},
		"Join without delimiter": {`!Join [a]`, "Fn::Join needs a list of 2"},
		"Select past the end":    {`!Select [2, !Ref Rooms]`, `there is no element "2" in a list of 2`},
		"If of no condition":     {`!If [Maybe, a, b]`, `there is no condition "Maybe"`},
		"nothing":                {``, "is empty: CloudFormation allows no null values"},
		"binary":                 {`!!binary aGk=`, "YAML tag !!binary is not supported"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadText(resources+test.expression+"}\n", testOptions())
			checkError(t, err, test.want)
		})
	}
}

func TestConditionErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ conditions, want string }{
		"circle": {"A: !Not [!Condition B]\n  B: !Not [!Condition A]", "Conditions.A: refers to itself"},
		"resource": {
			"A: !Equals [!Ref Logs, x]",
			`there is no parameter "Logs", and conditions and rules cannot refer to resources`,
		},
		"unknown":            {"A: !Or [!Condition Missing, !Equals [a, a]]", `there is no condition "Missing"`},
		"one of And":         {"A: !And [!Equals [a, a]]", "Fn::And needs a list of 2 to 10 conditions"},
		"value":              {"A: yes", "a condition function is needed here"},
		"value function":     {"A: !Ref AWS::Region", "Ref is not a condition that the local stage supports"},
		"Equals of one":      {"A: !Equals [a]", "Fn::Equals needs a list of 2"},
		"unsupported Equals": {"A: !Equals [!GetAZs x, a]", "intrinsic function Fn::GetAZs is not supported"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "Conditions:\n  " + test.conditions + "\nResources:\n  Logs: {Type: AWS::Logs::LogGroup}\n"
			_, err := loadText(text, testOptions())
			checkError(t, err, test.want)
		})
	}
}

func TestPhysicalNamesAreShapedAsOnAWSAndStable(t *testing.T) {
	t.Parallel()
	first, second := loadRepository(t), loadRepository(t)
	function := first.Functions[0]
	if !strings.HasPrefix(function.Name, "local-ConnectFunction-") || len(function.Name) > 64 {
		t.Errorf("function name %q is not stack, logical id and suffix in 64 characters", function.Name)
	}
	if want := "arn:aws:lambda:us-east-1:111122223333:function:" + function.Name; function.ARN != want {
		t.Errorf("function ARN %q, want %q", function.ARN, want)
	}
	if id := first.Roles[0].RoleID; len(id) != 21 || !strings.HasPrefix(id, "AROA") {
		t.Errorf("role id %q is not AROA and 17 characters", id)
	}
	if id := first.WebSocketAPIs[0].ID; len(id) != 10 || strings.ToLower(id) != id {
		t.Errorf("API id %q is not 10 lower-case characters", id)
	}
	if first.WebSocketAPIs[0].ID != second.WebSocketAPIs[0].ID || function.Name != second.Functions[0].Name {
		t.Error("two loads of one template give different names")
	}
	if first.WebSocketAPIs[0].ID == first.HTTPAPIs[0].ID {
		t.Error("two APIs have one id")
	}
}
