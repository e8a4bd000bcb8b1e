package template

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const scheduleTemplate = `
Globals: {Function: {Runtime: provided.al2023, Handler: bootstrap, CodeUri: .}}
Resources:
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}}}
  One:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties:
      Role: !GetAtt Role.Arn
      Events:
        Named: {Type: Schedule, Properties: {Name: often, Schedule: rate(1 minute), Input: '{"a":1}'}}
        Off: {Type: Schedule, Properties: {Schedule: rate(1 hour), State: DISABLED}}
  Raw:
    Type: AWS::Events::Rule
    Properties: {Name: seldom, ScheduleExpression: rate(1 day), Targets: [{Id: a, Arn: !GetAtt One.Arn}]}
  Let:
    Type: AWS::Lambda::Permission
    Properties: {Action: lambda:InvokeFunction, FunctionName: !Ref One, Principal: events.amazonaws.com,
      SourceArn: !GetAtt OneNamed.Arn}
`

func TestSchedules(t *testing.T) {
	t.Parallel()
	loaded, err := loadText(scheduleTemplate, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	want := []Schedule{
		{
			LogicalID:  "OneNamed",
			ARN:        "arn:aws:events:us-east-1:111122223333:rule/often",
			Expression: "rate(1 minute)",
			Function:   "One",
			Input:      `{"a":1}`,
		},
		{
			LogicalID:  "Raw",
			ARN:        "arn:aws:events:us-east-1:111122223333:rule/seldom",
			Expression: "rate(1 day)",
			Function:   "One",
		},
	}
	if diff := cmp.Diff(want, loaded.Schedules); diff != "" {
		t.Errorf("schedules (-want +got):\n%s", diff)
	}
	let := Permission{Function: "One", Principal: "events.amazonaws.com", SourceARN: want[0].ARN}
	off := let
	off.SourceARN = loaded.Permissions[0].SourceARN
	if diff := cmp.Diff([]Permission{off, let, let}, loaded.Permissions); diff != "" ||
		!strings.Contains(off.SourceARN, "rule/local-OneOff-") {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
}

func TestScheduleErrors(t *testing.T) {
	t.Parallel()
	checkMistakes(t, scheduleTemplate, map[string]mistake{
		"another event": {
			"Type: Schedule, Properties: {Name",
			"Type: S3, Properties: {Name",
			`One Properties.Events.Named.Type: "S3" is not supported`,
		},
		"no type": {
			"Type: Schedule, Properties: {Name", "Properties: {Name", "One Properties.Events.Named.Type: is needed",
		},
		"no schedule": {
			"Schedule: rate(1 minute), ", "", "One Properties.Events.Named.Properties.Schedule: is needed",
		},
		"an unknown property": {
			"Name: often", "RetryPolicy: {}", "One Properties.Events.Named.Properties.RetryPolicy: is not supported",
		},
		"a bad name":           {"Named:", "na-med:", "the name of an event is made of letters and digits"},
		"a name that is taken": {"Raw:", "OneNamed:", "the transform makes an AWS::Events::Rule named OneNamed of it"},
		"two targets": {
			"Targets: [{Id: a, Arn: !GetAtt One.Arn}]",
			"Targets: [{Id: a, Arn: !GetAtt One.Arn}, {Id: b, Arn: !GetAtt One.Arn}]",
			"there are 2, the local stage needs one",
		},
		"a foreign target": {
			"Targets: [{Id: a, Arn: !GetAtt One.Arn}]",
			"Targets: [{Id: a, Arn: x}]",
			`"x" is no AWS::Serverless::Function of this template`,
		},
		"an event pattern": {
			"ScheduleExpression: rate(1 day)", "EventPattern: {}", "Raw Properties.ScheduleExpression: is needed",
		},
	})
}

func TestReaperAndPresenceRunEveryMinute(t *testing.T) {
	t.Parallel()
	var functions []string
	for _, s := range loadRepository(t).Schedules {
		functions = append(functions, s.Function)
		if s.Expression != "rate(1 minute)" || s.Input != "" {
			t.Errorf("schedule %+v, want every minute", s)
		}
	}
	if want := []string{"PresenceFunction", "ReaperFunction"}; !slices.Equal(functions, want) {
		t.Errorf("the schedules run %q, want %q", functions, want)
	}
	for _, s := range mustLoadWith(t, map[string]string{"PresenceLimit": "0"}).Schedules {
		if s.Function == "PresenceFunction" {
			t.Error("presence runs although it is off")
		}
	}
}

func TestReservedConcurrencyIsUnsetUnlessChosen(t *testing.T) {
	t.Parallel()
	for _, f := range loadRepository(t).Functions {
		if f.ReservedConcurrency != -1 {
			t.Errorf("%s reserves %d", f.LogicalID, f.ReservedConcurrency)
		}
		if f.LogicalID == "EraseFunction" {
			continue // only an operator invokes it, once at a time: no flood reaches it
		}
		o := testOptions()
		parameter := strings.TrimSuffix(f.LogicalID, "Function") + "Concurrency"
		o.Parameters = map[string]string{parameter: "7"}
		loaded, err := Load(root+"/template.yaml", o)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range loaded.Functions {
			if want := map[bool]int{true: 7, false: -1}[g.LogicalID == f.LogicalID]; g.ReservedConcurrency != want {
				t.Errorf("%s=7: %s reserves %d, want %d", parameter, g.LogicalID, g.ReservedConcurrency, want)
			}
		}
	}
}
