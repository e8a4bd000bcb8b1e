package localstage

import (
	"signedsocket/localstage/internal/clock"
	"signedsocket/localstage/internal/dynamodb"
	"signedsocket/localstage/internal/gateway"
	"signedsocket/localstage/internal/lambda"
	"signedsocket/localstage/internal/template"
)

// These are the types of Config's fields that callers name. The packages that declare them are closed to callers.
type (
	// Clock is the stage's time. A test hurries it or moves it.
	Clock = clock.Clock
	// Timer is a pending call of a Clock.
	Timer = clock.Timer
	// MachineClock is the machine's own clock. A clock of a test embeds it and replaces a part of it.
	MachineClock = clock.Machine
	// TimeToLive says whether and when the built-in DynamoDB engine deletes expired items.
	TimeToLive = dynamodb.TTL
	// ExpireBlocks is the fault that deletes items as if their time to live were over.
	ExpireBlocks = dynamodb.Expiry
	// ItemKey names an item of a table.
	ItemKey = dynamodb.ItemKey
	// Ordering is the order in which the messages of one connection reach their function.
	Ordering = gateway.Ordering
	// InvocationFault is the fault of one invocation of a function. The zero value is none.
	InvocationFault = lambda.Fault
	// CallFault is the fault of one call of an invocation to DynamoDB or @connections.
	CallFault = lambda.CallFault
	// CallEffect says what a CallFault does.
	CallEffect = lambda.CallEffect
)

// These are the effects of a CallFault.
const (
	KillBefore = lambda.KillBefore
	KillAfter  = lambda.KillAfter
	LoseAnswer = lambda.LoseAnswer
	DropCall   = lambda.DropCall
)

// These are the values of Ordering: the messages of a connection reach their function side by side (as on AWS), one
// after the other, or in a random order.
const (
	Concurrent = gateway.Concurrent
	Serial     = gateway.Serial
	Shuffled   = gateway.Shuffled
)

// Template is a resolved SAM template: functions, roles, APIs, tables and outputs.
type Template = template.Template

// issuerByDefault is the issuer of a stage that listens on its command's default address.
const issuerByDefault = "http://127.0.0.1:3003"

// LoadTemplate reads the template at path and resolves it with these parameters, as a stage does. It starts nothing.
func LoadTemplate(path string, parameters map[string]string) (*Template, error) {
	return readTemplate(path, parameters, issuerByDefault)
}

// ReadTemplate reads the template at path once, and returns a function that resolves it as LoadTemplate does.
func ReadTemplate(path string) (func(parameters map[string]string) (*Template, error), error) {
	source, err := template.Read(path)
	if err != nil {
		return nil, err
	}
	return func(parameters map[string]string) (*Template, error) {
		return source.Resolve(templateOptions(parameters, issuerByDefault))
	}, nil
}

// readTemplate reads a template for the account and Region of a stage. The template's parameter OidcIssuer gets issuer
// unless parameters name another one.
func readTemplate(path string, parameters map[string]string, issuer string) (*Template, error) {
	return template.Load(path, templateOptions(parameters, issuer))
}

func templateOptions(parameters map[string]string, issuer string) template.Options {
	return template.Options{
		Parameters: parameters,
		Defaults:   map[string]string{"OidcIssuer": issuer},
		Region:     Region,
		AccountID:  AccountID,
		StackName:  "local",
	}
}
