package template

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const asyncTemplate = `
Globals: {Function: {Runtime: provided.al2023, Handler: bootstrap, CodeUri: .}}
Resources:
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}}}
  One:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {Role: !GetAtt Role.Arn}
  Failures: {Type: AWS::SQS::Queue, Properties: {QueueName: failures, SqsManagedSseEnabled: true}}
  Retries:
    Type: AWS::Lambda::EventInvokeConfig
    Properties:
      FunctionName: !Ref One
      Qualifier: $LATEST
      MaximumRetryAttempts: 0
      MaximumEventAgeInSeconds: 60
      DestinationConfig: {OnFailure: {Destination: !GetAtt Failures.Arn}}
Outputs:
  Url: {Value: !Ref Failures}
`

func TestEventInvokeConfig(t *testing.T) {
	t.Parallel()
	loaded, err := loadText(asyncTemplate, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	want := []EventInvokeConfig{{
		Function: "One", MaximumRetryAttempts: 0, MaximumEventAge: time.Minute,
		OnFailure: "Failures", OnFailureARN: "arn:aws:sqs:us-east-1:111122223333:failures",
	}}
	if diff := cmp.Diff(want, loaded.EventInvokeConfigs); diff != "" {
		t.Errorf("configurations (-want +got):\n%s", diff)
	}
	if url := loaded.Outputs["Url"]; url != "https://sqs.us-east-1.amazonaws.com/111122223333/failures" {
		t.Errorf("Ref of the queue is %s", url)
	}
}

func TestEventInvokeConfigLeavesUnsetValuesToLambda(t *testing.T) {
	t.Parallel()
	before, _, _ := strings.Cut(asyncTemplate, "      MaximumRetryAttempts")
	loaded, err := loadText(before, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]EventInvokeConfig{{Function: "One", MaximumRetryAttempts: -1}},
		loaded.EventInvokeConfigs); diff != "" {
		t.Errorf("configurations (-want +got):\n%s", diff)
	}
}

func TestEventInvokeConfigErrors(t *testing.T) {
	t.Parallel()
	checkMistakes(t, asyncTemplate, map[string]mistake{
		"no function": {
			"FunctionName: !Ref One",
			"FunctionName: missing",
			`"missing" is no AWS::Serverless::Function of this template`,
		},
		"a version": {
			"Qualifier: $LATEST", "Qualifier: \"1\"", `Retries Properties.Qualifier: "1" is not supported`,
		},
		"too many retries": {
			"MaximumRetryAttempts: 0", "MaximumRetryAttempts: 3", `"3" is not a whole number from 0 to 2`,
		},
		"too young": {"Seconds: 60", "Seconds: 59", `"59" is not a whole number from 60 to 21600`},
		"another destination": {
			"!GetAtt Failures.Arn}}", "!GetAtt One.Arn}}", "is no AWS::SQS::Queue of this template",
		},
		"a destination for good": {"OnFailure: {", "OnSuccess: {", "OnSuccess: is not supported"},
		"a queue in order": {
			"SqsManagedSseEnabled", "FifoQueue", "Failures Properties.FifoQueue: is not supported",
		},
	})
}
