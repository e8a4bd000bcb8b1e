package template

import (
	"encoding/json"
	"time"
)

// Template is a resolved template. Each list is sorted by logical id, routes by their key.
type Template struct {
	Functions     []Function
	Roles         []Role
	WebSocketAPIs []WebSocketAPI
	HTTPAPIs      []HTTPAPI
	Tables        []Table
	Secrets       []Secret
	Schedules     []Schedule
	Permissions   []Permission // those in the template and those of the SAM transform
	Outputs       map[string]string

	EventInvokeConfigs []EventInvokeConfig // sorted by function
}

// Function is an AWS::Serverless::Function.
type Function struct {
	LogicalID, Name, ARN string
	Handler, Runtime     string
	CodeURI              string // relative to the template's folder
	BuildMethod          string // always "makefile"
	Environment          map[string]string
	Layers               []string
	MemoryMB             int
	Timeout              time.Duration
	ReservedConcurrency  int    // -1 when the template sets none
	Role                 string // logical id of its role
	LogGroup             string // name of its log group
}

// Role is an AWS::IAM::Role.
type Role struct {
	LogicalID, Name, ARN string
	RoleID               string            // "AROA…", the part before the colon in a caller's user id
	Policies             []json.RawMessage // the policy documents, in the template's order
}

// WebSocketAPI is a WebSocket API and its one stage.
type WebSocketAPI struct {
	LogicalID, ID, Stage     string
	RouteSelectionExpression string
	StageVariables           map[string]string
	Throttle                 Throttle // of every route that has none of its own
	Routes                   []Route
}

// Route is a route of a WebSocket API.
type Route struct {
	Key               string        // "$connect", "sendmessage", …
	AuthorizationType string        // "NONE" or "AWS_IAM"
	Function          string        // logical id
	Timeout           time.Duration // for which API Gateway waits for the function
	TwoWay            bool          // the function's result is sent to the client
	Throttle          *Throttle     // nil when the stage's holds
}

// HTTPAPI is an HTTP API and its one stage.
type HTTPAPI struct {
	LogicalID, ID, Stage string
	CORS                 *CORS    // nil when the API answers no preflight requests
	Throttle             Throttle // of every route that has none of its own
	Routes               []HTTPRoute
}

// HTTPRoute is a route of an HTTP API.
type HTTPRoute struct {
	Key               string         // "POST /signurl" or "$default"
	AuthorizationType string         // "NONE", "AWS_IAM" or "JWT"
	Function          string         // logical id
	Authorizer        *JWTAuthorizer // set when AuthorizationType is "JWT"
	Scopes            []string       // a token must hold one of them
	Timeout           time.Duration  // for which API Gateway waits for the function
	Throttle          *Throttle      // nil when the stage's holds
}

// JWTAuthorizer is a JWT authorizer of an HTTP API.
type JWTAuthorizer struct {
	Issuer         string
	Audience       []string
	IdentitySource string // "$request.header.Authorization"
}

// CORS is the cross-origin configuration of an HTTP API.
type CORS struct {
	AllowOrigins, AllowMethods, AllowHeaders, ExposeHeaders []string

	AllowCredentials bool
	MaxAge           int // seconds
}

// Throttle bounds the requests of a route. A zero field is not set: the account's limit holds (10,000 a second and a
// burst of 5,000, unless AWS has changed it).
type Throttle struct {
	RateLimit  float64 // requests a second
	BurstLimit int     // requests at once
}

// Table is an AWS::DynamoDB::Table.
type Table struct {
	LogicalID, Name, ARN string
	CreateTable          json.RawMessage // body of the CreateTable request that makes it
	TTLAttribute         string          // empty when items do not expire
}

// Secret is an AWS::SecretsManager::Secret. Its value is made once, of letters and digits and, unless they are
// excluded, punctuation.
type Secret struct {
	LogicalID, ARN     string
	Length             int
	ExcludePunctuation bool
}

// Schedule is an AWS::Events::Rule with a schedule, written as such or as a function's event of type Schedule.
type Schedule struct {
	LogicalID, ARN string
	Expression     string // "rate(1 minute)"
	Function       string // logical id of the target
	Input          string // JSON that the function gets; empty for the service's own event
}

// EventInvokeConfig is an AWS::Lambda::EventInvokeConfig: the retries of a function's asynchronous events.
type EventInvokeConfig struct {
	Function             string        // logical id
	MaximumRetryAttempts int           // -1 when the template sets none
	MaximumEventAge      time.Duration // 0 when the template sets none
	// logical id and ARN of the AWS::SQS::Queue for undeliverable events, or ""
	OnFailure, OnFailureARN string
}

// Permission is an AWS::Lambda::Permission: a service that may invoke a function.
type Permission struct {
	Function  string // logical id
	Principal string // "apigateway.amazonaws.com" or "events.amazonaws.com"
	SourceARN string // pattern; * stands for any text
}
